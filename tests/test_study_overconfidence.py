"""The two studies as a user runs them, and the figure of patches unlike any in training."""

import re

import numpy as np
import pytest
from conftest import ROOT, call

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import load_dataset
from edge_demo.datasets.patches import CLASS_NAMES
from edge_demo.evaluation import loss_parts
from edge_demo.figures.style import percent
from edge_demo.figures.surprises import SENTENCES, surprises
from edge_demo.network import build_network
from edge_demo.optimizers import SGD
from edge_demo.runs.run import load_run
from edge_demo.softmax import log_softmax, softmax
from edge_demo.training import train

SMALL = {"train": 120, "noise": 0.2, "epochs": 80, "hidden": 8, "seed": 3}


def study(folder, **settings):
    """The printed text of a study that must succeed."""
    flags = [word for name, value in settings.items() for word in (f"--{name}", value)]
    done = call("study_overconfidence.py", *flags, "--out", folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    """The printed text of a study without flags."""
    return study(tmp_path_factory.mktemp("default"))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """(folder, printed text) of a short one."""
    folder = tmp_path_factory.mktemp("small") / "new"
    return folder, study(folder, **SMALL)


def numbers(text, name):
    """The numbers behind name, in the line that begins with it."""
    line = next(line for line in text.splitlines() if line.startswith(name))
    return [float(word) for word in re.findall(r"-?\d+(?:\.\d+)?", line.removeprefix(name).replace(",", ""))]


def test_it_writes_both_figures_and_names_them(small):
    folder, text = small
    assert {path.name for path in folder.iterdir()} == {"overconfidence.png", "surprises.png"}
    for path in folder.iterdir():
        assert re.search(rf"^written: .*{path.name}$", text, re.MULTILINE)


def test_trained_too_long_on_too_little_it_is_the_calibration_that_grows_and_a_temperature_mends_it(default):
    best, end, cooled = (
        next(numbers(line, "")[-4:] for line in default.splitlines() if re.match(start, line))
        for start in (r"best: epoch", r"epoch 400", r"the same, T")
    )
    loss, bayes, grouping, calibration = end
    assert loss == pytest.approx(bayes + grouping + calibration, abs=2e-4)
    assert loss > np.log(2) > best[0]  # in the end worse than not knowing
    assert calibration - best[3] > 5 * (grouping - best[2])
    assert cooled[2] == grouping
    assert cooled[3] < 0.05 * calibration


def test_the_printed_parts_are_those_of_a_training_repeated_here(small):
    rng, generator = np.random.default_rng(SMALL["seed"]), PatchGenerator(SMALL["noise"])
    few, _, fresh = (generator.sample(n, rng) for n in (SMALL["train"], 2000, 20_000))
    network = build_network(25, [SMALL["hidden"]], 2, rng)
    truth = generator.log_posterior(fresh.pixels)
    for name, epochs in (("untrained", 0), (f"epoch {SMALL['epochs']}", SMALL["epochs"])):
        train(network, few, epochs=epochs, batch_size=32, optimizer=SGD(0.2), rng=rng)
        log_p = log_softmax(network.logits(fresh.pixels))
        parts = loss_parts(log_p, truth)
        expected = [parts.bayes + parts.excess, parts.bayes, parts.grouping, parts.calibration]
        assert numbers(small[1], name) == [float(f"{value:.4f}") for value in expected]
    sure = np.exp(log_p).max(axis=1) > 0.99
    wrong = (log_p.argmax(axis=1) != fresh.labels)[sure].mean()
    assert f"at the end {100 * sure.mean():.0f} % of the patches get p > 0.99, and {100 * wrong:.0f} %" in small[1]


def test_the_surprises_are_shown_to_the_network_that_train_py_saves(default, trained):
    network, dataset = load_run(trained[0]).after, load_dataset(ROOT / "data")
    row, column = np.indices((5, 5)).reshape(2, -1)
    pixels = {
        "checkerboard": (row + column) % 2,
        "flat, brightness 2": np.full(25, 2.0),
        "edge, contrast −5": np.where(column >= 2, -2.0, 3.0),
        "edge × 10": np.where(column >= 2, 7.5, 2.5),
    }
    usual = [np.linalg.norm(dataset.train.pixels - patch, axis=1).min() for patch in dataset.test.pixels]
    for name, patch in pixels.items():
        z = network.logits(patch[None])
        p, exact = softmax(z)[0], np.exp(dataset.generator.log_posterior(patch[None]))[0]
        distance = np.linalg.norm(dataset.train.pixels - patch, axis=1).min()
        assert distance > max(usual)
        cells = [f"{value:.2f}" for value in z[0]] + [percent(value) for value in (*p, *exact)]
        line = next(line for line in default.splitlines() if line.startswith(name))
        assert line.removeprefix(name).split() == " ".join([*cells, f"{distance / np.median(usual):.1f}"]).split()
    assert f"of which the farthest has {max(usual) / np.median(usual):.1f}" in default


def surprises_figure(scale, farthest):
    rng = np.random.default_rng(0)
    logits = scale * np.array([[1.0, -1.0], [-1.0, 1.0], [0.1, 0.0]])
    exact = np.array([[0.5, 0.5], [0.9, 0.1], [0.0, 1.0]])
    return surprises(["a", "b", "c"], rng.random((3, 25)), logits, exact, [3.0, 4.0, 0.5], 0.5, farthest, CLASS_NAMES)


def test_the_title_counts_the_sure_answers_about_patches_that_are_far_away():
    assert "sure of 2 of 2 patches" in surprises_figure(5, farthest=1.0).get_suptitle()
    assert "sure of 1 of 1 patches" in surprises_figure(5, farthest=3.5).get_suptitle()
    assert "sure of 0 of 2 patches" in surprises_figure(0.5, farthest=1.0).get_suptitle()


def test_why_softmax_cannot_say_none_of_these_stands_on_the_figure_and_in_the_text(default):
    assert "\n".join(SENTENCES) in [text.get_text() for text in surprises_figure(5, 1.0).texts]
    assert "\n".join(SENTENCES) in default
