"""A photograph beside what the network says of the window around each of its pixels, before and after training."""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from edge_demo.figures import style

WIDTH, LEFT, RIGHT, GAP = 9, 0.1, 0.75, 0.1  # inches; the colour bars are in the right margin
TOP, NAME, BOTTOM = 0.5, 0.27, 0.1  # inches: above all panels, above each row for its names, below


def photograph(grey, sobel, log_odds, class_name):
    """A Figure of two rows: the photograph, and log-odds; below, Sobel's gradient, and probabilities.

    grey, sobel: (height, width). log_odds: a dict of such arrays, log p(class) - log p(not the class), which is
    z_edge - z_no_edge for two classes: "before" and "after" training and, where it is known, "exact".
    """
    heads = {"before": "before training", "after": "after training", "exact": "exact posterior"}
    columns = 1 + len(log_odds)
    wide = (WIDTH - LEFT - RIGHT - (columns - 1) * GAP) / columns
    tall = wide * grey.shape[0] / grey.shape[1]
    height = TOP + 2 * (NAME + tall) + BOTTOM
    figure = style.new_figure(WIDTH, height, _title(log_odds, class_name))

    def panel(row, column, values, name, **look):
        bottom = height - TOP - NAME - tall - row * (NAME + tall)
        left = LEFT + column * (wide + GAP)
        axes = figure.add_axes((left / WIDTH, bottom / height, wide / WIDTH, tall / height))
        image = axes.imshow(values, **look)
        axes.set_axis_off()
        axes.set_title(name, fontsize=style.TEXT_SIZE, y=1.0, pad=3)
        return image

    name = style.fitting(class_name, 1)
    limit = max(np.quantile(np.abs(log_odds["after"]), 0.99), 1.0)
    panel(0, 0, grey, "the photograph", cmap="gray", vmin=0, vmax=1)
    panel(1, 0, sobel, "Sobel's gradient", cmap="gray", vmin=0, vmax=np.quantile(sobel, 0.99) or 1)
    for column, (stage, values) in enumerate(log_odds.items(), start=1):
        odds = panel(0, column, values, heads[stage], cmap="RdBu", vmin=-limit, vmax=limit)
        shares = panel(1, column, style.sigmoid(values), f"p({name}), {stage}", cmap="gray", vmin=0, vmax=1)
    for row, image, label in ((0, odds, f"log-odds of {name}"), (1, shares, f"p({name})")):
        bottom = height - TOP - NAME - tall - row * (NAME + tall)
        bar = figure.add_axes(((WIDTH - RIGHT + 0.1) / WIDTH, bottom / height, 0.12 / WIDTH, tall / height))
        figure.colorbar(image, cax=bar).set_label(label, fontsize=style.SMALL_SIZE, labelpad=2)
        bar.tick_params(labelsize=style.SMALL_SIZE)
    return figure


def photograph_kinds(grey, probabilities_before, probabilities_after, class_names):
    """A Figure: the photograph, and the most probable class at each pixel, the paler the less sure; before and after.

    grey: (height, width); probabilities: (height, width, classes); class_names: one a class.
    """
    classes, panels = len(class_names), 3
    wide = (WIDTH - 2 * LEFT - (panels - 1) * GAP) / panels
    tall = wide * grey.shape[0] / grey.shape[1]
    height = TOP + NAME + tall + 0.65
    agreed = np.mean(probabilities_before.argmax(axis=2) == probabilities_after.argmax(axis=2))
    title = f"The most probable class at each pixel: training changed it at {100 * (1 - agreed):.0f} % of them"
    figure = style.new_figure(WIDTH, height, title)
    colors = np.array([to_rgb(style.class_color(k, classes)) for k in range(classes)])
    pictures = {
        "the photograph": np.repeat(grey[..., None], 3, axis=2),
        "before training": _painted(probabilities_before, colors),
        "after training": _painted(probabilities_after, colors),
    }
    for column, (name, picture) in enumerate(pictures.items()):
        left = LEFT + column * (wide + GAP)
        axes = figure.add_axes((left / WIDTH, 0.65 / height, wide / WIDTH, tall / height))
        axes.imshow(picture.clip(0, 1))
        axes.set_axis_off()
        axes.set_title(name, fontsize=style.TEXT_SIZE, y=1.0, pad=3)
    shown = range(min(classes, 14))
    handles = [Patch(color=colors[k], label=" " + style.fitting(class_names[k], 1)) for k in shown]
    figure.legend(handles=handles, loc="lower center", ncols=7, frameon=False, fontsize=style.SMALL_SIZE)
    return figure


def _painted(probabilities, colors):
    """(height, width, 3): the colour of the most probable class, mixed with white where it is little above chance."""
    classes = probabilities.shape[2]
    sure = ((probabilities.max(axis=2) - 1 / classes) / (1 - 1 / classes))[..., None]
    return sure * colors[probabilities.argmax(axis=2)] + (1 - sure)


def _title(log_odds, class_name):
    name = f"p({style.fitting(class_name, 1)})"
    p = {stage: style.sigmoid(values) for stage, values in log_odds.items()}
    if "exact" in p:
        before, after = (np.abs(p[stage] - p["exact"]).mean() for stage in ("before", "after"))
        return f"{name} around each pixel is {before:.2f} from the exact one before training, {after:.2f} after"
    before, after = (f"{100 * np.mean(p[stage] > 0.5):.0f} %" for stage in ("before", "after"))
    return f"{name} of the window around a pixel is above 0.5 at {before} before training, at {after} after"
