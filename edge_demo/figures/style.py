"""What all figures share: sizes and colours, a figure with a title, places in inches, and patches as one image.

Every figure is drawn and saved in matplotlib's own defaults and RC, whatever the user's matplotlibrc says.
"""

from contextlib import contextmanager
from functools import wraps

import matplotlib
import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FuncFormatter

RC = {
    "figure.dpi": 100,
    "font.size": 9,
    "figure.titlesize": 13,
    "axes.titlesize": 11,
    "axes.titley": 1.0,  # without a place, matplotlib lays all ticks out twice to find one
    "axes.labelsize": 10,
    "legend.frameon": False,
    "text.parse_math": False,  # a $ in a name of a class is no formula
}
WIDTH = 9  # inches of nearly all figures
REFERENCE = "#555555"  # reference lines and their names
LINE, GREY = {"color": REFERENCE, "lw": 1}, {"color": REFERENCE}
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# Okabe and Ito's colours, readable when colour-blind; Edge is the first, No Edge the second
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
PART_COLORS = {"bayes": "#BBBBBB", "grouping": "#009E73", "calibration": "#D55E00"}  # of the loss
BEHIND = LinearSegmentedColormap.from_list("p", [COLORS[1], "white", COLORS[0]])  # from No Edge to Edge


class CannotDraw(ValueError):
    """A figure does not know how to draw such a network."""


@contextmanager
def own_look():
    """matplotlib's defaults and RC, and afterwards what was there."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RC)
        yield


def drawn(draw):
    """A decorator: the function draws in own_look()."""

    @wraps(draw)
    def draw_in_own_look(*args, **options):
        with own_look():
            return draw(*args, **options)

    return draw_in_own_look


def save_figure(figure, path):
    """Writes a PNG file; the same figure gives the same bytes, without a note of the version that drew it."""
    with own_look(), open(path, "wb") as file:
        figure.savefig(file, format="png", metadata={"Software": None})


def rendered(figure):
    """The figure as pixels, (height, width, 4) uint8."""
    canvas = FigureCanvasAgg(figure)
    with own_look():
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def new_figure(height, title, *, width=WIDTH, left=0.0, right=0.0, bottom=0.0, top=0.0, **gaps):
    """A Figure with a title. height, width and the margins, within which subplots lie, in inches."""
    figure = Figure(figsize=(width, height))
    figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height, **gaps)
    figure.suptitle(title, y=1 - 0.12 / height, va="top")
    return figure


def add_axes(figure, left, bottom, width, height):
    """Axes at a place in a figure, all in inches."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def write(figure, x, y, text, **look):
    """Writes text into a figure, at x and y inches from its lower left corner."""
    return figure.text(x, y, text, transform=figure.dpi_scale_trans, **look)


def color_bar(figure, image, left, bottom, height, label="", **options):
    """A colour bar as high as what stands beside it, in inches."""
    bar = figure.colorbar(image, cax=add_axes(figure, left, bottom, 0.13, height), **options)
    bar.set_label(label, labelpad=2, size=RC["font.size"])
    return bar


def legend(figure, handles, below_top, ncols=5, **options):
    """One legend for the whole figure, its middle so many inches below the figure's top."""
    place = 0.5, 1 - below_top / figure.get_figheight()
    figure.legend(handles=handles, loc="center", bbox_to_anchor=place, ncols=min(ncols, len(handles)), **options)


def class_legend(figure, class_names, below_top):
    """The markers of all classes."""
    classes = len(class_names)
    handles = [
        Line2D([], [], ls="", marker=class_marker(k), ms=6, color=class_color(k, classes), label=fitting(name, 3))
        for k, name in enumerate(class_names)
    ]
    legend(figure, handles, below_top, classes, handletextpad=0.3)


def class_color(k, classes):
    """Colour of class k of so many: Okabe and Ito's seven, beyond that evenly spaced along viridis."""
    return COLORS[k] if classes <= len(COLORS) else colormaps["viridis"](k / (classes - 1))


def class_marker(k):
    return MARKERS[k % len(MARKERS)]


def shades(count):
    """So many colours along viridis, none too bright."""
    return colormaps["viridis"](np.linspace(0, 0.9, count))


