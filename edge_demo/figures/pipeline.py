"""Where softmax fits: from one patch to its probabilities, left to right.

The last two columns are the subject: the network's scores, and what softmax makes of them.
Everything is drawn in one pair of axes whose unit is the inch.
"""

import numpy as np
from matplotlib.patches import FancyBboxPatch

from edge_demo.datasets.patches import square
from edge_demo.figures.style import GREY, RC, REFERENCE, WIDTH, class_color, drawn, fitting, new_figure, number, percent
from edge_demo.softmax import softmax

MOST_NEURONS = 8
HIGHLIGHT = "#F0E442"  # the one of Okabe and Ito's colours that no class has
HEAD = {"ha": "center", "va": "bottom", "fontsize": RC["axes.titlesize"]}
FOOT = {"ha": "center", "va": "top", "linespacing": 1.4, **GREY}
ARROW = {"arrowstyle": "-|>", "fc": "k", "lw": 1.5}


@drawn
def pipeline(pixels, activations, logits, class_names, shape=None, true_class=None):
    """A Figure for one patch; its probabilities are softmax(logits).

    pixels: (rows * columns,), or None for scores without a patch. activations: a list with one array (units,) a hidden
    layer, [] for a linear network, None where they are not known. logits: (classes,); class_names: one a class; shape:
    (rows, columns) of the patch, by default square; true_class: its index, where it is known.
    """
    logits = np.asarray(logits, dtype=np.float64)
    probabilities = softmax(logits)
    shown, rest = np.arange(len(logits)), ""
    if len(logits) > MOST_NEURONS:
        shown, rest = (
            np.argsort(-logits, kind="stable")[:MOST_NEURONS],
            f"\nthe {MOST_NEURONS} largest of {len(logits)}",
        )
    rows = len(shown)
    tall = max(1.7, 0.47 * rows)  # inches of the hidden layers' box, and of the neurons beside it
    bottom, middle, top = 1.1, 1.1 + tall / 2, 1.1 + tall
    figure = new_figure(top + 1, scores_become("Where softmax fits", logits, probabilities, class_names))
    axes = figure.add_axes((0, 0, 1, 1))

    def column(center, head, foot, low=bottom, high=top):
        axes.text(center, high + 0.1, head, **HEAD)
        axes.text(center, low - 0.1, foot, **FOOT)

    image = np.ones((5, 5)) if pixels is None else np.reshape(pixels, shape or square(len(pixels)))
    true = "" if true_class is None else f"\ntrue class: {fitting(class_names[true_class], 1)}"
    column(1.075, "Input", f"{image.size} pixels{true}", *_input(axes, image, 1.075, middle))
    column(3.25, *_hidden(axes, activations, 2.4, bottom, top))
    column(5.35, "Scores (logits)", f"any real number{rest}")
    column(8.0, "Probabilities", f"always positive, sum 1{rest}")

    y = middle + min(tall / rows, 0.7) * ((rows - 1) / 2 - np.arange(rows))
    names = [fitting(class_names[k], 1.05) for k in shown]
    colors = [class_color(k, len(logits)) for k in shown]
    scores, shares = map(number, logits[shown]), map(percent, probabilities[shown])
    _neurons(axes, 4.65, y, colors, names, scores)
    _neurons(axes, 7.3, y, colors, names, shares)
    for left in (1.93, 4.2):
        axes.annotate("", (left + 0.36, middle), (left, middle), arrowprops=ARROW)
    box = {"boxstyle": "rarrow,pad=0.6", "fc": HIGHLIGHT, "lw": 1.2}
    axes.text(6.6, middle, "softmax", ha="center", va="center", weight="bold", fontsize=HEAD["fontsize"], bbox=box)
    closing = "This picture is about one step: from scores to probabilities."
    axes.text(WIDTH / 2, 0.2, closing, ha="center", style="italic")
    axes.set(xlim=(0, WIDTH), ylim=(0, top + 1), aspect="auto")
    axes.set_axis_off()
    return figure


def scores_become(what, logits, probabilities, class_names):
    """A title: what softmax makes of these scores."""
    if len(logits) == 2:
        scores, shares = map(" and ".join, (map(number, logits), map(percent, probabilities)))
        return f"{what}: the scores {scores} become {shares}"
    k = logits.argmax()
    name = fitting(class_names[k], 1.7, RC["figure.titlesize"])
    return f"{what}: {len(logits)} scores become probabilities, {percent(probabilities[k])} for {name}"


def _input(axes, image, center, middle):
    """Draws the patch; returns its lower and upper edge."""
    half = np.array(image.shape) * 0.775 / max(image.shape)  # inches
    rows, columns = (np.linspace(-edge, edge, length + 1) for edge, length in zip(half, image.shape, strict=True))
    grid = {"edgecolors": REFERENCE, "lw": 0.8, "antialiased": True} if max(image.shape) <= 10 else {}
    axes.pcolormesh(center + columns, middle - rows, image, cmap="gray", vmin=0, vmax=1, **grid)
    return middle - half[0], middle + half[0]


def _hidden(axes, activations, left, bottom, top):
    """A box with the activations of each hidden layer as a column of bars; returns what is written above and below."""
    width, tall, middle, layers = 1.7, top - bottom, (bottom + top) / 2, activations or []
    look = {"boxstyle": "round,pad=0,rounding_size=0.1", "fc": "#F3F3F3", "ec": REFERENCE}
    axes.add_patch(
        FancyBboxPatch((left, bottom), width, tall, ls="-" if layers or activations is None else "--", **look)
    )
    column = (width - 0.2) / max(len(layers), 1)
    for i, layer in enumerate(layers):
        low, high = min(np.min(layer), 0), max(np.max(layer), 0)
        bars = np.asarray(layer) * (0.85 * column / max(high - low, 1e-300))  # inches
        zero = left + 0.1 + column * (i + 0.075) - min(bars.min(), 0)
        edges = middle + np.linspace(0.5, -0.5, len(bars) + 1) * min(tall - 0.2, 0.3 * len(bars))
        axes.stairs(zero + bars, edges, baseline=zero, orientation="horizontal", fill=True, color="#777777")
        axes.plot([zero, zero], edges[[0, -1]], color=REFERENCE, lw=1)
    if activations is None:
        return "Hidden layers", "learns features\nof any number and size"
    if not layers:
        return "No hidden layer", "a linear network"
    units = " + ".join(str(len(layer)) for layer in layers[:4]) + " + …" * (len(layers) > 4)
    foot = f"learns features\nactivations of {units} unit{'s' * (units != '1')}"
    return f"Hidden layer{'s' * (len(layers) > 1)}", foot


def _neurons(axes, left, y, colors, names, values):
    """A circle, a number and a name a class."""
    axes.scatter(np.full(len(y), left + 0.2), y, s=500, c=colors, edgecolors=REFERENCE)
    for height, name, value in zip(y, names, values, strict=True):
        axes.text(left + 0.45, height + 0.02, value, va="bottom", weight="bold", fontsize=HEAD["fontsize"])
        axes.text(left + 0.45, height - 0.01, name, va="top")
