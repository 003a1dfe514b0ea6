"""Which figures a run has, in the order of a lesson, and which arrays each one gets."""

from pathlib import Path

from edge_demo.figures.confusion import confusion
from edge_demo.figures.dataset import dataset
from edge_demo.figures.example_patches import example_patches
from edge_demo.figures.hidden_weights import hidden_weights
from edge_demo.figures.logits_vs_probabilities import logits_vs_probabilities
from edge_demo.figures.pipeline import pipeline
from edge_demo.figures.softmax_steps import softmax_steps
from edge_demo.figures.style import save_figure
from edge_demo.figures.training_curves import training_curves
from edge_demo.network import Dense
from edge_demo.patches import CLASS_NAMES, EDGE_KINDS, KIND_NAMES


def figures_of(run):
    """Yields (name, Figure) for every figure of a run (an edge_demo.runs.Run)."""
    test, names = run.test, run.test.class_names
    before, after = run.logits["before"], run.logits["after"]
    examples = run.examples()
    yield "dataset", _dataset(test)
    yield "pipeline", _pipeline(run, examples[0])
    yield "softmax_steps", softmax_steps(after[examples[0]], names)
    yield "logits_vs_probabilities", logits_vs_probabilities(before, after, test.labels, names)
    shown = test[examples]
    yield "example_patches", example_patches(shown.pixels, shown.labels, before[examples], after[examples], names)
    history = vars(run.history)
    yield "training_curves", training_curves(**history, classes=len(names))
    deep = len(run.settings["hidden"]) > 1  # then no weights lead straight from the first layer's units to the classes
    weights = (*_weights(run.before), *_weights(run.after))
    yield "hidden_weights", hidden_weights(*weights, () if deep else names, test.side)
    yield "confusion", confusion(test.labels, before.argmax(axis=1), after.argmax(axis=1), names)


def save_figures(run, folder):
    """Draws every figure into folder as a numbered PNG file; returns the paths."""
    paths = []
    for number, (name, figure) in enumerate(figures_of(run), start=1):
        paths.append(Path(folder) / f"{number:02}_{name}.png")
        save_figure(figure, paths[-1])
    return paths


def _dataset(test):
    if test.kinds is None:
        return dataset(test.pixels, test.labels, test.class_names)
    classes = [CLASS_NAMES[int(kind >= EDGE_KINDS)] for kind in range(len(KIND_NAMES))]
    return dataset(test.pixels, test.kinds, KIND_NAMES, group_classes=classes)


def _pipeline(run, i):
    pixels = run.test.pixels[i : i + 1]
    logits = run.after.logits(pixels)[0]
    dense = [layer for layer in run.after.layers if isinstance(layer, Dense)]
    activations = [layer.last_inputs[0] for layer in dense[1:]]  # what each Dense after the first was given
    return pipeline(pixels[0], activations, logits, run.test.class_names)


def _weights(network):
    """Weights of the first Dense layer, and those that lead from its units to the logits (None for other depths)."""
    dense = [layer.weights for layer in network.layers if isinstance(layer, Dense)]
    return dense[0], dense[1] if len(dense) == 2 else None
