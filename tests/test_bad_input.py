"""Every mistake is answered by exit code 2 and one line that says where it is; nothing is written, nothing is run."""

import os
import shutil

import pytest
from conftest import call, listing, run_script

FAST = ["--epochs", "1", "--no-figures", "--quiet"]


def refused(done, *words):
    """The one line of a refusal."""
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def run(few, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    assert call("train.py", "--data", few, "--out", folder, *FAST).returncode == 0
    return folder


# ------------------------------------------------------------------------------------------------ flags

FLAGS = [
    ("train.py", "--hidden", ["1.5", "0 8", "4,4 4"]),
    ("train.py", "--epochs", ["-1", "1e9"]),
    ("train.py", "--lr", ["0", "nan"]),
    ("train.py", "--seed", ["-1"]),
    ("train.py", "--optimizer", ["adamw"]),
    ("train.py", "--epoch", ["1"]),  # no abbreviations
    ("train.py", "--shape", ["5", "0x5"]),
    ("train.py", "--data", ["missing"]),
    ("make_data.py", "--noise", ["0", "1e-320", "1e300"]),
    ("make_data.py", "--brightness", ["1", "1 -1", "nan 1"]),
    ("plot_softmax.py", "--logits", ["x", "inf", "2,5 0,5"]),
    ("plot_softmax.py", "--labels", ["only-one"]),
    ("sweep.py", "--noise", ["nan"]),
    ("study_truth.py", "--hidden", ["1.5"]),
    ("study_overconfidence.py", "--train", ["0"]),
    ("predict.py", "--nonsense", ["1"]),
    ("plot_logits.py", "--run", ["missing"]),
    ("evaluate.py", "--longer", ["0"]),
    ("animate.py", "--run", ["missing"]),
    ("detect_edges.py", "--largest", ["4"]),
    ("compare.py", "--out", ["out"]),  # of no runs
]


@pytest.mark.parametrize(
    ("script", "flag", "value"), [(script, flag, value) for script, flag, values in FLAGS for value in values]
)
def test_a_bad_flag_is_named_with_its_value_before_anything_is_written(tmp_path, monkeypatch, script, flag, value):
    monkeypatch.chdir(tmp_path)
    out = [] if script in ("plot_logits.py", "predict.py", "compare.py") else ["--out", "out"]
    line = refused(call(script, *out, flag, *value.split(" ")))
    assert flag[2:] in line or value in line.replace(",", "") or "RUN" in line
    assert listing(tmp_path) == {}


def test_an_out_that_is_a_file_or_in_one_is_refused_before_training(few, tmp_path):
    (tmp_path / "file").write_text("mine")
    for script in (
        "train.py",
        "make_data.py",
        "plot_softmax.py",
        "sweep.py",
        "study_truth.py",
        "study_overconfidence.py",
    ):
        for out in (tmp_path / "file", tmp_path / "file" / "below"):
            refused(call(script, "--out", out), str(tmp_path / "file"))
    assert listing(tmp_path) == {"file": b"mine"}


def test_divergence_is_one_line_with_a_remedy_and_leaves_the_former_run(few, run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    before = listing(tmp_path)
    for rate in ("1e5", "1e9"):
        done = call("train.py", "--data", few, "--out", tmp_path / "run", "--lr", rate, "--quiet")
        assert done.returncode == 2
        assert "error: training diverged" in done.stderr.splitlines()[-1]  # below what the checks have said
        assert "try a learning rate ten times smaller" in done.stderr
    assert listing(tmp_path) == before


def test_a_mistake_at_the_end_of_new_images_is_found_before_anything_is_written(few, run, tmp_path):
    bad = (few / "test.csv").read_bytes() + b"Edge,flat,1\n"
    (tmp_path / "bad.csv").write_bytes(bad)
    for file in ("-", tmp_path / "bad.csv"):
        for out in ([], ["--out", tmp_path / "out.csv"]):
            refused(call("predict.py", file, "--run", run, *out, stdin=bad), "line 62")
    assert os.listdir(tmp_path) == ["bad.csv"]


def test_no_home_no_utf_8_no_terminal_and_no_place_for_a_cache_matter(tmp_path):
    (tmp_path / "closed").write_text("a file, so nothing can be written below it")
    poor = {"HOME": str(tmp_path / "closed" / "home"), "MPLCONFIGDIR": str(tmp_path / "closed" / "cache")}
    poor |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii", "TERM": "dumb"}
    done = run_script("plot_softmax.py", "--labels", "×", "–", "--out", tmp_path / "softmax", **poor)
    assert (done.stderr, done.stdout.isascii()) == ("", True)
