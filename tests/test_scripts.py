"""What a user gets from train.py and the scripts beside it: the files, the printed numbers, the pictures."""

import csv
import json
from itertools import pairwise

import numpy as np
import pytest
from conftest import ROOT, call, listing, run_script
from PIL import Image, ImageSequence
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, log_loss

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import load_dataset, write_csv
from edge_demo.datasets.patches import CLASS_NAMES, KIND_NAMES
from edge_demo.evaluation.scores import probability_text
from edge_demo.runs.run import FILES

each_run = pytest.mark.parametrize(("fixture", "names"), [("trained", CLASS_NAMES), ("trained_kinds", KIND_NAMES)])


def predictions(folder):
    with open(folder / "predictions.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def columns(rows, prefix, names):
    return np.array([[float(row[f"{prefix}_{name}"]) for name in names] for row in rows])


@pytest.fixture
def small_data(tmp_path):
    """A dataset folder of few patches, without kinds or generator.json, as a user might bring it."""
    rng = np.random.default_rng(3)
    (tmp_path / "data").mkdir()
    for name in ("train.csv", "test.csv"):
        patches = PatchGenerator().sample(60, rng)
        patches.kinds = None
        write_csv(tmp_path / "data" / name, patches)
    return tmp_path / "data"


# ------------------------------------------------------------------------------------------------ train.py


@each_run
def test_a_run_leaves_every_file_and_names_the_first_three_to_open(fixture, names, request):
    folder, text = request.getfixturevalue(fixture)
    assert {path.name for path in folder.iterdir()} == {*FILES}
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in FILES if name.endswith(".png"))
    *_, written, first, second, third = text.splitlines()
    assert f"{len(FILES)} files" in written
    assert {line.split("/")[-1] for line in (first, second, third)} <= {*FILES}


@each_run
def test_what_is_printed_is_a_screen_that_begins_with_data_network_and_checks(fixture, names, request):
    lines = request.getfixturevalue(fixture)[1].splitlines()
    assert len(lines) <= 35
    assert max(map(len, lines)) <= 120
    assert [line.split()[0] for line in lines[:5]] == ["data", "classes", "network", "training", "checks"]


@each_run
def test_the_printed_loss_and_accuracy_are_those_of_the_saved_predictions(fixture, names, request):
    folder, text = request.getfixturevalue(fixture)
    rows, dataset = predictions(folder), load_dataset(ROOT / "data")
    labels = np.array([names.index(row["label"]) for row in rows])
    target = "label" if names is CLASS_NAMES else "kind"
    np.testing.assert_array_equal(labels, dataset.test.labels if target == "label" else dataset.test.kinds)
    train_labels = dataset.train.labels if target == "label" else dataset.train.kinds
    guessing = DummyClassifier(strategy="prior").fit(dataset.train.pixels, train_labels)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))

    probabilities = []
    for stage in ("before", "after"):
        logits = columns(rows, f"{stage}_logit", names)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        found = columns(rows, f"{stage}_probability", names)
        np.testing.assert_allclose(found, exponentials / exponentials.sum(axis=1, keepdims=True), rtol=1e-12)
        assert metrics[stage]["test_loss"] == pytest.approx(log_loss(labels, found), rel=1e-9)
        probabilities.append(found)
    probabilities.append(guessing.predict_proba(dataset.test.pixels))
    probabilities.append(np.exp(dataset.generator.log_posterior(dataset.test.pixels, target)))
    losses = [log_loss(labels, p) for p in probabilities]
    accuracies = [accuracy_score(labels, p.argmax(axis=1)) for p in probabilities]
    for name, values in (("test cross-entropy, nats", losses), ("test accuracy", accuracies)):
        (line,) = [line for line in text.splitlines() if line.startswith(name)]
        assert line.removeprefix(name).split() == [f"{value:.4f}" for value in values]


