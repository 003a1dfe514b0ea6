"""A few patches one by one: the logits of each and their softmax, before and after training.

A table with a row a patch; each column of bars is one pair of axes over all patches.
"""

import numpy as np
from matplotlib.colors import to_rgba_array
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from edge_demo.datasets.patches import square
from edge_demo.figures.style import (
    GREY,
    RC,
    REFERENCE,
    WIDTH,
    add_axes,
    class_color,
    drawn,
    fitting,
    legend,
    new_figure,
    only_bottom,
    percent,
    show_patches,
    write,
)
from edge_demo.softmax import softmax

MOST_COLORS, LARGEST = 7, 4  # of up to 7 classes each patch shows all, of more only 4
LEFT, RIGHT, TOP, BOTTOM = 1.25, 0.2, 1.45, 0.7  # inches
SIDE, NAMES, BETWEEN = 0.64, 1.35, 0.25  # inches of a patch, of the names of bars, between columns
EXACT = {"marker": "D", "ms": 4.5, "mfc": "white", "mec": "black", "ls": ""}
CHANCE = {"color": REFERENCE, "ls": ":"}


@drawn
def example_patches(pixels, labels, logits_before, logits_after, class_names, true_probabilities=None, shape=None):
    """A Figure: the same patches and the same axes before and after.

    pixels: (n, rows * columns), about 8 patches; labels: (n,) true classes; logits: (n, classes); class_names: one a
    class; true_probabilities: (n, classes), the exact probabilities where they are known; shape: (rows, columns), by
    default square.
    """
    labels, shape = np.asarray(labels), shape or square(np.shape(pixels)[1])
    side = max(shape)
    logits = [np.asarray(stage, dtype=np.float64) for stage in (logits_before, logits_after)]
    probabilities = [softmax(stage) for stage in logits]
    (n, classes), many = logits[1].shape, len(class_names) > MOST_COLORS
    shown = _largest(logits[1], labels) if many else np.tile(np.arange(classes), (n, 1))  # (n, bars)

    gap = max(1, side // 4)
    tall = SIDE * (n * (side + gap) - gap) / side
    before, after = (percent(p[np.arange(n), labels].mean()) for p in probabilities)
    title = f"The true class of these {n} patches gets {before} on average before training, {after} after"
    figure = new_figure(TOP + tall + BOTTOM, title)
    first = LEFT + SIDE + (NAMES if many else BETWEEN)
    step = (WIDTH - RIGHT + BETWEEN - first) / 4
    images = add_axes(figure, LEFT, BOTTOM, SIDE, tall)
    panels = [add_axes(figure, first + i * step, BOTTOM, step - BETWEEN, tall) for i in range(4)]

    _, tops = show_patches(images, [[patch] for patch in np.asarray(pixels)], shape, gap)
    for label, top in zip(labels, tops, strict=True):
        name = fitting(class_names[label], LEFT - 0.2)
        images.text(-0.5 - 0.1 * side, top + (side - 1) / 2, name, ha="right", va="center")
    # the axes of the bars count in the images' pixels too, so that the bars of a patch stand beside it
    bar = side / shown.shape[1]
    y = (tops[:, None] - 0.5 + bar * (np.arange(shown.shape[1]) + 0.5)).ravel()
    colors = to_rgba_array([class_color(k, classes) for k in shown.ravel()])
    colors[:, 3] = np.where(shown == labels[:, None], 1, 0.4).ravel()  # the true class stands out
    heads = [f"{what}\n{stage} training" for what in ("logits", "probabilities") for stage in ("before", "after")]
    for axes, values, head in zip(panels, logits + probabilities, heads, strict=True):
        axes.barh(y, np.take_along_axis(values, shown, axis=1).ravel(), height=0.85 * bar, color=colors)
        axes.axvline(0, color=REFERENCE, lw=1)
        axes.set(ylim=images.get_ylim(), yticks=[])
        axes.set_title(head, fontsize=RC["axes.labelsize"])
        only_bottom(axes)
    if many:
        panels[0].set_yticks(y, [fitting(class_names[k], NAMES - 0.25) for k in shown.ravel()])

    low, high = min(np.min(logits), 0), max(np.max(logits), 0)
    border = 0.05 * (high - low) or 1
    for axes in panels[:2]:
        axes.set_xlim(low - border, high + border)
        axes.locator_params(axis="x", nbins=4)
    for axes in panels[2:]:
        axes.axvline(1 / classes, **CHANCE)
        axes.set(xlim=(0, 1), xticks=[0, 0.5, 1])
        axes.xaxis.set_major_formatter("{x:g}")
        if true_probabilities is not None:
            exact = np.take_along_axis(np.asarray(true_probabilities), shown, axis=1).ravel()
            axes.plot(exact, y, clip_on=False, **EXACT)

    handles = [
        Patch(color=class_color(k, classes), label=fitting(name, 1.1))
        for k, name in enumerate(class_names[: 0 if many else classes])
    ]
    handles.append(Line2D([], [], label=f"chance, 1/{classes}", **CHANCE))
    if true_probabilities is not None:
        handles.append(Line2D([], [], label="exact probability", **EXACT))
    legend(figure, handles, 0.65)
    note = "Left: the true class of each patch; its bars are the strong ones."
    if many:
        note += f"\nOf {classes} classes, this one and the {LARGEST - 1} others with the largest logits after training."
    write(figure, WIDTH / 2, 0.1, note, ha="center", **GREY)
    return figure


def _largest(logits, labels):
    """The true class of each patch, then the others with the largest logits: (n, LARGEST)."""
    ranked = logits.copy()
    ranked[np.arange(len(labels)), labels] = np.inf
    return np.argsort(-ranked, axis=1, kind="stable")[:, :LARGEST]
