"""A photograph beside what the network says of the window around each of its pixels, before and after training."""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from edge_demo.figures.style import (
    WIDTH,
    add_axes,
    class_color,
    color_bar,
    drawn,
    fitting,
    legend,
    new_figure,
    show_image,
    sigmoid,
)

LEFT, RIGHT, GAP = 0.1, 0.75, 0.1  # inches; the colour bars are in the right margin
TOP, NAME, BOTTOM = 0.5, 0.27, 0.1  # inches: above all panels, above each row for its names, below


@drawn
def photograph(grey, sobel, log_odds, class_name):
    """A Figure of two rows: the photograph, and log-odds; below, Sobel's gradient, and probabilities.

    grey, sobel: (height, width). log_odds: a dict of such arrays, log p(class) - log p(not the class), which is
    z_edge - z_no_edge for two classes: "before" and "after" training and, where it is known, "exact".
    """
    columns = 1 + len(log_odds)
    wide = (WIDTH - LEFT - RIGHT - (columns - 1) * GAP) / columns
    tall = wide * grey.shape[0] / grey.shape[1]
    figure = new_figure(TOP + 2 * (NAME + tall) + BOTTOM, _title(log_odds, class_name))
    bottoms = BOTTOM + tall + NAME, BOTTOM

    def panel(row, column, values, name):
        axes = add_axes(figure, LEFT + column * (wide + GAP), bottoms[row], wide, tall)
        return show_image(axes, values, name)

    name = fitting(class_name, 1)
    limit = max(np.quantile(np.abs(log_odds["after"]), 0.99), 1.0)
    panel(0, 0, grey, "the photograph")
    panel(1, 0, sobel / (np.quantile(sobel, 0.99) or 1), "Sobel's gradient")
    for column, (stage, values) in enumerate(log_odds.items(), start=1):
        odds = panel(0, column, values, f"log-odds, {stage}")
        odds.set(cmap="RdBu", clim=(-limit, limit))
        shares = panel(1, column, sigmoid(values), f"p({name}), {stage}")
    for bottom, image, label in zip(bottoms, (odds, shares), (f"log-odds of {name}", f"p({name})"), strict=True):
        color_bar(figure, image, WIDTH - RIGHT + 0.1, bottom, tall, label)
    return figure


@drawn
def photograph_kinds(grey, probabilities_before, probabilities_after, class_names):
    """A Figure: the photograph, and the most probable class at each pixel, the paler the less sure; before and after.

    grey: (height, width); probabilities: (height, width, classes); class_names: one a class.
    """
    classes, bottom = len(class_names), 0.65
    wide = (WIDTH - 2 * LEFT - 2 * GAP) / 3
    tall = wide * grey.shape[0] / grey.shape[1]
    changed = np.mean(probabilities_before.argmax(axis=2) != probabilities_after.argmax(axis=2))
    title = f"The most probable class at each pixel: training changed it at {100 * changed:.0f} % of them"
    figure = new_figure(TOP + NAME + tall + bottom, title)
    colors = np.array([to_rgb(class_color(k, classes)) for k in range(classes)])
    pictures = {
        "the photograph": grey,
        "before training": _painted(probabilities_before, colors),
        "after training": _painted(probabilities_after, colors),
    }
    for column, (name, picture) in enumerate(pictures.items()):
        show_image(add_axes(figure, LEFT + column * (wide + GAP), bottom, wide, tall), picture, name)
    handles = [Patch(color=colors[k], label=fitting(class_names[k], 1)) for k in range(min(classes, 14))]
    legend(figure, handles, figure.get_figheight() - bottom / 2, 7)
    return figure


def _painted(probabilities, colors):
    """(height, width, 3): the colour of the most probable class, mixed with white where it is little above chance."""
    classes = probabilities.shape[2]
    sure = ((probabilities.max(axis=2) - 1 / classes) / (1 - 1 / classes))[..., None]
    return (sure * colors[probabilities.argmax(axis=2)] + 1 - sure).clip(0, 1)


def _title(log_odds, class_name):
    name = f"p({fitting(class_name, 1)})"
    p = {stage: sigmoid(values) for stage, values in log_odds.items()}
    if "exact" in p:
        before, after = (np.abs(p[stage] - p["exact"]).mean() for stage in ("before", "after"))
        return f"{name} around each pixel is {before:.2f} from the exact one before training, {after:.2f} after"
    before, after = (f"{100 * np.mean(p[stage] > 0.5):.0f} %" for stage in ("before", "after"))
    return f"{name} of the window around a pixel is above 0.5 at {before} before training, at {after} after"
