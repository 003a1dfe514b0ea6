"""What all figures share: colours, markers, a figure with a title, and patches as one image."""

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

DPI = 100
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 13, 10, 9
REFERENCE = "#555555"  # reference lines and their names
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# Okabe and Ito's colours, readable when colour-blind; Edge is the first, No Edge the second
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")


def new_figure(width, height, title, **margins):
    """A Figure of width × height inches with a title; margins as for Figure.subplots_adjust, fixed, so fast to draw."""
    figure = Figure(figsize=(width, height), dpi=DPI)
    figure.subplots_adjust(**margins)
    figure.suptitle(title, fontsize=TITLE_SIZE, x=0.5, y=1 - 0.12 / height, va="top")
    return figure


def class_color(k, classes):
    """Colour of class k of so many: Okabe and Ito's seven, beyond that evenly spaced along viridis."""
    return COLORS[k] if classes <= len(COLORS) else colormaps["viridis"](k / (classes - 1))


def class_marker(k):
    return MARKERS[k % len(MARKERS)]


def plain(name, longest=None):
    """A name from a file as text that matplotlib shows as it is ($ is no math), cut to a number of characters."""
    name = str(name)
    if longest is not None and len(name) > longest:
        name = name[: longest - 1] + "…"
    return name.replace("$", r"\$")


def show_patches(axes, rows, side, gap=1):
    """Draws patches as one grey image, 0 black to 1 white: rows is a list of arrays (count, side * side).

    Returns the left edges of the columns and the top edges of the rows, in pixels of the image.
    """
    step = side + gap
    columns = max(len(row) for row in rows)
    image = np.ones((len(rows) * step - gap, columns * step - gap))
    for r, row in enumerate(rows):
        for c, pixels in enumerate(row):
            image[r * step : r * step + side, c * step : c * step + side] = pixels.reshape(side, side)
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_axis_off()
    return np.arange(columns) * step, np.arange(len(rows)) * step
