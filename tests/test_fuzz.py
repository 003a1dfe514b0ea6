"""No bytes in a CSV file and no flags lead to a traceback: hypothesis looks for some."""

import pytest
from conftest import call

from edge_demo.datasets import InputError, load_dataset

pytest.importorskip("hypothesis", reason="for developers")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HEADER = "label,kind,p00,p01,p10,p11\n"
GOOD = "Edge,vertical,0,1,0,1\nNo Edge,flat,0,0.5,0,0\n"
CHUNKS = [HEADER, GOOD, GOOD, "\n", ",", '"', "nan", "1e400", "\0", "\r", "\ufeff", "é", "☃", "label", "p00", "0", "'"]
CHUNKS += [";", "\t", "1,0,0\n", "0,1,0\n", "0 1 0 1\n", "<", "\x1b"]
FUZZ = {"max_examples": 300, "deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}
TEXTS = st.lists(st.sampled_from(CHUNKS), max_size=8).map(lambda chunks: "".join(chunks).encode())


@settings(**FUZZ)
@given(st.one_of(st.binary(max_size=200), TEXTS, TEXTS.map(lambda text: HEADER.encode() + text)))
def test_bytes_are_a_dataset_or_a_mistake_on_one_line(fuzz_folder, content):
    for name in ("train.csv", "test.csv"):
        (fuzz_folder / name).write_bytes(content)
    for source in (fuzz_folder, fuzz_folder / "train.csv"):
        message = ""
        try:
            load_dataset(source)
        except InputError as error:
            message = str(error)
        assert "\n" not in message


VALUES = ["0", "1", "-1", "3", "1.5", "nan", "inf", "1e400", "", "x", "é", "\udc80", "-", "--", "9" * 25, "1e-9", "0.5"]
NAMES = ["hidden", "epochs", "lr", "batch-size", "seed", "target", "optimizer", "logits", "labels", "temperature", "x"]
USUAL = {"train.py": ["--epochs", "1", "--no-figures"], "plot_softmax.py": []}


@settings(**FUZZ | {"max_examples": 100})
@given(st.sampled_from([*USUAL]), st.lists(st.sampled_from([*VALUES, *(f"--{name}" for name in NAMES)]), max_size=4))
def test_no_flags_lead_to_a_traceback(few, fuzz_folder, script, flags):
    data = ["--data", few] if script == "train.py" else []
    done = call(script, *USUAL[script], *data, "--out", fuzz_folder / "out" / script, *flags)
    assert done.returncode in (0, 2)
    assert done.stderr.count("\n") == (done.returncode == 2), done.stderr


@pytest.fixture(scope="module")
def fuzz_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")
