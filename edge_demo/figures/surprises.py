"""Patches unlike any in training: the network answers all the same, for its two probabilities sum to 1."""

import math

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from edge_demo.figures.example_patches import EXACT
from edge_demo.figures.style import (
    COLORS,
    GREY,
    LINE,
    WIDTH,
    add_axes,
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

SENTENCES = (
    "Softmax divides by the sum over the classes, so p sums to 1 for any patch: nothing is left for “none of these”.",
    "The exact posterior must choose as well: it answers “given that the patch is one of these two”.",
)
CONFIDENT = 0.99  # p above this is called sure
TOP, BOTTOM, SIDE = 1.3, 1.5, 0.62  # inches; SIDE: of a patch
PATCH, BARS, ANSWERS, DISTANCES = 1.55, 2.5, 4.5, 6.6  # inches from the left


@drawn
def surprises(names, pixels, logits, probabilities_exact, distances, typical, farthest, class_names):
    """A Figure with a row for each patch.

    names: n strings; pixels: (n, side * side); logits, probabilities_exact: (n, 2); distances: (n,), above 0, to the
    nearest training patch; typical, farthest: the median and the largest of the same over the test patches.
    """
    pixels, logits, exact = (np.asarray(values, dtype=np.float64) for values in (pixels, logits, probabilities_exact))
    p, side, distances = softmax(logits), math.isqrt(pixels.shape[1]), np.asarray(distances) / typical
    short = [fitting(name, 0.8) for name in class_names]
    worst = np.abs(p - exact)[:, 0].argmax()
    says = f"{percent(p[worst, 0])} {short[0]}, the exact posterior {percent(exact[worst, 0])}"
    tall = SIDE * (len(pixels) * (side + 1) - 1) / side
    figure = new_figure(TOP + tall + BOTTOM, f"The network calls the {fitting(names[worst], 2, 13)} {says}")
    places = ((PATCH, SIDE), (BARS, 1.8), (DISTANCES, 1.9))
    images, bars, far = (add_axes(figure, left, BOTTOM, width, tall) for left, width in places)

    _, tops = show_patches(images, [[patch] for patch in pixels], (side, side))
    middle = tops + (side - 1) / 2
    for i, top in enumerate(tops):
        images.add_patch(Rectangle((-0.5, top - 0.5), side, side, fill=False, clip_on=False))
        low, high = (f"{value:.1f}".replace("-", "−") for value in (pixels[i].min(), pixels[i].max()))
        answers = (("network", p[i]), ("exact", exact[i]))
        answers = (f"{who}: {short[q.argmax()]} {percent(q.max())}" for who, q in answers)
        y = BOTTOM + tall - SIDE * (middle[i] + 0.5) / side
        name = f"{fitting(names[i], PATCH - 0.2)}\npixels {low} to {high}"
        write(figure, PATCH - 0.1, y, name, ha="right", va="center")
        write(figure, ANSWERS, y, "\n".join(answers), va="center")

    for k, left in enumerate((0, p[:, 0])):
        bars.barh(middle, p[:, k], left=left, height=0.55 * side, color=COLORS[k])
    bars.plot(exact[:, 0], middle, clip_on=False, **EXACT)
    bars.set(xlim=(0, 1), xticks=[0, 0.5, 1], xlabel=f"p({short[0]})")
    bars.xaxis.set_major_formatter("{x:g}")
    bars.set_title(f"p({short[0]}) from the left,\np({short[1]}) from the right", fontsize=10)

    far.hlines(middle, 1, distances, color="black", lw=1)
    far.plot(distances, middle, "ok", ms=5)
    for x, y in zip(distances, middle, strict=True):
        box = {"fc": "white", "ec": "none", "pad": 1}
        far.annotate(f"{x:.1f}", (x, y), (6, 0), textcoords="offset points", va="center", bbox=box)
    for x, ls in ((1, "--"), (farthest / typical, ":")):
        far.axvline(x, ls=ls, **LINE)
    far.set(xscale="log", xlim=(0.8 * min(1, distances.min()), 4 * distances.max()), xlabel="(log scale)")
    far.xaxis.set_major_formatter("{x:g}")
    far.minorticks_off()
    far.set_title("distance to the nearest\ntraining patch", fontsize=10)
    for axes in (bars, far):
        axes.set(ylim=images.get_ylim(), yticks=[])
        only_bottom(axes)

    handles = [Patch(color=color, label=name) for color, name in zip(COLORS, short, strict=False)]
    handles.append(Line2D([], [], label="exact posterior", **EXACT))
    handles.append(Line2D([], [], ls="--", label="median test patch = 1", **LINE))
    handles.append(Line2D([], [], ls=":", label=f"farthest test patch {farthest / typical:.1f}", **LINE))
    legend(figure, handles, 0.58)
    note = "Patches farther than every test patch are unlike any in training. Drawn black below 0, white above 1."
    write(figure, WIDTH / 2, 0.62, note, ha="center", **GREY)
    write(figure, WIDTH / 2, 0.1, "\n".join(SENTENCES), ha="center", fontsize=10)
    return figure