def fitting(name, inches, size=RC["font.size"]):
    """A name on one line, cut in the middle to a width in inches: often the end of a long name tells it from others."""
    font = FontProperties(size=size)
    known = get_font(findfont(font)).get_char_index
    line = " ".join(str(name).split())
    text = "".join(c if c.isprintable() and known(ord(c)) else ascii(c)[1:-1] for c in line)
    shown, kept = text, min(len(text), 99)
    while kept > 1 and text_to_path.get_text_width_height_descent(shown, font, False)[0] > 72 * inches:
        kept -= 1
        shown = text[: kept - kept // 3].rstrip() + "…" + text[len(text) - kept // 3 :].lstrip()
    return shown


def logit_name(name):
    """z with the class as its index: z_no_edge for No Edge."""
    return "z_" + fitting("_".join(str(name).lower().split()), 1.3)


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
    if p < 0.001 or p > 0.999:
        return "< 0.1 %" if p < 0.5 else "> 99.9 %"
    return f"{100 * p:.0f} %" if 0.01 <= p <= 0.99 else f"{100 * p:.1f} %"


def sigmoid(margin):
    """1 / (1 + exp(-margin)), without overflow."""
    return np.exp(-np.logaddexp(0, -margin))


def show_image(axes, grey, title):
    """A picture without ticks, 0 black to 1 white."""
    axes.set_axis_off()
    axes.set_title(title, pad=3, fontsize=RC["axes.labelsize"])
    return axes.imshow(grey, cmap="gray", vmin=0, vmax=1)


def show_patches(axes, rows, shape, gap=1):
    """Draws patches as one grey image, 0 black to 1 white, each in a square of max(shape) pixels a side.

    rows: a list of arrays (count, pixels); shape: rows and columns of each patch; gap: pixels between squares. Returns
    the left edges of the columns of squares and the top edges of their rows, in pixels.
    """
    side, columns = max(shape), max(len(row) for row in rows)
    cells = len(in_square(rows[0][0], shape, 1))
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
    axes.set_autoscale_on(False)
    return lefts, tops


def in_square(pixels, shape, around):
    """One patch in the middle of a square image of some 60 to 200 cells a side; around: the value beside it.

    A very narrow patch is drawn wider than it is, so that it can be seen.
    """
    side = max(shape)
    cells = min(side * -(-60 // side), 200)
    height, width = (round(cells * max(length / side, 0.25)) for length in shape)
    rows, columns = np.arange(height) * shape[0] // height, np.arange(width) * shape[1] // width
    top, left = (cells - height) // 2, (cells - width) // 2
    square = np.full((cells, cells), around, dtype=np.float64)
    square[top : top + height, left : left + width] = np.reshape(pixels, shape)[np.ix_(rows, columns)]
    return square


def heat_map(axes, values, text=None, cmap="Blues", low=0, high=1, **look):
    """An image with text(number) in each cell, black or white by its brightness."""
    image = axes.imshow(values, cmap=cmap, vmin=low, vmax=high, aspect="auto")
    for (row, column), value in np.ndenumerate(values if text else ()):
        bright = image.cmap(image.norm(value))[:3] @ np.array([0.299, 0.587, 0.114]) > 0.5
        color = "black" if bright else "white"
        axes.text(column, row, text(value), ha="center", va="center", color=color, **look)
    return image


def plot_classes(axes, x, y, labels, classes, size=3.5, opacity=0.4):
    """Draws patches as points, coloured and shaped by class: x, y, labels (n,)."""
    turns = -(-24 // classes)  # the classes take turns, so that the last one does not hide the others
    for turn in range(turns):
        for k in range(classes):
            shown = np.flatnonzero(labels == k)[turn::turns]
            if len(shown):
                look = {"color": class_color(k, classes), "ms": size, "mew": 0, "alpha": opacity}
                axes.plot(x[shown], y[shown], class_marker(k), clip_on=False, **look)


def plain_log_ticks(axes):
    """A logarithmic y axis with plain numbers, the more of them the less it spans. Call it last."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    digits = "23456789" if high < 4 * low else "2357" if high < 30 * low else "25"
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in digits else ""))


def only_bottom(axes):
    """Axes of which only the lower border is drawn."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
