"""Where softmax fits: from one patch to its probabilities, left to right.

The last two columns are the subject: the network's scores, and what softmax makes of them.
Everything is drawn in one pair of axes whose unit is the inch.
"""

import numpy as np
from matplotlib.patches import FancyBboxPatch

from edge_demo.datasets.patches import square
from edge_demo.figures import style
from edge_demo.softmax import softmax

WIDTH, MOST_NEURONS = 9, 8
HIGHLIGHT = "#F0E442"  # the one of Okabe and Ito's colours that no class has
HEAD = {"ha": "center", "va": "bottom", "fontsize": style.TEXT_SIZE + 1}
FOOT = {"ha": "center", "va": "top", "fontsize": style.SMALL_SIZE, "color": style.REFERENCE, "linespacing": 1.4}


def pipeline(pixels, activations, logits, class_names, shape=None):
    """A Figure for one patch; its probabilities are softmax(logits).

    pixels: (rows * columns,), or None for scores without a patch. activations: a list with one array (units,) a hidden
    layer, [] for a linear network, None where they are not known. logits: (classes,); class_names: one a class; shape:
    (rows, columns) of the patch, by default square.
    """
    logits = np.asarray(logits, dtype=np.float64)
    probabilities = softmax(logits)
    shown, others = _shown(logits)
    rows = len(shown) + (len(others) > 0)
    tall = max(1.7, 0.47 * rows)  # inches of the hidden layers' box, and of the neurons beside it
    bottom, middle, top = 1.1, 1.1 + tall / 2, 1.1 + tall
    figure = style.new_figure(WIDTH, top + 1, _title(logits, probabilities, class_names))
    axes = figure.add_axes((0, 0, 1, 1))

    image = np.ones((5, 5)) if pixels is None else np.reshape(pixels, shape or square(len(pixels)))
    _input(axes, image, 0.3, middle)
    _hidden(axes, activations, 2.4, bottom, top)
    y = middle + min(tall / rows, 0.7) * ((rows - 1) / 2 - np.arange(rows))
    names = [style.fitting(class_names[k], 1.05, style.SMALL_SIZE) for k in shown]
    colors = [style.class_color(k, len(logits)) for k in shown]
    scores, shares = map(style.number, logits[shown]), map(style.percent, probabilities[shown])
    _neurons(axes, 4.65, y, colors, names, scores, f"and {len(others)} more, none larger")
    _neurons(axes, 7.3, y, colors, names, shares, f"the others: {style.percent(probabilities[others].sum())}")
    for center, head, foot in (
        (5.35, "Scores (logits)", "any real number"),
        (8.0, "Probabilities", "always positive, sum 1"),
    ):
        axes.text(center, top + 0.1, head, **HEAD)
        axes.text(center, bottom - 0.1, foot, **FOOT)

    arrow = {"arrowstyle": "-|>", "fc": "k", "lw": 1.5}
    for left in (1.93, 4.2):
        axes.annotate("", (left + 0.36, middle), (left, middle), arrowprops=arrow)
    outline = np.array([(0, 1), (0.62, 1), (0.62, 1.8), (0.95, 0), (0.62, -1.8), (0.62, -1), (0, -1)])
    axes.fill(6.22 + outline[:, 0], middle + 0.26 * outline[:, 1], fc=HIGHLIGHT, ec="k", lw=1.2)
    axes.text(6.62, middle, "softmax", ha="center", va="center", fontsize=style.TEXT_SIZE + 1, weight="bold")
    closing = "This picture is about one step: from scores to probabilities."
    axes.text(WIDTH / 2, 0.2, closing, ha="center", fontsize=style.TEXT_SIZE + 1, style="italic")
    axes.set(xlim=(0, WIDTH), ylim=(0, top + 1), aspect="auto")
    axes.set_axis_off()
    return figure


