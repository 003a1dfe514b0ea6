"""One vector of logits at several temperatures: below 1 softmax(z / T) is sharper, above 1 flatter."""

import numpy as np

from edge_demo.figures import style
from edge_demo.softmax import softmax

MOST = 8  # classes that get a bar: those with the largest logits


def temperature(logits, class_names, temperatures=(0.25, 0.5, 1, 2, 4, 8)):
    """A Figure with a group of bars for each temperature. logits: (classes,); class_names: one a class."""
    logits, temperatures = np.asarray(logits, dtype=np.float64), sorted(temperatures)
    classes, groups = len(logits), np.arange(len(temperatures))
    probabilities = np.array([softmax(logits, temperature=t) for t in temperatures])  # (temperatures, classes)
    first, last = (_number(p.max()) for p in probabilities[[0, -1]])
    title = (
        f"The largest p goes from {first} at T = {temperatures[0]:g} to {last} at T = {temperatures[-1]:g}; "
        "the order never changes"
    )
    shown = np.sort(np.argsort(-logits, kind="stable")[:MOST])
    below = 0.9 + 0.2 * -(-len(shown) // 3)  # inches
    height = below + 3.7
    figure = style.new_figure(9, height, title, left=0.07, right=0.91, bottom=below / height, top=1 - 0.8 / height)
    axes = figure.subplots()
    names = [f"T = {t:g}" for t in temperatures]
    if 1 in temperatures:
        one = temperatures.index(1)
        names[one] += "\nsoftmax as it is"
        axes.axvspan(one - 0.5, one + 0.5, color="0.92", lw=0, zorder=0)
    axes.axhline(1 / classes, color="0.65", lw=1, ls="--", zorder=0)  # behind the numbers
    axes.text(
        1.01, 1 / classes, f"equal p:\n1/{classes}", va="center", transform=axes.get_yaxis_transform(), **style.GREY
    )

    width = 0.86 / len(shown)
    narrow = 9 * 72 * 0.84 * width / len(groups) < 25  # points, about the width of a number
    for i, k in enumerate(shown):
        p, x = probabilities[:, k], groups + (i - (len(shown) - 1) / 2) * width
        name = f"z = {logits[k]:,.2f}".replace("-", "−") + f"   {style.fitting(class_names[k], 1.4)}"
        bars = axes.bar(x, p, 0.92 * width, color=style.class_color(k, classes), label=name)
        numbers = ["" if narrow and value < 0.005 else _number(value) for value in p]
        axes.bar_label(bars, numbers, padding=2, fontsize=8, rotation=90 if narrow else 0)
    axes.set(xlim=(-0.5, len(groups) - 0.5), ylim=(0, 1), ylabel="probability: softmax(z / T)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xticks(groups, names)
    heading = "logits" if len(shown) == classes else f"the {MOST} largest of {classes} logits"
    heading += " (bars without a number: p < 0.005)" if narrow and probabilities[:, shown].min() < 0.005 else ""
    figure.legend(title=heading, loc="lower center", ncols=min(3, len(shown)), frameon=False, fontsize=style.SMALL_SIZE)
    return figure


def _number(p):
    """Two decimals, but never 0.00 or 1.00, which softmax does not reach."""
    return "<0.01" if p < 0.005 else ">0.99" if p > 0.995 else f"{p:.2f}"
