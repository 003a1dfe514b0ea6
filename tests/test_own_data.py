"""A user's own images: scikit-learn's digits, and names of every sort, in train.py, its figures and predict.py."""

import csv
import io

import numpy as np
import pytest
from conftest import OWN_FIGURES, call, run_script
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from edge_demo.datasets import load_dataset
from edge_demo.figures.style import in_square
from edge_demo.runs.run import load_run

NAMES = [str(digit) for digit in range(10)]
HEADER = ",".join(f"pixel{i}" for i in range(64))


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """(path of the data, folder of the run, printed text) of a training on digits as Kaggle has them, with figures."""
    folder = tmp_path_factory.mktemp("digits")
    pixels, labels = load_digits(return_X_y=True)
    table = np.column_stack([labels, pixels])
    np.savetxt(folder / "digits.csv", table, fmt="%d", delimiter=",", header=f"label,{HEADER}", comments="")
    flags = ["--hidden", "32", "--epochs", "15", "--test-share", "0.3", "--out", folder / "run"]
    done = run_script("train.py", "--data", folder / "digits.csv", *flags)
    return folder / "digits.csv", folder / "run", done.stdout


def test_digits_go_from_a_file_to_a_run_and_from_there_to_predictions(digits):
    path, folder, text = digits
    data, run = load_dataset(path, test_share=0.3), load_run(folder)
    for line in (*data.understood, "64-32-10"):
        assert line in text
    assert {path.name for path in folder.glob("*.png")} == OWN_FIGURES
    np.testing.assert_array_equal(run.test.pixels, data.test.pixels)
    assert run.test.pixels.max() == 1
    rows = list(csv.DictReader(io.StringIO(call("predict.py", "--run", folder, path).stdout)))
    assert list(rows[0]) == [f"{what}_{k}" for what in ("logit", "probability") for k in NAMES] + ["class"]
    z, p = (np.array([[float(row[f"{what}_{k}"]) for k in NAMES] for row in rows]) for what in ("logit", "probability"))
    np.testing.assert_allclose(p, softmax(z, axis=1), rtol=1e-12)
    np.testing.assert_allclose(z[data.test_rows - 1], run.after.logits(data.test.pixels), rtol=1e-9, atol=1e-12)
    assert [row["class"] for row in rows] == [NAMES[k] for k in z.argmax(axis=1)]
    linear = LogisticRegression(max_iter=1000).fit(data.train.pixels, data.train.labels)
    learned = (z[data.test_rows - 1].argmax(axis=1) == data.test.labels).mean()
    assert learned > linear.score(data.test.pixels, data.test.labels) - 0.02


def test_predictions_need_no_labels_and_are_the_same_from_standard_input_and_into_a_file(digits, tmp_path):
    path, run, _ = digits
    expected = call("predict.py", "--run", run, path).stdout
    rows = [line.partition(",")[2] for line in path.read_text(encoding="utf-8").splitlines()]
    for bare in (rows, rows[1:]):  # with and without the header
        assert call("predict.py", "--run", run, "-", stdin="\n".join(bare).encode()).stdout == expected
    assert call("predict.py", "--run", run, path, "--out", tmp_path / "predictions.csv").stdout == ""
    assert (tmp_path / "predictions.csv").read_text(encoding="utf-8") == expected


def test_new_images_on_another_scale_are_answered_with_a_warning(digits):
    _, run, _ = digits
    done = call("predict.py", "--run", run, "-", stdin=f"{HEADER}\n{'0.5,0.25' + ',0' * 62}\n".encode())
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert done.stderr == (
        "predict.py: warning: standard input: pixels from 0 to 0.5, but 0 to 16 in training: are they on the same "
        "scale?\n"
    )


# ------------------------------------------------------------------------------------------------ figures


def test_a_patch_is_drawn_in_its_rows_and_columns():
    left = np.zeros((3, 6))
    left[:, :2] = 1
    image = in_square(left.ravel(), (3, 6), 0.5)
    row, column = np.nonzero(image == 1)
    size = len(image)
    assert (row.min() / size, (row.max() + 1) / size) == (0.25, 0.75)
    assert (column.min() / size, (column.max() + 1) / size) == pytest.approx((0, 1 / 3))
    assert (image == 0.5).mean() == 0.5  # above and below
