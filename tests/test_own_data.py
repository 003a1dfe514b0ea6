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
from sklearn.model_selection import train_test_split

from edge_demo.datasets.loading import load_dataset, write_csv
from edge_demo.datasets.patches import Patches
from edge_demo.figures.animation import animation
from edge_demo.figures.certainty import certainty
from edge_demo.figures.of_run import FIGURES, save_figures
from edge_demo.figures.style import in_square
from edge_demo.runs.run import load_run


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def write_folder(folder, pixels, labels, names):
    folder.mkdir()
    train, test = train_test_split(np.arange(len(labels)), random_state=0, stratify=labels, test_size=0.3)
    for name, part in (("train", train), ("test", test)):
        write_csv(folder / f"{name}.csv", Patches(pixels[part], labels[part], class_names=names))
    return folder


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """(data folder, run folder, printed text) of a training on scikit-learn's digits, figures included."""
    folder = tmp_path_factory.mktemp("digits")
    pixels, labels = load_digits(return_X_y=True)
    data = write_folder(folder / "data", pixels / 16, labels, tuple(map(str, range(10))))
    done = run_script("train.py", "--data", data, "--hidden", "32", "--epochs", "15", "--out", folder / "run")
    return data, folder / "run", done.stdout


def test_digits_go_from_a_folder_to_a_run_and_from_there_to_predictions(digits):
    data, run, text = digits
    assert "of 8×8 pixels" in text
    assert "64-32-10" in text
    assert {path.name for path in run.glob("*.png")} == OWN_FIGURES
    done = run_script("predict.py", "--run", run, data / "test.csv")
    assert done.stderr == ""
    rows = rows_of(done.stdout)
    names = [str(digit) for digit in range(10)]
    test = load_dataset(data).test
    z, p = (np.array([[float(row[f"{what}_{k}"]) for k in names] for row in rows]) for what in ("logit", "probability"))
    assert list(rows[0]) == [f"{what}_{k}" for what in ("logit", "probability") for k in names] + ["class"]
    np.testing.assert_allclose(p, softmax(z, axis=1), rtol=1e-12)
    np.testing.assert_allclose(z, load_run(run).after.logits(test.pixels), rtol=1e-9, atol=1e-12)
    assert [row["class"] for row in rows] == [names[k] for k in z.argmax(axis=1)]
    train = load_dataset(data).train
    linear = LogisticRegression(max_iter=1000).fit(train.pixels, train.labels).score(test.pixels, test.labels)
    assert (z.argmax(axis=1) == test.labels).mean() > linear - 0.02


def test_a_file_and_standard_input_give_the_same_on_standard_output_and_in_a_file(digits, tmp_path):
    data, run, _ = digits
    text = (data / "test.csv").read_text(encoding="utf-8")
    unlabelled = "\n".join(line.partition(",")[2] for line in text.splitlines())
    from_input = call("predict.py", "--run", run, "-", stdin=unlabelled.encode()).stdout
    assert call("predict.py", "--run", run, data / "test.csv", "--out", tmp_path / "predictions.csv").stdout == ""
    saved = (tmp_path / "predictions.csv").read_text(encoding="utf-8")
    assert from_input == saved == call("predict.py", "--run", run, data / "test.csv").stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("p00,p01,p10,p11\n1,2,3,4\n", "has 4 pixels an image, but 64 were trained on"),
        ("p00,p01,p10,p11\n1,2,3,x\n", "line 2, column p11: 'x' is not a pixel"),
        ("", "is empty"),
        ("HEADER\n", "holds no images"),
    ],
)
@pytest.mark.parametrize("source", ["file", "input"])
def test_what_cannot_be_predicted_is_refused_in_one_line_and_nothing_is_written(digits, tmp_path, source, text, words):
    data, run, _ = digits
    text = text.replace("HEADER", (data / "test.csv").read_text(encoding="utf-8").partition("\n")[0])
    (tmp_path / "new.csv").write_text(text, encoding="utf-8")
    path = "-" if source == "input" else tmp_path / "new.csv"
    done = call("predict.py", "--run", run, path, stdin=text.encode())
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert words in line
    assert ("standard input" if source == "input" else "new.csv") in line


NAMES = ("a name far too long to be shown in full anywhere, number 1", "a name far too long … number 2")
NAMES += ("$\\frac{1}{2}$", "<b>bold</b>", "Ünïcödé", "50 % _off_", "-", "{x}")


def assert_nothing_is_cut(figures):
    for name, figure in figures.items():
        figure.savefig(io.BytesIO(), format="png")  # now every text has its place
        extent, (width, height) = figure.get_tightbbox().extents, figure.get_size_inches()
        assert (extent[:2] > -0.01).all(), (name, "is cut at the left or below", extent)
        assert (extent[2:] < (width + 0.01, height + 0.01)).all(), (name, "is cut at the right or above", extent)


@pytest.mark.parametrize(("classes", "side"), [(50, 5), (3, 1)])
def test_every_figure_is_drawn_for_any_size_and_number_of_classes(tmp_path, classes, side):
    names = tuple(f"class number {k} of fifty" for k in range(classes))
    rng = np.random.default_rng(0)
    labels = np.arange(classes * 6) % classes
    data = write_folder(tmp_path / "data", rng.random((len(labels), side * side)), labels, names)
    flags = ["--epochs", "2", "--hidden", "3", "--no-figures", "--out", tmp_path / "run"]
    done = call("train.py", "--data", data, *flags)
    assert f"{side}×{side} pixels" in done.stdout
    run = load_run(tmp_path / "run")
    assert set(run.settings["class_names"]) == set(names)
    names, notes = save_figures(run, tmp_path)
    assert {*names} == OWN_FIGURES
    assert not notes
    assert_nothing_is_cut({name: FIGURES[name](run) for name in names})


@pytest.mark.parametrize(("classes", "shape"), [(2, (20, 30)), (2, (40, 1)), (8, (1, 40))])
def test_every_figure_is_drawn_for_any_names_and_images_of_any_shape(classes, shape):
    rng = np.random.default_rng(0)
    labels = np.arange(classes * 9) % classes
    pixels = rng.random((len(labels), shape[0] * shape[1]))
    run = make_run(Patches(pixels, labels, None, NAMES[:classes], shape))
    run.settings["data"]["class_counts"] = [6] * classes
    assert_nothing_is_cut({name: draw(run) for name, draw in FIGURES.items() if name != "08_photograph.png"})
    p = np.linspace(0, 1, len(run.test))
    assert_nothing_is_cut({"certainty": certainty(run.test.pixels, p, NAMES[0], shape)})


@pytest.mark.parametrize("names", [("Edge", "No Edge"), NAMES[:2], NAMES])
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


@pytest.mark.parametrize("shape", [(1, 1000), (1000, 1)])
def test_a_single_line_of_pixels_fills_a_quarter_of_its_square(shape):
    image = in_square(np.zeros(1000), shape, 1)
    assert (image == 0).mean() == 0.25
    assert image.size <= 40_000
