"""No bytes in a CSV file and no flags lead to a traceback: hypothesis looks for some."""

import pytest
from conftest import call
from test_bad_input import FAST, GOOD, HEADER, dataset

pytest.importorskip("hypothesis", reason="for developers")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CHUNKS = [HEADER, GOOD, GOOD, "\n", ",", '"', "nan", "1e400", "\0", "\r", "\ufeff", "é", "☃", "label", "p00", "0", "'"]
FUZZ = {"max_examples": 150, "deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


TEXTS = st.lists(st.sampled_from(CHUNKS), max_size=8).map(lambda chunks: "".join(chunks).encode())


@settings(**FUZZ)
@given(st.one_of(st.binary(max_size=200), TEXTS, TEXTS.map(lambda text: HEADER.encode() + text)))
def test_no_bytes_in_a_csv_file_lead_to_a_traceback(fuzz_folder, content):
    dataset(fuzz_folder / "data", train=content, test=content)
    done = call("train.py", "--data", fuzz_folder / "data", "--out", fuzz_folder / "run", *FAST, "--epochs", "0")
    assert done.returncode in (0, 2)
    assert done.stderr.count("\n") == (done.returncode == 2), done.stderr


VALUES = ["0", "1", "-1", "3", "1.5", "nan", "inf", "1e400", "", "x", "é", "\udc80", "-", "--", "9" * 25, "1e-9", "0.5"]
NAMES = ["hidden", "epochs", "lr", "batch-size", "seed", "target", "optimizer", "train", "test", "noise", "brightness"]
NAMES += ["logits", "labels", "temperature", "x", "quiet"]
USUAL = {"train.py": ["--epochs", "1", "--no-figures"], "make_data.py": ["--train", "5"], "plot_softmax.py": []}


@settings(**FUZZ)
@given(st.sampled_from([*USUAL]), st.lists(st.sampled_from([*VALUES, *(f"--{name}" for name in NAMES)]), max_size=4))
def test_no_flags_lead_to_a_traceback(fuzz_folder, script, flags):
    data = ["--data", dataset(fuzz_folder / "good")] if script == "train.py" else []
    done = call(script, *USUAL[script], *data, "--out", fuzz_folder / "out" / script, *flags)
    assert done.returncode in (0, 2)
    assert done.stderr.count("\n") == (done.returncode == 2), done.stderr


@pytest.fixture(scope="module")
def fuzz_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")
