"""What a user gets from train.py and the scripts beside it: the files, the printed numbers, the pictures."""

import csv
import importlib
import json
import re
import shutil
import sys
from itertools import pairwise

import numpy as np
import pytest
from conftest import OWN_FIGURES, ROOT, call, listing, run_script
from PIL import Image, ImageSequence
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, log_loss

from edge_demo.classifier import EdgeClassifier
from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import load_dataset, write_csv
from edge_demo.datasets.patches import CLASS_NAMES, KIND_NAMES
from edge_demo.network import Dense, ReLU, build_network
from edge_demo.runs.run import FIGURES, FILES, load_run

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
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in FIGURES)
    *_, written, first, second, third = text.splitlines()
    assert f"{len(FILES)} files" in written
    assert {line.split("/")[-1] for line in (first, second, third)} <= {*FILES}


@each_run
def test_what_is_printed_is_a_screen_that_begins_with_data_network_and_gradient_check(fixture, names, request):
    lines = request.getfixturevalue(fixture)[1].splitlines()
    assert len(lines) <= 35
    assert max(map(len, lines)) <= 120
    assert [line.split()[0] for line in lines[:5]] == ["data", "classes", "network", "training", "gradient"]


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


def shown(p):
    return "<0.001" if p < 0.0005 else ">0.999" if p > 0.9995 else f"{p:.3f}"


def test_the_table_shows_all_kinds_with_saved_logits_and_probabilities_and_the_exact_one(trained):
    folder, text = trained
    rows, dataset = predictions(folder), load_dataset(ROOT / "data")
    exact = np.exp(dataset.generator.log_posterior(dataset.test.pixels)[:, 0])
    table = text[text.index("8 test patches") :].splitlines()[4:12]
    assert {line.split()[0] for line in table} == set(KIND_NAMES)
    expected = []
    for row, p in zip(rows, exact, strict=True):
        cells = [row["kind"], row["label"].replace(" ", "_")]
        for stage in ("before", "after"):
            cells += [f"{float(row[f'{stage}_logit_{name}']):.2f}" for name in CLASS_NAMES]
            cells += [shown(float(row[f"{stage}_probability_{name}"])) for name in CLASS_NAMES]
        expected.append([*cells, shown(p)])
    for line in table:
        assert line.replace("No Edge", "No_Edge").split() in expected


def test_a_linear_network_is_no_better_than_guessing_and_a_hidden_layer_is(trained, tmp_path):
    linear = call("train.py", "--hidden", "0", "--no-figures", "--out", tmp_path / "run")
    assert "25-2: 52 parameters" in linear.stdout
    accuracies = []
    for folder in (tmp_path / "run", trained[0]):
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        accuracies.append(metrics["after"]["test_accuracy"])
    assert abs(accuracies[0] - 0.5) < 0.06  # five standard deviations of 2,000 coins
    assert accuracies[1] > 0.8


def test_another_seed_gives_another_network(few, tmp_path):
    for seed in "01":
        flags = ["--data", few, "--epochs", "0", "--no-figures", "--quiet", "--seed", seed]
        assert call("train.py", *flags, "--out", tmp_path / seed).returncode == 0
    assert (tmp_path / "0" / "before.npz").read_bytes() != (tmp_path / "1" / "before.npz").read_bytes()
    assert (tmp_path / "0" / "before.npz").read_bytes() == (tmp_path / "0" / "after.npz").read_bytes()


def test_quiet_prints_nothing_and_no_figures_draws_nothing(small_data, tmp_path):
    flags = ["--quiet", "--no-figures", "--epochs", "1"]
    done = run_script("train.py", "--data", small_data, *flags, "--out", tmp_path / "run")
    assert (done.stdout, done.stderr) == ("", "")
    assert {*listing(tmp_path / "run")} == {*FILES} - {*FIGURES, "08_photograph.png", "explorer.html", "generator.json"}


def test_own_data_without_kinds_or_generator_has_every_figure_and_no_exact_column(small_data, tmp_path):
    done = call("train.py", "--data", small_data, "--hidden", "4", "3", "--epochs", "2", "--out", tmp_path / "run")
    assert (done.returncode, done.stderr) == (0, "")
    assert "25-4-3-2" in done.stdout
    assert "exact" not in done.stdout
    assert {*OWN_FIGURES, "explorer.html"} <= {*listing(tmp_path / "run")}


def test_target_kind_needs_the_kind_column(small_data, tmp_path):
    done = call("train.py", "--data", small_data, "--target", "kind", "--out", tmp_path / "run")
    assert done.returncode == 2
    assert "kind column" in done.stderr


class Softplus:
    def forward(self, inputs):
        self.inputs = inputs
        return np.logaddexp(0, inputs)

    def backward(self, grad_output):
        return grad_output / (1 + np.exp(-self.inputs))


