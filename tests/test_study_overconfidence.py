"""The study as a user runs it, and the figure of patches unlike any in training."""

import re

import numpy as np
import pytest
from conftest import call

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.evaluation import loss_parts
from edge_demo.network import build_network
from edge_demo.optimizers import SGD
from edge_demo.softmax import log_softmax
from edge_demo.training import train

SMALL = {"train": 120, "noise": 0.2, "epochs": 80, "hidden": 8, "seed": 0}


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """What a short study prints."""
    flags = [word for name, value in SMALL.items() for word in (f"--{name}", value)]
    folder = tmp_path_factory.mktemp("study") / "new"
    done = call("study_overconfidence.py", *flags, "--out", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in folder.iterdir()} == {"overconfidence.png", "surprises.png"}
    return done.stdout


def numbers(text, name):
    """The numbers behind name, in the line that begins with it."""
    line = next(line for line in text.splitlines() if line.startswith(name))
    return [float(word) for word in re.findall(r"-?\d+(?:\.\d+)?", line.removeprefix(name).replace(",", ""))]


def test_the_printed_parts_are_those_of_a_training_repeated_here_and_a_temperature_mends_the_calibration(text):
    rng, generator = np.random.default_rng(SMALL["seed"]), PatchGenerator(SMALL["noise"])
    few, _, fresh = (generator.sample(n, rng) for n in (SMALL["train"], 2000, 20_000))
    network = build_network(25, [SMALL["hidden"]], 2, rng)
    truth = generator.log_posterior(fresh.pixels)
    for name, epochs in (("untrained", 0), (f"epoch {SMALL['epochs']}", SMALL["epochs"])):
        train(network, few, epochs=epochs, batch_size=32, optimizer=SGD(0.2), rng=rng)
        log_p = log_softmax(network.logits(fresh.pixels))
        parts = loss_parts(log_p, truth)
        expected = [parts.bayes + parts.excess, parts.bayes, parts.grouping, parts.calibration]
        assert numbers(text, name) == [float(f"{value:.4f}") for value in expected]
    sure = np.exp(log_p).max(axis=1) > 0.99
    wrong = (log_p.argmax(axis=1) != fresh.labels)[sure].mean()
    assert f"at the end {sure.mean():.0%} of the patches get p > 0.99, and {wrong:.0%} of these are wrong" in text
    *_, grouping, calibration = numbers(text, "the same, T")
    assert grouping == float(f"{parts.grouping:.4f}")
    assert calibration < 0.1 * parts.calibration
