"""Measured ratios beside their goals: what is left of its mark is fast enough."""

import numpy as np
from matplotlib.ticker import LogLocator

from edge_demo.figures import style


def ratios(names, against, ratio, low, high, goal):
    """A Figure with a row a comparison, on a logarithmic axis; low and high are quartiles. All lists of one length."""
    ratio, goal, y = np.array(ratio), np.array(goal), np.arange(len(names))
    within = ratio <= goal
    height = 1.25 + 0.24 * len(names)
    title = f"{np.count_nonzero(within)} of {len(names)} comparisons are within their goal"
    figure = style.new_figure(9, height, title, left=0.57, right=0.97, bottom=0.55 / height, top=1 - 0.7 / height)
    axes = figure.subplots()
    axes.hlines(y, low, high, color=style.REFERENCE, lw=1.5)
    for kept, color, marker, label in ((within, 0, "o", "within its goal"), (~within, 5, "s", "over its goal")):
        axes.plot(ratio[kept], y[kept], marker, color=style.COLORS[color], ms=6, label=label)
    axes.plot(goal, y, "|", color="black", ms=11, mew=2, label="goal")
    axes.set(xscale="log", ylim=(len(names) - 0.5, -0.5))
    axes.set_yticks(y, [f"{name} / {other}" for name, other in zip(names, against, strict=True)], fontsize=8)
    axes.set_xlabel("ratio of times, median with quartiles (log scale)", fontsize=style.SMALL_SIZE)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.tick_params(axis="x", labelsize=style.SMALL_SIZE)
    axes.grid(axis="x", alpha=0.3)
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 1 - 0.36 / height), "ncols": 3}
    figure.legend(frameon=False, fontsize=style.SMALL_SIZE, **place)
    return figure
