"""The same seed gives the same bytes: twice, from two folders, and however many threads multiply the matrices."""

import pytest
from conftest import listing, run_script

SCRIPTS = {
    "train.py": ["--epochs", "3", "--hidden", "64", "--batch-size", "500", "--no-figures"],
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_writes_the_same_bytes_and_prints_the_same_text(tmp_path, script):
    results = []
    for threads in ("1", "2"):
        folder = tmp_path / threads
        folder.mkdir()
        text = run_script(script, *SCRIPTS[script], "--out", "out", folder=folder, OPENBLAS_NUM_THREADS=threads).stdout
        results.append((listing(folder), text))
    assert results[0] == results[1]
    assert len(results[0][0]) > 2
