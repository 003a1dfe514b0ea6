"""Which figures a run has, in the order of a lesson, and which arrays each one gets."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from edge_demo.datasets.patches import CLASS_NAMES, EDGE_KINDS, KIND_NAMES
from edge_demo.evaluation import accuracy, class_margins, guessing, log_loss
from edge_demo.figures.dataset import dataset
from edge_demo.figures.example_patches import example_patches
from edge_demo.figures.hidden_weights import hidden_weights
from edge_demo.figures.inside import inside
from edge_demo.figures.logits_vs_probabilities import logits_vs_probabilities
from edge_demo.figures.photograph import photograph, photograph_kinds
from edge_demo.figures.pipeline import pipeline
from edge_demo.figures.softmax_steps import softmax_steps
from edge_demo.figures.style import CannotDraw, save_figure
from edge_demo.figures.training_curves import training_curves
from edge_demo.photographs import default_photograph, edge_map, read_image, sobel_magnitude
from edge_demo.runs.run import holds_matrix, with_parameters

LOOKED_INTO = 2000  # test patches whose activations are drawn


def save_figures(run, folder):
    """Draws the figures of a run into folder, as numbered PNG files; returns a note for each that cannot show it."""
    notes = []
    for name, draw in FIGURES.items():
        if name == "08_photograph.png" and run.generator is None:
            continue  # of other patches nobody knows what they should find in a photograph
        try:
            save_figure(draw(run), Path(folder) / name)
        except CannotDraw as reason:
            notes.append(f"{name} is left out: {reason}")
    return notes


def _dataset(run):
    test = run.test
    if test.kinds is None:
        return dataset(test.pixels, test.labels, test.class_names, shape=test.shape)
    classes = [CLASS_NAMES[int(kind >= EDGE_KINDS)] for kind in range(len(KIND_NAMES))]
    return dataset(test.pixels, test.kinds, KIND_NAMES, classes, test.shape)


def _pipeline(run):
    i = run.examples()[0]
    hidden = [layer[0] for layer in hidden_activations(run.after, run.test.pixels[i : i + 1])]
    logits, names = run.logits["after"][i], run.test.class_names
    return pipeline(run.test.pixels[i], hidden, logits, names, run.test.shape, run.test.labels[i])


def _softmax_steps(run):
    i = run.examples()[0]
    return softmax_steps(run.logits["after"][i], run.test.class_names, true_class=run.test.labels[i])


def _example_patches(run):
    examples = run.examples()
    shown, before, after = run.test[examples], run.logits["before"][examples], run.logits["after"][examples]
    exact = None if run.log_posterior is None else np.exp(run.log_posterior[examples])
    return example_patches(shown.pixels, shown.labels, before, after, shown.class_names, exact, shown.shape)


def _training_curves(run):
    truth, labels, counts = run.log_posterior, run.test.labels, run.settings["data"]["class_counts"]
    guess = guessing(counts, len(labels))
    references = {"guess_loss": log_loss(guess, labels), "guess_accuracy": accuracy(guess, labels)}
    if truth is not None:
        references |= {"bayes_loss": log_loss(truth, labels), "bayes_accuracy": accuracy(truth, labels)}
        if len(run.test.class_names) == 2:
            references["floor"] = run.generator.bayes_loss
    return training_curves(**asdict(run.history), class_counts=counts, **references)


def _hidden_weights(run):
    before, after = (_weights(network, run.test.pixels.shape[1]) for network in (run.before, run.after))
    deep = after[1] is None and after[0].shape[1] != len(run.test.class_names)
    return hidden_weights(*before, *after, () if deep else run.test.class_names, run.test.shape)


def _weights(network, pixels):
    """The weights (pixels, units) of the first layer that learns, and those from its units to the logits, or None."""
    learned = [layer for layer in network.layers if holds_matrix(layer)]
    matrices = [getattr(layer, "weights", np.empty(0)) for layer in learned]
    if not learned or matrices[0].ndim != 2 or len(matrices[0]) != pixels:
        raise CannotDraw(f"its first layer that learns has no weights for each of the {pixels} pixels")
    straight = len(learned) == 2 and matrices[1].ndim == 2 and len(matrices[1]) == matrices[0].shape[1]
    return matrices[0], matrices[1] if straight else None


def _photograph(run):
    grey = read_image(default_photograph(), largest=300)
    if len(run.test.class_names) == 2:
        return photograph(grey, sobel_magnitude(grey), log_odds_maps(run, grey), run.test.class_names[0])
    maps = [edge_map(network.probabilities, grey, run.test.shape) for network in (run.before, run.after)]
    return photograph_kinds(grey, *maps, run.test.class_names)


def _inside(run):
    pixels = run.test.pixels[:LOOKED_INTO]
    stages = [hidden_activations(with_parameters(run.after, snapshot), pixels) for snapshot in run.snapshots.values()]
    silent = [[np.count_nonzero(np.ptp(layer, axis=0) == 0) for layer in stage] for stage in stages]
    return inside(hidden_activations(run.before, pixels), stages[-1], list(run.snapshots), silent)


FIGURES = {
    "01_dataset.png": _dataset,
    "02_pipeline.png": _pipeline,
    "03_softmax_steps.png": _softmax_steps,
    "04_logits_vs_probabilities.png": lambda run: logits_vs_probabilities(
        *run.logits.values(), run.test.labels, run.test.class_names
    ),
    "05_example_patches.png": _example_patches,
    "06_training_curves.png": _training_curves,
    "07_hidden_weights.png": _hidden_weights,
    "08_photograph.png": _photograph,
    "09_inside.png": _inside,
}


def hidden_activations(network, pixels):
    """What each layer that learns is given, but for the first: a list of arrays (n, units). pixels: (n, inputs)."""
    activations, found = pixels, []
    for layer in network.layers:
        if holds_matrix(layer):
            found.append(activations.reshape(len(pixels), -1))
        activations = layer.forward(activations)
    return found[1:]


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
