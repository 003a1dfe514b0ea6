"""What all figures share: colours, markers, a figure with a title, and patches as one image."""

from bisect import bisect_right

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FuncFormatter

DPI = 100
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 13, 10, 9
PANEL_TITLE = {"fontsize": TEXT_SIZE + 1, "y": 1.0}  # without a y, matplotlib lays all ticks out twice to find one
REFERENCE = "#555555"  # reference lines and their names
LINE, GREY = {"color": REFERENCE, "lw": 1}, {"color": REFERENCE, "fontsize": SMALL_SIZE}
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


def plain(name):
    """A name from a file as text that matplotlib shows as it is: $ is no math."""
    return _drawable(" ".join(str(name).split())).replace("$", r"\$")


def _drawable(name):
    """name with an escape, as Python writes it, for what the font has no picture of: controls, many scripts, emoji."""
    if name.isascii() and name.isprintable():
        return name
    font = get_font(findfont(FontProperties()))
    shown = (c.isprintable() and font.get_char_index(ord(c)) for c in name)
    return "".join(c if seen else ascii(c)[1:-1] for c, seen in zip(name, shown, strict=True))


def fitting(name, inches, size=TEXT_SIZE):
    """A name like plain(name), on one line and cut to a width in inches at a font size, in the middle: often the end of
    a long name is what tells it from others.
    """
    text, font = _drawable(" ".join(str(name).split())), FontProperties(size=size)

    def width(shown):
        return text_to_path.get_text_width_height_descent(shown, font, False)[0] / 72

    def cut(length):
        end = length // 3
        return text[: length - end].rstrip() + "…" + text[len(text) - end :].lstrip()

    if width(text) > inches:
        text = cut(max(1, bisect_right(range(1, len(text)), inches, key=lambda length: width(cut(length)))))
    return plain(text)


def show_patches(axes, rows, shape, gap=1):
    """Draws patches as one grey image, 0 black to 1 white, each in a square of max(shape) pixels a side.

    rows: a list of arrays (count, pixels); shape: rows and columns of each patch. Returns the left edges of the columns
    of squares and the top edges of their rows, in pixels.
    """
    side, cells, columns = max(shape), cells_across(shape), max(len(row) for row in rows)
    between = round(cells * gap / side)
    step = cells + between
    image = np.ones((len(rows) * step - between, columns * step - between))
    for r, row in enumerate(rows):
        for c, pixels in enumerate(row):
            image[r * step : r * step + cells, c * step : c * step + cells] = in_square(pixels, shape, 1)
    lefts, tops = np.arange(columns) * (side + gap), np.arange(len(rows)) * (side + gap)
    extent = (-0.5, lefts[-1] + side - 0.5, tops[-1] + side - 0.5, -0.5)
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest", extent=extent)
    axes.set_axis_off()
    return lefts, tops


def cells_across(shape):
    """Cells across the square in which a patch is drawn: the same number for each pixel, unless it is very large."""
    side = max(shape)
    return min(side * -(-60 // side), 200)


def in_square(pixels, shape, around):
    """One patch in the middle of a square image of cells_across(shape) cells; around: the value beside it.

    A very narrow patch is drawn wider than it is, so that it can be seen.
    """
    cells = cells_across(shape)
    height, width = (round(cells * max(length / max(shape), 0.25)) for length in shape)
    rows, columns = (np.arange(size) * length // size for size, length in zip((height, width), shape, strict=True))
    top, left = (cells - height) // 2, (cells - width) // 2
    square = np.full((cells, cells), around, dtype=np.float64)
    square[top : top + height, left : left + width] = np.reshape(pixels, shape)[np.ix_(rows, columns)]
    return square


def diagonal(axes, low, high, name):
    """The line x = y from low to high, with its name below its upper end."""
    axes.plot([low, high], [low, high], **LINE)
    at = low + 0.93 * (high - low)
    along = {"rotation": 45, "rotation_mode": "anchor", "transform_rotates_text": True}
    axes.text(at, at, name, ha="right", va="top", **along, **GREY)


def sigmoid(margin):
    """1 / (1 + exp(-margin)), without overflow."""
    return np.exp(-np.logaddexp(0, -margin))


def plot_classes(axes, x, y, labels, classes, size=3.5, opacity=0.4):
    """Draws patches as points, coloured and shaped by class: x, y, labels (n,)."""
    turns = -(-24 // classes)  # the classes take turns, so that the last one does not hide the others
    for turn in range(turns):
        for k in range(classes):
            shown = np.flatnonzero(labels == k)[turn::turns]
            if len(shown):
                look = {"color": class_color(k, classes), "ms": size, "mew": 0, "alpha": opacity}
                axes.plot(x[shown], y[shown], class_marker(k), clip_on=False, **look)


def class_legend(figure, class_names, y):
    """One legend for the whole figure, centred at height y (0 to 1)."""
    classes = len(class_names)
    handles = [
        Line2D([], [], ls="", marker=class_marker(k), ms=6, color=class_color(k, classes), label=f" {fitting(name, 3)}")
        for k, name in enumerate(class_names)
    ]
    figure.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, y),
        ncols=classes,
        frameon=False,
        fontsize=TEXT_SIZE,
        handletextpad=0,
    )


def number(value):
    """A score or an exponential as short text: 2.5, −12.3, 0.0067, 10,000, 3e+43."""
    size = abs(value)
    if size < 1 or size >= 1e6:
        text = f"{value:.2g}" if value else "0"
    else:
        text = f"{value:.1f}" if size < 100 else f"{value:,.0f}"
    return text.replace("-", "−")


def percent(p):
    """A probability as short text, never rounded to 0 % or 100 %, which softmax does not give."""
    if p < 1e-4 or p > 1 - 1e-4:
        return "< 0.01 %" if p < 0.5 else "> 99.99 %"
    return f"{100 * p:.0f} %" if 0.01 <= p <= 0.99 else f"{100 * p:.2f} %"


def logit_name(name):
    """z with the class as its index: z_no_edge for No Edge."""
    return "z_" + fitting("_".join(str(name).lower().split()), 1.3)


def plain_log_ticks(axes):
    """A logarithmic y axis with plain numbers at 1, 2 and 5 times each power of ten."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else ""))
    axes.tick_params(axis="y", which="minor", labelsize=SMALL_SIZE)


def save_figure(figure, path):
    """Writes a PNG file; the same figure gives the same bytes, without a note of the version that drew it."""
    with open(path, "wb") as file:
        figure.savefig(file, format="png", metadata={"Software": None})