def test_a_layer_that_the_explorer_does_not_know_costs_the_explorer_only(small_data, tmp_path, monkeypatch):
    monkeypatch.setattr("edge_demo.network.ReLU", Softplus)
    text = call("train.py", "--epochs", "1", "--data", small_data, "--out", tmp_path / "run").stdout
    assert "no explorer.html: the explorer knows no Softplus" in text
    assert {*listing(tmp_path / "run")} >= OWN_FIGURES
    assert "explorer.html" not in listing(tmp_path / "run")


# ------------------------------------------------------------------------------------------------ plot_logits.py


@each_run
def test_plot_logits_draws_the_same_bytes_without_training(fixture, names, request, tmp_path):
    folder, _ = request.getfixturevalue(fixture)
    for path in folder.iterdir():
        if path.suffix not in (".png", ".html"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    assert call("plot_logits.py", "--run", tmp_path).returncode == 0
    assert listing(tmp_path) == listing(folder)


@pytest.mark.parametrize("script", ["plot_logits.py", "animate.py"])
def test_without_a_run_it_is_said_what_to_do(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call(script, "--run", tmp_path, *(["--out", "out"] if script == "animate.py" else []))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "train one with scripts/train.py" in done.stderr
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------------------------ plot_softmax.py

NUMBERS_OF_THE_LESSON = ["[2.5 0.5]", "[12.18 1.65]", "[0.88 0.12]", "Edge 88 %, No Edge 12 %", "[0.75 0.25]", "fails"]
NUMBERS_OF_THE_LESSON += ["148 against 20", "bare exp z / sum exp z [nan nan], softmax [0.88 0.12]"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], NUMBERS_OF_THE_LESSON),
        (["--logits", "3.2", "1.3", "0.2"], ["[0.83 0.12 0.04]"]),  # exp 24.53, 3.67 and 1.22 divided by 29.42
        (["--logits", "1000", "998", "-7", "--temperature", "2"], ["[0.73 0.27 0.00]", "nan"]),  # 1 / (1 + 1/e)
    ],
)
def test_plot_softmax_prints_the_numbers_of_the_lesson_and_draws_two_figures(tmp_path, flags, words):
    text = run_script("plot_softmax.py", *flags, "--out", tmp_path).stdout
    for word in words:
        assert word in text
    assert {*listing(tmp_path)} == {"softmax_pipeline.png", "softmax_steps.png"}


def test_plot_softmax_says_which_scores_the_temperature_has_divided(tmp_path):
    text = call("plot_softmax.py", "--logits", "3", "1", "--temperature", "2", "--out", tmp_path).stdout
    assert "exp (z / T)  [4.48 1.65]" in text  # e^1.5 and e^0.5
    assert "(z / T) - 1.5 " in text


def test_plot_softmax_shifts_scores_whose_largest_is_0_no_third_time(tmp_path):
    text = call("plot_softmax.py", "--logits", "0", "-1", "--out", tmp_path).stdout
    assert [text.count(f"  z + {shift} ") for shift in (0, 10)] == [1, 1]
    assert "  z - " not in text


# ------------------------------------------------------------------------------------------------ animate.py


def test_animate_makes_a_gif_of_ten_seconds_that_holds_its_last_picture(few, tmp_path):
    flags = ["--data", few, "--epochs", "4", "--lr", "1", "--no-figures", "--quiet"]
    assert call("train.py", *flags, "--out", tmp_path / "run").returncode == 0
    done = call("animate.py", "--run", tmp_path / "run", "--out", tmp_path)
    assert "training.gif" in done.stdout
    durations, pictures = [], []
    with Image.open(tmp_path / "training.gif") as animation:
        assert animation.info["loop"] == 0
        for frame in ImageSequence.Iterator(animation):
            durations.append(frame.info["duration"])
            pictures.append(np.asarray(frame.convert("L"), dtype=float))
    assert sum(durations) == 10_000
    assert durations[-1] >= 2000
    assert len(durations) > 20
    changes = [np.abs(a - b).mean() for a, b in pairwise(pictures)]
    assert np.median(changes) > 0
    assert np.abs(pictures[-1] - pictures[0]).mean() > 3 * np.median(changes)


def test_balanced_classes_are_trained_as_the_estimator_trains_them_and_resumed(tmp_path):
    patches = PatchGenerator().sample(90, np.random.default_rng(5))
    patches = patches[np.flatnonzero((patches.labels == 0) | (np.arange(90) % 6 == 0))]
    (tmp_path / "data").mkdir()
    for name in ("train.csv", "test.csv"):
        write_csv(tmp_path / "data" / name, patches)
    flags = ["--class-weight", "balanced", "--no-figures", "--quiet", "--out", tmp_path / "run"]
    text = call("train.py", "--data", tmp_path / "data", "--epochs", 2, *flags[:3], *flags[4:]).stdout
    assert re.search("^training  .*, classes balanced$", text, re.M)
    assert call("train.py", "--resume", "--epochs", 4, *flags[2:]).returncode == 0
    train = load_dataset(tmp_path / "data").train
    expected = EdgeClassifier(epochs=4, random_state=0, standardize=False, class_weight="balanced")
    expected.fit(train.pixels, train.labels)
    found = load_run(tmp_path / "run").after.logits(train.pixels)
    np.testing.assert_allclose(found, expected.network_.logits(train.pixels), rtol=1e-9)


