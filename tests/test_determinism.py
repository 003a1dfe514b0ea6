"""The same seed gives the same bytes: twice, from two folders, and however many threads multiply the matrices."""

import pytest
from conftest import listing, run_script

SCRIPTS = {
    "train.py": ["--epochs", "3", "--hidden", "64", "--batch-size", "500", "--no-figures"],
    "plot_softmax.py": ["--logits", "1", "2", "3"],
    "evaluate.py": ["--longer", "2"],
}


@pytest.fixture(scope="module")
def few_run(few, tmp_path_factory):
    folder = tmp_path_factory.mktemp("few_run") / "run"
    run_script("train.py", "--data", few, "--epochs", "2", "--no-figures", "--out", folder)
    return folder


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_writes_the_same_bytes_and_prints_the_same_text(few_run, tmp_path, script):
    flags = [*SCRIPTS[script], *(["--run", few_run] if script == "evaluate.py" else [])]
    results = []
    for threads in ("1", "2"):
        folder = tmp_path / threads
        folder.mkdir()
        text = run_script(script, *flags, "--out", "out", folder=folder, OPENBLAS_NUM_THREADS=threads).stdout
        results.append((listing(folder), text))
    assert results[0] == results[1]
    assert len(results[0][0]) > 2