def test_the_table_shows_all_kinds_with_saved_logits_and_probabilities_and_the_exact_one(trained):
    folder, text = trained
    rows, dataset = predictions(folder), load_dataset(ROOT / "data")
    exact = np.exp(dataset.generator.log_posterior(dataset.test.pixels)[:, 0])
    table = text[text.index("8 test patches") :].splitlines()[3:11]
    assert {line.split()[0] for line in table} == set(KIND_NAMES)
    assert "most wrong" in table[-1]
    expected = []
    for row, p in zip(rows, exact, strict=True):
        cells = [row["kind"], row["label"].replace(" ", "_")]
        for stage in ("before", "after"):
            cells += [f"{float(row[f'{stage}_logit_{name}']):.2f}" for name in CLASS_NAMES]
            cells += [probability_text(float(row[f"{stage}_probability_{name}"])) for name in CLASS_NAMES]
        expected.append([*cells, probability_text(p)])
    for line in table:
        assert line.replace("No Edge", "No_Edge").replace("(most wrong)", "").split() in expected


def test_quiet_prints_nothing_and_no_figures_draws_nothing(small_data, tmp_path):
    flags = ["--quiet", "--no-figures", "--epochs", "1"]
    done = run_script("train.py", "--data", small_data, *flags, "--out", tmp_path / "run")
    assert done.stdout == ""
    assert {*listing(tmp_path / "run")} == {name for name in FILES if name.endswith((".json", ".csv", ".npz"))} - {
        "generator.json"
    }


class Softplus:
    def forward(self, inputs):
        self.inputs = inputs
        return np.logaddexp(0, inputs)

    def backward(self, grad_output):
        return grad_output / (1 + np.exp(-self.inputs))


# ------------------------------------------------------------------------------------------------ plot_logits.py


def test_plot_logits_draws_the_same_bytes_without_training(trained, tmp_path):
    folder, _ = trained
    for path in folder.iterdir():
        if path.suffix not in (".png", ".html"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    assert call("plot_logits.py", "--run", tmp_path).returncode == 0
    assert listing(tmp_path) == listing(folder)


# ------------------------------------------------------------------------------------------------ plot_softmax.py


@pytest.mark.parametrize(
    ("flags", "lines"),
    [
        ([], [["12.18", "1.65"], ["0.88", "0.12"], ["2.00", "-1.00", "2.00", "-1.00", "0.95", "0.05"]]),
        (["--logits", "3.2", "1.3", "0.2"], [["0.83", "0.12", "0.04"]]),  # exp 24.53, 3.67 and 1.22 divided by 29.42
        (["--logits", "1000", "998", "-7", "--temperature", "2"], [["0.73", "0.27", "0.00"]]),  # 1 / (1 + 1/e)
        (["--logits", "-1000", "-998"], [["0.14", "1.00"], ["0.12", "0.88"]]),  # of exp(z + 998)
        (["--logits", "3", "1", "--temperature", "2"], [["1.50", "0.50"], ["4.48", "1.65"]]),  # e^1.5 and e^0.5
    ],
)
def test_plot_softmax_prints_the_numbers_of_the_lesson_and_draws_two_figures(tmp_path, flags, lines):
    text = call("plot_softmax.py", *flags, "--out", tmp_path).stdout
    for numbers in lines:
        assert any(line.split()[-len(numbers) :] == numbers for line in text.splitlines())
    assert {*listing(tmp_path)} == {"softmax_pipeline.png", "softmax_steps.png"}


# ------------------------------------------------------------------------------------------------ animate.py


def test_animate_makes_a_gif_that_moves_evenly_and_holds_its_last_picture(few, tmp_path):
    flags = ["--data", few, "--epochs", "2", "--lr", "1", "--no-figures", "--quiet"]
    assert call("train.py", *flags, "--out", tmp_path / "run").returncode == 0
    done = call("animate.py", "--run", tmp_path / "run", "--out", tmp_path)
    assert "training.gif" in done.stdout
    durations, pictures = [], []
    with Image.open(tmp_path / "training.gif") as animation:
        assert animation.info["loop"] == 0
        for frame in ImageSequence.Iterator(animation):
            durations.append(frame.info["duration"])
            pictures.append(np.asarray(frame.convert("L"), dtype=float))
    assert all(duration % 50 == 0 for duration in durations)  # pictures that do not differ are one, for longer
    assert durations[-1] >= 2000
    assert len(durations) > 8
    changes = [np.abs(a - b).mean() for a, b in pairwise(pictures)]
    assert np.median(changes) > 0
    assert np.abs(pictures[-1] - pictures[0]).mean() > 3 * np.median(changes)
