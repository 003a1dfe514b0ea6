"""The data: what the network is shown, a row of patches for each kind or class.

The first patches of each group are drawn, not chosen ones, so a row shows how much they differ.
"""

import numpy as np

from edge_demo.datasets.patches import square
from edge_demo.figures import style

MOST_ROWS = 24
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 9, 2.4, 0.15, 0.55, 0.4  # inches: the figure and its margins


def dataset(pixels, groups, group_names, group_classes=None, shape=None):
    """A Figure: a row a group with its first patches, all in one grey scale.

    pixels: (n, rows * columns); groups: (n,) indexes into group_names (the classes, or the kinds of patch);
    group_classes: the name of the class that each group belongs to, where the groups are kinds; shape: (rows, columns),
    by default square.
    """
    pixels, groups = np.asarray(pixels), np.asarray(groups)
    shape = shape or square(pixels.shape[1])
    side = max(shape)
    gap = max(1, side // 5)
    shown, counts = np.unique(groups, return_counts=True)
    shown = shown[:MOST_ROWS]
    patches_a_row = 10 if len(shown) <= 10 else 16
    rows = [pixels[np.flatnonzero(groups == group)[:patches_a_row]] for group in shown]

    # the axes have the size of the mosaic, so that its patches are as large as the width allows
    inches_a_pixel = (WIDTH - LEFT - RIGHT) / (patches_a_row * (side + gap) - gap)
    width = inches_a_pixel * (max(map(len, rows)) * (side + gap) - gap)
    height = inches_a_pixel * (len(rows) * (side + gap) - gap)
    total = height + TOP + BOTTOM
    margins = {"left": LEFT / WIDTH, "right": (LEFT + width) / WIDTH, "bottom": BOTTOM / total, "top": 1 - TOP / total}
    figure = style.new_figure(WIDTH, total, _title(len(shown), group_names, group_classes), **margins)
    axes = figure.subplots()
    _, tops = style.show_patches(axes, rows, shape, gap)
    axes.set_autoscale_on(False)

    classes = list(dict.fromkeys(group_names if group_classes is None else group_classes))
    colors = []
    left = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "right"}
    for group, count, top in zip(shown, counts, tops, strict=False):
        note, middle = f"{count:,} patches", top + (side - 1) / 2
        if group_classes is not None:
            note = f"{style.fitting(group_classes[group], 1, style.SMALL_SIZE)} · {note}"
        name = style.fitting(group_names[group], LEFT - 0.4)
        axes.annotate(name, (0, middle), (-14, 1), va="bottom", fontsize=style.TEXT_SIZE, **left)
        axes.annotate(note, (0, middle), (-14, -1), va="top", fontsize=style.SMALL_SIZE, color=style.REFERENCE, **left)
        k = group if group_classes is None else classes.index(group_classes[group])
        colors.append(style.class_color(k, len(classes)))
    bar = {"transform": axes.get_yaxis_transform(), "clip_on": False, "lw": 4}
    axes.vlines(np.full(len(tops), -0.06 / width), tops - 0.5, tops + side - 0.5, colors, **bar)
    note = "Pixels: black is 0, white is 1. Bars: the colour of the class."
    figure.text(LEFT / WIDTH, 0.12 / total, note, fontsize=style.SMALL_SIZE, color=style.REFERENCE)
    return figure


def _title(shown, group_names, group_classes):
    which = f"each of the {shown}" if shown == len(group_names) else f"{shown} of the {len(group_names)}"
    title = f"What the network sees: the first patches of {which} {'classes' if group_classes is None else 'kinds'}"
    if group_classes is None or len(set(group_classes)) > 2:
        return title
    counts = [f"{list(group_classes).count(name)} {style.fitting(name, 1)}" for name in dict.fromkeys(group_classes)]
    return f"{title} ({', '.join(counts)})"
