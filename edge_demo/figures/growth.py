"""How time grows with size, beside a floor: on log-log axes, equal growth is two parallel lines."""

import numpy as np

from edge_demo.figures import style


def growth(curves):
    """A Figure with a panel a curve, three in a row.

    curves: a dict from "what: the sizes' name" to (sizes, seconds, seconds of the floor), all above 0.
    """
    columns = min(3, len(curves))
    rows = -(-len(curves) // columns)
    height = 1.05 + 2.75 * rows
    worst = max(np.divide(seconds, floor)[-1] / np.divide(seconds, floor)[0] for _, seconds, floor in curves.values())
    title = f"From its smallest size to its largest, nothing grows more than {worst:.2f} times as much as its floor"
    margins = {"left": 0.08, "right": 0.985, "bottom": 0.6 / height, "top": 1 - 0.95 / height}
    figure = style.new_figure(9, height, title, hspace=0.55, wspace=0.32, **margins)
    panels = figure.subplots(rows, columns, squeeze=False)
    for panel, (name, (sizes, seconds, floor)) in zip(panels.flat, curves.items(), strict=False):
        what, _, axis = name.partition(": ")
        panel.plot(sizes, seconds, "o-", color=style.COLORS[0], ms=4, label="measured")
        panel.plot(sizes, floor, "s--", color=style.REFERENCE, ms=3, lw=1, label="floor")
        panel.set(xscale="log", yscale="log", xlabel=axis)
        panel.set_title(f"{what}, seconds", fontsize=style.TEXT_SIZE)
        panel.set_xticks(sizes, [_short(size) for size in sizes], fontsize=style.SMALL_SIZE)
        panel.set_xticks([], minor=True)
        panel.yaxis.set_minor_formatter("")  # within one power of ten matplotlib would name the small ticks too
        panel.tick_params(axis="y", labelsize=style.SMALL_SIZE)
        panel.grid(alpha=0.3)
    for panel in list(panels.flat)[len(curves) :]:
        panel.set_axis_off()
    handles, labels = panels.flat[0].get_legend_handles_labels()
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 1 - 0.38 / height), "ncols": 2}
    figure.legend(handles, labels, frameon=False, fontsize=style.SMALL_SIZE, **place)
    return figure


def _short(size):
    for unit, name in ((10**6, "M"), (10**3, "k")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{name}"
    return str(size)