def _input(axes, image, left, middle):
    size, (rows, columns) = 1.55, image.shape
    center, longest = left + size / 2, max(rows, columns)
    width, height = (size * max(length / longest, 0.25) for length in (columns, rows))  # a narrow one is drawn wider
    left, right, bottom, top = center - width / 2, center + width / 2, middle - height / 2, middle + height / 2
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest", extent=(left, right, bottom, top))
    if longest <= 10:
        axes.hlines(np.linspace(bottom, top, rows + 1), left, right, colors=style.REFERENCE, lw=0.8)
        axes.vlines(np.linspace(left, right, columns + 1), bottom, top, colors=style.REFERENCE, lw=0.8)
    axes.text(center, top + 0.1, "Input", **HEAD)
    axes.text(center, bottom - 0.1, f"{rows * columns} pixels", **FOOT)


def _hidden(axes, activations, left, bottom, top):
    """A box with the activations of each hidden layer as a column of bars."""
    width, tall, middle, layers = 1.7, top - bottom, (bottom + top) / 2, activations or []
    sizes = [len(layer) for layer in layers]
    inside, line = "", "-"
    if activations is None:
        head, inside, foot = "Hidden layers", "learns\nfeatures", "of any number and size"
    elif not layers:
        head, inside, foot, line = "No hidden layer", "none", "a linear network", "--"
    else:
        units = " + ".join(map(str, sizes)) if len(sizes) < 5 else f"{len(sizes)} layers, {sum(sizes):,}"
        head = "Hidden layer" if len(sizes) == 1 else "Hidden layers"
        foot = f"learns features\nactivations of {units} unit{'s' * (sum(sizes) > 1)}"
    shape = {"boxstyle": "round,pad=0,rounding_size=0.1", "fc": "#F3F3F3", "ec": style.REFERENCE, "ls": line}
    axes.add_patch(FancyBboxPatch((left, bottom), width, tall, **shape))
    axes.text(left + width / 2, top + 0.1, head, **HEAD)
    axes.text(left + width / 2, middle, inside, ha="center", va="center", fontsize=style.TEXT_SIZE)
    axes.text(left + width / 2, bottom - 0.1, foot, **FOOT)
    column = (width - 0.2) / max(len(layers), 1)
    for i, layer in enumerate(layers):
        low, high = min(np.min(layer), 0), max(np.max(layer), 0)
        bars = np.asarray(layer) * (0.85 * column / max(high - low, 1e-300))  # inches
        zero = left + 0.1 + column * (i + 0.075) - min(bars.min(), 0)
        edges = middle + np.linspace(0.5, -0.5, len(bars) + 1) * min(tall - 0.2, 0.3 * len(bars))
        axes.stairs(zero + bars, edges, baseline=zero, orientation="horizontal", fill=True, color="#777777")
        axes.plot([zero, zero], edges[[0, -1]], color=style.REFERENCE, lw=1)


def _neurons(axes, left, y, colors, names, values, note):
    """A circle, a number and a name a class; note stands in the row below them if y has one more."""
    axes.scatter(np.full(len(names), left + 0.2), y[: len(names)], s=500, c=colors, edgecolors=style.REFERENCE)
    for height, name, value in zip(y, names, values, strict=False):
        axes.text(left + 0.45, height + 0.02, value, va="bottom", fontsize=style.TEXT_SIZE + 1, weight="bold")
        axes.text(left + 0.45, height - 0.01, name, va="top", fontsize=style.SMALL_SIZE)
    if len(y) > len(names):
        axes.text(left, y[-1], note, va="center", fontsize=style.SMALL_SIZE, color=style.REFERENCE)


def _shown(logits):
    """Classes to draw, and the others: all in order, or where they are many those of the largest scores."""
    if len(logits) <= MOST_NEURONS:
        return np.arange(len(logits)), np.arange(0)
    order = np.argsort(-logits, kind="stable")
    return order[: MOST_NEURONS - 1], order[MOST_NEURONS - 1 :]


def _title(logits, probabilities, class_names):
    if len(logits) == 2:
        scores, shares = map(" and ".join, (map(style.number, logits), map(style.percent, probabilities)))
        return f"Where softmax fits: it turns the scores {scores} into {shares}"
    k = logits.argmax()
    share, name = style.percent(probabilities[k]), style.fitting(class_names[k], 1.7, style.TITLE_SIZE)
    return f"Where softmax fits: {len(logits)} scores become probabilities, {share} for {name}"
