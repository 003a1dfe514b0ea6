"""How uncertain the data is: patches in rows of rising exact p, with p below each and what share of all such are."""

from itertools import pairwise

import numpy as np

from edge_demo.datasets.patches import square
from edge_demo.figures.style import GREY, WIDTH, add_axes, drawn, fitting, new_figure, percent, show_patches

BORDERS = (0.0, 0.05, 0.35, 0.65, 0.95, 1.0)  # of the rows; from 0.05 to 0.95 a patch is called ambiguous
NAMES = ("surely not {}", "rather not {}", "undecided", "rather {}", "surely {}")
A_ROW = 10
LEFT, RIGHT, TOP, BOTTOM = 1.75, 0.15, 0.6, 0.25  # inches


@drawn
def certainty(pixels, p, class_name, shape=None):
    """A Figure: the first patches with an exact p of the class in each of five ranges.

    pixels: (n, rows * columns); p: (n,) their exact probabilities of the class of that name; shape: (rows, columns), by
    default square.
    """
    pixels, p = np.asarray(pixels), np.asarray(p)
    shape = shape or square(pixels.shape[1])
    side = max(shape)
    members = [np.flatnonzero((low <= p) & (p <= high)) for low, high in pairwise(BORDERS)]
    ambiguous = np.mean((p >= BORDERS[1]) & (p <= BORDERS[-2]))
    name = fitting(class_name, 1)
    title = f"{100 * ambiguous:.0f} % of the patches are ambiguous: their exact p({name}) is between 0.05 and 0.95"

    gap = max(1, 2 * side // 5)
    wide = WIDTH - LEFT - RIGHT
    tall = wide * (len(members) * (side + gap) - gap) / (A_ROW * (side + gap) - gap)
    figure = new_figure(TOP + tall + BOTTOM, title)
    axes = add_axes(figure, LEFT, BOTTOM, wide, tall)
    lefts, tops = show_patches(axes, [pixels[row[:A_ROW]] for row in members], shape, gap)
    for row, top, words in zip(members, tops, NAMES, strict=True):
        for i, left in zip(row[:A_ROW], lefts, strict=False):
            axes.text(left + (side - 1) / 2, top + 1.04 * side - 0.5, percent(p[i]), ha="center", va="top")
        x, y = -0.5 - 0.1 * side, top + side / 2 - 0.5
        axes.text(x, y, words.format(name), ha="right", va="bottom")
        axes.text(x, y, f"{100 * len(row) / len(p):.0f} % of all", ha="right", va="top", **GREY)
    return figure
