"""Which figures a run has, in the order of a lesson, and which arrays each one gets."""

from pathlib import Path

import numpy as np

from edge_demo.evaluation import accuracy
from edge_demo.figures.confusion import confusion
from edge_demo.figures.dataset import dataset
from edge_demo.figures.example_patches import example_patches
from edge_demo.figures.hidden_weights import hidden_weights
from edge_demo.figures.logits_vs_probabilities import logits_vs_probabilities
from edge_demo.figures.pipeline import pipeline
from edge_demo.figures.probability_vs_truth import probability_vs_truth
from edge_demo.figures.reliability import reliability
from edge_demo.figures.softmax_steps import softmax_steps
from edge_demo.figures.style import save_figure
from edge_demo.figures.temperature import temperature
from edge_demo.figures.training_curves import training_curves
from edge_demo.network import Dense
from edge_demo.patches import CLASS_NAMES, EDGE_KINDS, KIND_NAMES
from edge_demo.softmax import cross_entropy


def figures_of(run):
    """Yields (file name, Figure) for every figure of a run (an edge_demo.runs.Run)."""
    test, names, classes = run.test, run.test.class_names, len(run.test.class_names)
    before, after = run.logits["before"], run.logits["after"]
    examples = run.examples()
    shown = test[examples]
    truth = run.log_posterior  # None where nobody knows it
    bayes = {} if truth is None else {"bayes_loss": cross_entropy(truth, test.labels)}
    bayes |= {} if truth is None else {"bayes_accuracy": accuracy(truth, test.labels)}
    exact = None if truth is None else np.exp(truth[examples])
    deep = len(run.settings["hidden"]) > 1  # then no weights lead straight from the first layer's units to the classes
    weights = (*_weights(run.before), *_weights(run.after))

    yield "01_dataset", _dataset(test)
    yield "02_pipeline", _pipeline(run, examples[0])
    yield "03_softmax_steps", softmax_steps(after[examples[0]], names)
    yield "04_logits_vs_probabilities", logits_vs_probabilities(before, after, test.labels, names)
    yield (
        "05_example_patches",
        example_patches(shown.pixels, shown.labels, before[examples], after[examples], names, true_probabilities=exact),
    )
    yield "06_training_curves", training_curves(**vars(run.history), classes=classes, **bayes)
    yield "07_hidden_weights", hidden_weights(*weights, () if deep else names, test.side)
    yield "08_confusion", confusion(test.labels, before.argmax(axis=1), after.argmax(axis=1), names)
    yield "09_temperature", temperature(after[examples[0]], names)
    yield "10_reliability", reliability(run.reliability, names[0] if classes == 2 else "predicted class")
    if truth is not None and classes == 2:
        log_odds = (values[:, 0] - values[:, 1] for values in (truth, before, after))
        yield "11_probability_vs_truth", probability_vs_truth(*log_odds, test.labels, names)


def save_figures(run, folder):
    """Draws every figure into folder as a numbered PNG file; returns the names."""
    names = []
    for name, figure in figures_of(run):
        names.append(f"{name}.png")
        save_figure(figure, Path(folder) / names[-1])
    return names


def _dataset(test):
    if test.kinds is None:
        return dataset(test.pixels, test.labels, test.class_names)
    classes = [CLASS_NAMES[int(kind >= EDGE_KINDS)] for kind in range(len(KIND_NAMES))]
    return dataset(test.pixels, test.kinds, KIND_NAMES, group_classes=classes)


def _pipeline(run, i):
    pixels = run.test.pixels[i : i + 1]
    logits = run.after.logits(pixels)[0]
    dense = [layer for layer in run.after.layers if isinstance(layer, Dense)]
    activations = [layer.inputs_and_1[0, :-1] for layer in dense[1:]]  # what each Dense after the first was given
    return pipeline(pixels[0], activations, logits, run.test.class_names)


def _weights(network):
    """Weights of the first Dense layer, and those that lead from its units to the logits (None for other depths)."""
    dense = [layer.weights for layer in network.layers if isinstance(layer, Dense)]
    return dense[0], dense[1] if len(dense) == 2 else None