def test_of_the_demos_own_patches_only_what_is_out_of_the_ordinary_is_said(tmp_path):
    dataset = load_dataset(ROOT / "data")
    assert dataset.understood == []
    dataset.test.pixels *= 255
    (tmp_path / "data").mkdir()
    for name, patches in (("train.csv", dataset.train[:60]), ("test.csv", dataset.test[:60])):
        write_csv(tmp_path / "data" / name, patches)
    dataset.generator.to_json(tmp_path / "data" / "generator.json")
    flags = ["--epochs", "1", "--no-figures", "--out", tmp_path / "run"]
    text = call("train.py", "--data", tmp_path / "data", *flags).stdout
    assert re.search(r"^ {10}test\.csv: pixels from .* are they on the same scale\?$", text, re.M)
    assert "images of 5×5" not in text
    (tmp_path / "data" / "test.csv").unlink()
    text = call("train.py", "--data", tmp_path / "data", *flags).stdout
    assert re.search(r"^ {10}12 images of train\.csv, about 20 % of each class, are held out to test$", text, re.M)


def test_resuming_where_the_data_have_moved_names_the_flag_that_says_so(few, tmp_path):
    data, out = shutil.copytree(few, tmp_path / "data"), ["--no-figures", "--quiet", "--out", tmp_path / "run"]
    assert call("train.py", "--data", data, "--epochs", "1", *out).returncode == 0
    data.rename(tmp_path / "moved")
    done = call("train.py", "--resume", "--epochs", "2", *out)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--data names where the data are now" in done.stderr
    assert call("train.py", "--resume", "--epochs", "2", "--data", tmp_path / "moved", *out).returncode == 0


@pytest.mark.parametrize("script", ["sweep.py", "study_truth.py", "study_overconfidence.py"])
def test_lists_of_numbers_may_be_joined_by_commas_in_every_script(script, monkeypatch):
    monkeypatch.setattr(sys, "argv", [script, "--hidden", "2,4"])
    assert importlib.import_module("scripts." + script.removesuffix(".py")).parse(sys.argv[1:]).hidden == [2, 4]


def test_sizes_are_those_of_the_layers_that_network_py_builds(few, tmp_path, monkeypatch):
    def twice(inputs, hidden, classes, rng):  # a second Dense and ReLU behind each
        network = build_network(inputs, hidden, classes, rng)
        network.layers[-1:-1] = [Dense(hidden[0], hidden[0], rng), ReLU()]
        return network

    monkeypatch.setattr("train.build_network", twice)
    done = call("train.py", "--data", few, "--hidden", "2", "--epochs", "1", "--out", tmp_path / "run")
    assert "network   25-2-2-2: 64 parameters" in done.stdout
    assert "The network: 25-2-2-2, 64 parameters" in (tmp_path / "run" / "explorer.html").read_text(encoding="utf-8")


def test_a_network_whose_units_all_died_is_called_so_with_a_remedy(few, tmp_path):
    flags = ["--data", few, "--lr", "5", "--hidden", "1", "--batch-size", "8", "--epochs", "60", "--no-figures"]
    text = call("train.py", *flags, "--out", tmp_path / "dead").stdout
    assert np.ptp(load_run(tmp_path / "dead").logits["after"], axis=0).tolist() == [0, 0]
    assert "is dead, none of its units is active on any of them; try --lr 0.5" in text
    text = call("train.py", *flags[:2], *flags[4:], "--out", tmp_path / "alive").stdout
    assert "is dead" not in text


@pytest.mark.parametrize("flags", [["--hidden", "4,3"], ["--hidden", "4", "3"], ["--hidden=4,3"]])
def test_sizes_may_be_given_with_commas_or_spaces_and_optimizers_in_any_case(few, tmp_path, flags):
    flags = [*flags, "--optimizer", "ADAM", "--epochs", "1", "--no-figures"]
    done = call("train.py", "--data", few, *flags, "--out", tmp_path / "run")
    assert "25-4-3-2" in done.stdout
    assert "adam at learning rate" in done.stdout


@pytest.mark.parametrize(
    ("flags", "scores"), [(["2", "-1e-3"], "[2 -0.001]"), (["-1,2"], "[-1 2]"), (["-1.5", "-2", "3e1"], "[-1.5 -2 30]")]
)
@pytest.mark.parametrize("joined", [False, True])
def test_scores_may_be_negative_in_any_form(tmp_path, flags, scores, joined):
    flags = [f"--logits={','.join(flags)}"] if joined else ["--logits", *flags]
    done = call("plot_softmax.py", *flags, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert scores in done.stdout
