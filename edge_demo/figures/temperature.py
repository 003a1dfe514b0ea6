"""One vector of logits at several temperatures: below 1 softmax(z / T) is sharper, above 1 flatter."""

import numpy as np

from edge_demo.figures.style import GREY, WIDTH, add_axes, class_color, drawn, fitting, new_figure, percent
from edge_demo.softmax import softmax

MOST = 8  # classes that get a bar: those with the largest logits
LEFT, RIGHT = 0.65, 0.8  # inches


@drawn
def temperature(logits, class_names, temperatures=(0.25, 0.5, 1, 2, 4, 8)):
    """A Figure with a group of bars for each temperature. logits: (classes,); class_names: one a class."""
    logits, temperatures = np.asarray(logits, dtype=np.float64), sorted(temperatures)
    classes, groups = len(logits), np.arange(len(temperatures))
    probabilities = np.array([softmax(logits, temperature=t) for t in temperatures])  # (temperatures, classes)
    first, last = (percent(p.max()) for p in probabilities[[0, -1]])
    title = (
        f"The largest p goes from {first} at T = {temperatures[0]:g} to {last} at T = {temperatures[-1]:g}; "
        "the order never changes"
    )
    shown = np.sort(np.argsort(-logits, kind="stable")[:MOST])
    below = 0.7 + 0.2 * -(-len(shown) // 3)  # inches
    figure = new_figure(below + 3.7, title)
    axes = add_axes(figure, LEFT, below, WIDTH - LEFT - RIGHT, 2.9)
    names = [f"T = {t:g}" for t in temperatures]
    if 1 in temperatures:
        one = temperatures.index(1)
        names[one] += "\nsoftmax as it is"
        axes.axvspan(one - 0.5, one + 0.5, color="0.92", lw=0, zorder=0)
    axes.axhline(1 / classes, color="0.65", lw=1, ls="--", zorder=0)  # behind the numbers
    at = {"va": "center", "transform": axes.get_yaxis_transform()}
    axes.text(1.01, 1 / classes, f"equal p:\n1/{classes}", **at, **GREY)

    width = 0.86 / len(shown)
    narrow = (WIDTH - LEFT - RIGHT) * width / len(groups) < 0.4  # inches, about the width of a number
    for i, k in enumerate(shown):
        p, x = probabilities[:, k], groups + (i - (len(shown) - 1) / 2) * width
        name = f"z = {logits[k]:,.2f}".replace("-", "−") + f"   {fitting(class_names[k], 1.4)}"
        bars = axes.bar(x, p, 0.92 * width, color=class_color(k, classes), label=name)
        axes.bar_label(bars, map(percent, p), padding=2, fontsize=8, rotation=90 if narrow else 0)
    axes.set(xlim=(-0.5, len(groups) - 0.5), ylim=(0, 1), ylabel="probability: softmax(z / T)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xticks(groups, names)
    figure.legend(loc="lower center", ncols=min(3, len(shown)))
    return figure
