"""A user's own images: scikit-learn's digits, and names of every sort, in train.py, its figures and predict.py."""

import csv
import io

import numpy as np
import pytest
from conftest import OWN_FIGURES, call, run_script
from explorer_runs import make_run
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from edge_demo.datasets import Patches, load_dataset
from edge_demo.figures.animation import animation
from edge_demo.figures.certainty import certainty
from edge_demo.figures.of_run import FIGURES
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

STRANGE = ("a name far too long to be shown in full anywhere, number 1", "a name far too long … number 2")
STRANGE += ("$\\frac{1}{2}$", "<b>bold</b>", "Ünïcödé", "50 % _off_", "-", "{x}")
MANY = tuple(f"class number {k} of fifty" for k in range(50))


def assert_nothing_is_cut(figures):
    for name, figure in figures.items():
        figure.savefig(io.BytesIO(), format="png")  # now every text has its place
        extent, (width, height) = figure.get_tightbbox().extents, figure.get_size_inches()
        assert (extent[:2] > -0.01).all(), (name, "is cut at the left or below", extent)
        assert (extent[2:] < (width + 0.01, height + 0.01)).all(), (name, "is cut at the right or above", extent)


@pytest.mark.parametrize(
    ("names", "shape"), [(MANY, (5, 5)), (STRANGE[:3], (1, 1)), (STRANGE[:2], (20, 30)), (STRANGE, (1, 40))]
)
def test_every_figure_is_drawn_for_any_names_and_images_of_any_shape(names, shape):
    labels = np.arange(len(names) * 9) % len(names)
    pixels = np.random.default_rng(0).random((len(labels), shape[0] * shape[1]))
    run = make_run(Patches(pixels, labels, None, names, shape))
    run.settings["data"]["class_counts"] = [6] * len(names)
    assert_nothing_is_cut({name: FIGURES[name](run) for name in OWN_FIGURES})
    p = np.linspace(0, 1, len(run.test))
    assert_nothing_is_cut({"certainty": certainty(run.test.pixels, p, names[0], shape)})


@pytest.mark.parametrize("names", [("Edge", "No Edge"), STRANGE[:2], STRANGE])
@pytest.mark.parametrize("largest", [1, 10, 100])  # whose ticks are of several widths
def test_nothing_of_an_animation_is_cut(names, largest):
    rng = np.random.default_rng(0)
    logits, labels = largest * rng.uniform(-1, 1, (3, 60, len(names))), np.arange(60) % len(names)
    figure, draw = animation([0, 0.2, 40], logits, labels, names, [0.7, 0.5, 0.3], [0.5, 0.9, 1.0])
    draw(1.5)
    assert_nothing_is_cut({"animation": figure})


def test_a_patch_is_drawn_in_its_rows_and_columns():
    left = np.zeros((3, 6))
    left[:, :2] = 1
    image = in_square(left.ravel(), (3, 6), 0.5)
    row, column = np.nonzero(image == 1)
    size = len(image)
    assert (row.min() / size, (row.max() + 1) / size) == (0.25, 0.75)
    assert (column.min() / size, (column.max() + 1) / size) == pytest.approx((0, 1 / 3))
    assert (image == 0.5).mean() == 0.5  # above and below
