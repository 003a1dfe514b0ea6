"""Which figures a run has, in the order of a lesson, and which arrays each one gets."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from edge_demo.datasets.patches import CLASS_NAMES, EDGE_KINDS, KIND_NAMES
from edge_demo.evaluation import accuracy, class_margins, guessing
from edge_demo.figures.dataset import dataset
from edge_demo.figures.example_patches import example_patches
from edge_demo.figures.hidden_weights import hidden_weights
from edge_demo.figures.logits_vs_probabilities import logits_vs_probabilities
from edge_demo.figures.photograph import photograph, photograph_kinds
from edge_demo.figures.pipeline import pipeline
from edge_demo.figures.softmax_steps import softmax_steps
from edge_demo.figures.style import save_figure
from edge_demo.figures.training_curves import training_curves
from edge_demo.network import Dense
from edge_demo.photographs import default_photograph, edge_map, read_image, sobel_magnitude
from edge_demo.runs.run import layer_sizes
from edge_demo.softmax import cross_entropy


def figures_of(run):
    """A dict from file name to a function that draws the Figure, for every figure of a run (an edge_demo.runs.Run)."""
    test, names = run.test, run.test.class_names
    before, after = run.logits["before"], run.logits["after"]
    example = run.examples()[0]
    figures = {
        "01_dataset.png": lambda: _dataset(test),
        "02_pipeline.png": lambda: _pipeline(run, example),
        "03_softmax_steps.png": lambda: softmax_steps(after[example], names),
        "04_logits_vs_probabilities.png": lambda: logits_vs_probabilities(before, after, test.labels, names),
        "05_example_patches.png": lambda: _example_patches(run),
        "06_training_curves.png": lambda: _training_curves(run),
        "07_hidden_weights.png": lambda: _hidden_weights(run),
    }
    if run.generator is not None:  # of other patches nobody knows what they should find in a photograph
        figures["08_photograph.png"] = lambda: _photograph(run)
    return figures


def save_figures(run, folder):
    """Draws every figure into folder, as a numbered PNG file; returns their names, and notes."""
    figures = figures_of(run)
    for name, draw in figures.items():
        save_figure(draw(), Path(folder) / name)
    return list(figures), []


def _dataset(test):
    if test.kinds is None:
        return dataset(test.pixels, test.labels, test.class_names, shape=test.shape)
    classes = [CLASS_NAMES[int(kind >= EDGE_KINDS)] for kind in range(len(KIND_NAMES))]
    return dataset(test.pixels, test.kinds, KIND_NAMES, classes, test.shape)


def _pipeline(run, i):
    activations, hidden = run.test.pixels[i : i + 1], []
    for layer in run.after.layers:
        if isinstance(layer, Dense):
            hidden.append(activations[0])
        activations = layer.forward(activations)
    # the first Dense is given the pixels, each other one the activations of a hidden layer
    return pipeline(run.test.pixels[i], hidden[1:], activations[0], run.test.class_names, run.test.shape)


def _example_patches(run):
    examples = run.examples()
    shown, before, after = run.test[examples], run.logits["before"][examples], run.logits["after"][examples]
    exact = None if run.log_posterior is None else np.exp(run.log_posterior[examples])
    return example_patches(shown.pixels, shown.labels, before, after, shown.class_names, exact, shown.shape)


def _training_curves(run):
    truth, labels, counts = run.log_posterior, run.test.labels, run.settings["data"]["class_counts"]
    guess = guessing(counts, len(labels))
    references = {"guess_loss": cross_entropy(guess, labels), "guess_accuracy": accuracy(guess, labels)}
    if truth is not None:
        references |= {"bayes_loss": cross_entropy(truth, labels), "bayes_accuracy": accuracy(truth, labels)}
    return training_curves(**asdict(run.history), class_counts=counts, **references)


def _hidden_weights(run):
    deep = (
        len(layer_sizes(run.after, run.test.pixels.shape[1])) > 3
    )  # then no weights lead straight from the first layer's units to the classes
    weights = (*_weights(run.before), *_weights(run.after))
    return hidden_weights(*weights, () if deep else run.test.class_names, run.test.shape)


def _weights(network):
    """Weights of the first Dense layer, and those that lead from its units to the logits (None for other depths)."""
    dense = [layer.weights for layer in network.layers if isinstance(layer, Dense)]
    return dense[0], dense[1] if len(dense) == 2 else None


def _photograph(run):
    grey = read_image(default_photograph(), largest=300)
    if len(run.test.class_names) == 2:
        return photograph(grey, sobel_magnitude(grey), log_odds_maps(run, grey), run.test.class_names[0])
    maps = [edge_map(network.probabilities, grey, run.test.shape) for network in (run.before, run.after)]
    return photograph_kinds(grey, *maps, run.test.class_names)


def log_odds_maps(run, grey, k=0):
    """A dict from "before", "after" and, where it is known, "exact", to log-odds of class k at each pixel of an image.

    grey, and each map: (height, width).
    """
    predictors = {"before": run.before.logits, "after": run.after.logits}
    if run.generator is not None:
        predictors["exact"] = lambda pixels: run.generator.log_posterior(pixels, run.settings["target"])
    return {
        stage: edge_map(lambda pixels, of=of: class_margins(of(pixels), k), grey, run.test.shape)
        for stage, of in predictors.items()
    }
