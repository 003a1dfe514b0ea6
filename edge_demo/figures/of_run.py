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
    """A dict from file name to a function that draws the Figure, for every figure of a run (an edge_demo.runs.Run).

    Where run.evaluation is still empty, what it takes to draw the reliability is missing, and so is that figure.
    """
    test, names, classes = run.test, run.test.class_names, len(run.test.class_names)
    before, after, truth = run.logits["before"], run.logits["after"], run.log_posterior
    example = run.examples()[0]
    figures = {
        "01_dataset": lambda: _dataset(test),
        "02_pipeline": lambda: _pipeline(run, example),
        "03_softmax_steps": lambda: softmax_steps(after[example], names),
        "04_logits_vs_probabilities": lambda: logits_vs_probabilities(before, after, test.labels, names),
        "05_example_patches": lambda: _example_patches(run),
        "06_training_curves": lambda: _training_curves(run),
        "07_hidden_weights": lambda: _hidden_weights(run),
        "08_confusion": lambda: confusion(test.labels, before.argmax(axis=1), after.argmax(axis=1), names),
        "09_temperature": lambda: temperature(after[example], names),
    }
    if run.evaluation:
        one = names[0] if classes == 2 else "predicted class"
        figures["10_reliability"] = lambda: reliability(run.reliability, one)
    if truth is not None and classes == 2:
        log_odds = [values[:, 0] - values[:, 1] for values in (truth, before, after)]
        figures["11_probability_vs_truth"] = lambda: probability_vs_truth(*log_odds, test.labels, names)
    return figures


def save_figures(run, folder, without=()):
    """Draws every figure that is not among the files without into folder, as a numbered PNG file; returns the names."""
    figures = {f"{name}.png": draw for name, draw in figures_of(run).items() if f"{name}.png" not in without}
    for name, draw in figures.items():
        save_figure(draw(), Path(folder) / name)
    return list(figures)


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


def _example_patches(run):
    examples = run.examples()
    shown, before, after = run.test[examples], run.logits["before"][examples], run.logits["after"][examples]
    exact = None if run.log_posterior is None else np.exp(run.log_posterior[examples])
    return example_patches(shown.pixels, shown.labels, before, after, run.test.class_names, true_probabilities=exact)


def _training_curves(run):
    truth, labels, bayes = run.log_posterior, run.test.labels, {}
    if truth is not None:
        bayes = {"bayes_loss": cross_entropy(truth, labels), "bayes_accuracy": accuracy(truth, labels)}
    return training_curves(**vars(run.history), classes=len(run.test.class_names), **bayes)


def _hidden_weights(run):
    deep = len(run.settings["hidden"]) > 1  # then no weights lead straight from the first layer's units to the classes
    weights = (*_weights(run.before), *_weights(run.after))
    return hidden_weights(*weights, () if deep else run.test.class_names, run.test.side)


def _weights(network):
    """Weights of the first Dense layer, and those that lead from its units to the logits (None for other depths)."""
    dense = [layer.weights for layer in network.layers if isinstance(layer, Dense)]
    return dense[0], dense[1] if len(dense) == 2 else None
