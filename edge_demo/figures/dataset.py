"""The data: what the network is shown, a row of patches for each kind or class.

The first patches of each group are drawn, not chosen ones, so a row shows how much they differ.
"""

import numpy as np

from edge_demo.datasets.patches import square
from edge_demo.figures.style import GREY, WIDTH, add_axes, class_color, drawn, fitting, new_figure, show_patches, write

MOST_ROWS = 24
LEFT, RIGHT, TOP, BOTTOM = 2.4, 0.15, 0.55, 0.4  # inches


@drawn
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
    most = 10 if len(shown) <= 10 else 16  # patches a row
    rows = [pixels[np.flatnonzero(groups == group)[:most]] for group in shown]

    # the axes have the size of the mosaic, so that its patches are as large as the width allows
    pixel = (WIDTH - LEFT - RIGHT) / (most * (side + gap) - gap)  # inches
    wide, tall = (pixel * (count * (side + gap) - gap) for count in (max(map(len, rows)), len(rows)))
    groups_shown = f"{len(shown)} {'kinds' if group_classes else 'classes'}"
    title = f"What the network sees: the first patches of {groups_shown}"
    figure = new_figure(tall + TOP + BOTTOM, title)
    axes = add_axes(figure, LEFT, BOTTOM, wide, tall)
    _, tops = show_patches(axes, rows, shape, gap)

    classes = list(dict.fromkeys(group_classes or group_names))
    place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "right"}
    for group, count, top in zip(shown, counts, tops, strict=False):
        note, k = f"{count:,} patches", group
        if group_classes is not None:
            note = f"{fitting(group_classes[group], 1)} · {note}"
            k = classes.index(group_classes[group])
        at = 0, top + (side - 1) / 2
        axes.annotate(f"{fitting(group_names[group], LEFT - 0.4)}", at, (-14, 1), va="bottom", **place)
        axes.annotate(note, at, (-14, -1), va="top", **place, **GREY)
        bar = {"transform": axes.get_yaxis_transform(), "clip_on": False, "lw": 4}
        axes.plot([-0.06 / wide] * 2, [top - 0.4, top + side - 0.6], color=class_color(k, len(classes)), **bar)
    note = "Pixels: black is 0, white is 1. Bars: the colour of the class."
    write(figure, LEFT, 0.12, note, **GREY)
    return figure
