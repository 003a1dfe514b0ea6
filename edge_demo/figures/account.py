"""What holds the network back: its loss above the floor, once by what it says, once by the reason."""

import numpy as np

from edge_demo.figures import style

COLORS = (style.COLORS[0], style.COLORS[4], style.COLORS[3])  # of the reasons
LEFT, ROW = 1.55, 0.6  # inches


@style.drawn
def account(parts, reasons, title):
    """A Figure of two stacked bars of equal length, in nats.

    parts: a dict of grouping and calibration; reasons: a dict from a few words to (mean, standard deviation) over
    draws.
    """
    figure = style.new_figure(3.0, title)
    axes = style.add_axes(figure, LEFT, 1.2, style.WIDTH - LEFT - 0.3, 2 * ROW)
    handles, below = [], 0.0
    for name, value in parts.items():
        label = f"{name}: {value:.3f}"
        handles.append(axes.barh(0, value, 0.6, below, color=style.PART_COLORS[name], label=label))
        below += value
    below = 0.0
    for (name, (mean, deviation)), color in zip(reasons.items(), COLORS, strict=True):
        handles.append(
            axes.barh(1, max(mean, 0), 0.6, below, color=color, label=f"{name}: {mean:.3f} ± {deviation:.3f}")
        )
        below += max(mean, 0)
    axes.set(xlim=(0, 1.03 * max(below, sum(parts.values()))), ylim=(1.5, -0.5), xlabel="nats above the Bayes floor")
    axes.set_yticks(np.arange(2), ["by what it says", "by the reason"])
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(handles=handles, loc="lower center", ncols=3, fontsize=style.RC["font.size"])
    return figure
