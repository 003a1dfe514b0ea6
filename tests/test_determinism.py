"""The same seed gives the same bytes: twice, from two folders, and however many threads multiply the matrices."""

import pytest
from conftest import listing, run_script

SCRIPTS = {
    "train.py": ["--epochs", "3", "--hidden", "64", "--batch-size", "500", "--no-figures"],
    "make_data.py": ["--train", "99", "--test", "50", "--seed", "7"],
    "plot_softmax.py": ["--logits", "1", "2", "3"],
    "study_overconfidence.py": ["--train", "100", "--epochs", "5"],
    "sweep.py": ["--hidden", "2", "4", "--noise", "0.1", "0.2", "--train-size", "100", "--seeds", "2", "--epochs", "2"],
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_writes_the_same_bytes_and_prints_the_same_text(tmp_path, script):
    results = []
    for threads in ("1", "2"):
        folder = tmp_path / threads
        folder.mkdir()
        text = run_script(script, *SCRIPTS[script], "--out", "out", folder=folder, OPENBLAS_NUM_THREADS=threads).stdout
        files = listing(folder)
        files.pop("out/results.jsonl", None)  # it holds the seconds that each training took
        lines = [line for line in text.splitlines() if " core" not in line]  # nor what they cost
        results.append((files, lines))
    assert results[0] == results[1]
    assert len(results[0][0]) > 2
