"""Patches unlike any in training: the network answers all the same, for its two probabilities sum to 1."""

import math

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from edge_demo.figures import style
from edge_demo.figures.example_patches import EXACT
from edge_demo.softmax import softmax

SENTENCES = (
    "Softmax divides by the sum over the classes, so p sums to 1 for any patch: nothing is left for “none of these”.",
    "The exact posterior must choose as well: it answers “given that the patch is one of these two”.",
)
CONFIDENT = 0.99  # p above this is called sure
WIDTH, TOP, BOTTOM, SIDE = 9, 1.3, 1.5, 0.62  # inches; SIDE: of a patch
PATCH, LOGITS, BARS, ANSWERS, DISTANCES = 1.55, 2.25, 3.65, 5.4, 7.2  # inches from the left


def surprises(names, pixels, logits, probabilities_exact, distances, typical, farthest, class_names):
    """A Figure with a row for each patch.

    names: n strings; pixels: (n, side * side); logits, probabilities_exact: (n, 2); distances: (n,), above 0, to the
    nearest training patch; typical, farthest: the median and the largest of the same over the test patches.
    """
    pixels, logits, exact = (np.asarray(values, dtype=np.float64) for values in (pixels, logits, probabilities_exact))
    p, side, distances = softmax(logits), math.isqrt(pixels.shape[1]), np.asarray(distances) / typical
    strange = distances > farthest / typical
    sure = np.count_nonzero(strange & (p.max(axis=1) > CONFIDENT))
    which = f"{sure} of {np.count_nonzero(strange)} patches unlike any in training"
    tall = SIDE * (len(pixels) * (side + 1) - 1) / side
    height = TOP + tall + BOTTOM
    figure = style.new_figure(WIDTH, height, f"The network is more than {100 * CONFIDENT:g} % sure of {which}")
    images, bars, far = (
        figure.add_axes((left / WIDTH, BOTTOM / height, width / WIDTH, tall / height))
        for left, width in ((PATCH, SIDE), (BARS, 1.65), (DISTANCES, 1.45))
    )

    _, tops = style.show_patches(images, [[patch] for patch in pixels], (side, side))
    middle = tops + (side - 1) / 2
    short = [style.fitting(name, 0.8, style.SMALL_SIZE) for name in class_names]
    for i, top in enumerate(tops):
        images.add_patch(Rectangle((-0.5, top - 0.5), side, side, fill=False, color=style.REFERENCE, clip_on=False))
        low, high = (f"{value:.1f}".replace("-", "−") for value in (pixels[i].min(), pixels[i].max()))
        z, name = logits[i], style.fitting(names[i], PATCH - 0.2, style.SMALL_SIZE)
        logits_shown = (f"{style.logit_name(class_names[k])} = {style.number(z[k])}" for k in (0, 1))
        answers = (("network", p[i]), ("exact", exact[i]))
        answers = (f"{who}: {short[q.argmax()]} {style.percent(q.max())}" for who, q in answers)
        y = (BOTTOM + tall - SIDE * (middle[i] + 0.5) / side) / height
        look = {"va": "center", "fontsize": style.SMALL_SIZE}
        figure.text((PATCH - 0.1) / WIDTH, y, f"{name}\npixels {low} to {high}", ha="right", **look)
        figure.text(LOGITS / WIDTH, y, "\n".join(logits_shown), **look)
        figure.text(ANSWERS / WIDTH, y, "\n".join(answers), **look)

    colors = [style.class_color(k, 2) for k in (0, 1)]
    bars.barh(middle, p[:, 0], height=0.55 * side, color=colors[0])
    bars.barh(middle, p[:, 1], left=p[:, 0], height=0.55 * side, color=colors[1])
    bars.plot(exact[:, 0], middle, clip_on=False, **EXACT)
    bars.set(xlim=(0, 1), ylim=images.get_ylim(), yticks=[], xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"])
    bars.set_xlabel(f"p({short[0]})")
    bars.set_title(f"p({short[0]}) from the left,\np({short[1]}) from the right", fontsize=style.TEXT_SIZE)

    far.hlines(middle, 1, distances, color="black", lw=1)
    far.plot(distances, middle, "ok", ms=5)
    for x, y in zip(distances, middle, strict=True):
        look = {"textcoords": "offset points", "va": "center", "fontsize": style.SMALL_SIZE}
        far.annotate(f"{x:.1f}", (x, y), (6, 0), bbox={"fc": "white", "ec": "none", "pad": 1}, **look)
    for x, ls in ((1, "--"), (farthest / typical, ":")):
        far.axvline(x, color=style.REFERENCE, lw=1, ls=ls)
    far.set(xscale="log", xlim=(0.8 * min(1, distances.min()), 4 * distances.max()), ylim=images.get_ylim(), yticks=[])
    far.xaxis.set_major_formatter("{x:g}")
    far.minorticks_off()
    far.set_xlabel("(log scale)")
    far.set_title("distance to the nearest\ntraining patch", fontsize=style.TEXT_SIZE)
    for axes in (bars, far):
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(labelsize=style.SMALL_SIZE, left=False)

    handles = [Patch(color=color, label=" " + name) for color, name in zip(colors, short, strict=True)]
    handles.append(Line2D([], [], label="exact posterior", **EXACT))
    handles.append(Line2D([], [], color=style.REFERENCE, lw=1, ls="--", label="median test patch = 1"))
    name = f"farthest test patch {farthest / typical:.1f}"
    handles.append(Line2D([], [], color=style.REFERENCE, lw=1, ls=":", label=name))
    place = {"loc": "center", "bbox_to_anchor": (0.5, 1 - 0.58 / height), "ncols": 5}
    figure.legend(handles=handles, frameon=False, fontsize=style.SMALL_SIZE, **place)
    note = (
        "Unlike any in training: farther from the training patches than every test patch. "
        "Drawn black below 0, white above 1."
    )
    figure.text(0.5, 0.62 / height, note, ha="center", **style.GREY)
    figure.text(0.5, 0.1 / height, "\n".join(SENTENCES), ha="center", fontsize=style.TEXT_SIZE)
    return figure
