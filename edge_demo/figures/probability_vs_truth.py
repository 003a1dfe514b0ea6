"""The learned probability beside the exact one, which is known because the generator of the patches is."""

import numpy as np
from matplotlib.colors import LogNorm

from edge_demo.evaluation import AMBIGUOUS, is_ambiguous, loss_parts
from edge_demo.figures.style import COLORS, LINE, WIDTH, add_axes, color_bar, drawn, fitting, new_figure

CELLS = np.linspace(0, 1, 51)
FEWEST = 20  # patches in a cell of learned p from which a mean and a band are drawn
PANEL, BOTTOM = 3.3, 0.62  # inches


@drawn
def probability_vs_truth(log_probabilities, log_posterior, class_name):
    """A Figure: where patches lie in the plane of exact and learned p; and, for each learned p, what the exact one is.

    log_probabilities, log_posterior: (n, 2), learned and exact, of many patches; class_name: of the first class.
    """
    p, truth = np.exp(log_probabilities[:, 0]), np.exp(log_posterior[:, 0])
    parts = loss_parts(log_probabilities, log_posterior)
    ambiguous = is_ambiguous(log_posterior)
    name = f"p({fitting(class_name, 1)})"
    off = np.abs(p - truth)[ambiguous].mean() if ambiguous.any() else np.abs(p - truth).mean()
    which = "on ambiguous patches" if ambiguous.any() else "on average"
    figure = new_figure(4.95, f"Learned and exact {name} are {off:.3f} apart {which}")
    left, right = (add_axes(figure, x, BOTTOM, PANEL, PANEL) for x in (0.65, WIDTH - PANEL - 0.15))
    for axes in (left, right):
        axes.plot([0, 1], [0, 1], **LINE)
        axes.set(xlim=(0, 1), ylim=(0, 1))
    left.set(xlabel=f"exact {name}", ylabel=f"learned {name}")
    right.set(xlabel=f"learned {name}", ylabel=f"exact {name}")
    image = _density(left, truth, p)
    _band(right, p, truth)
    bar = color_bar(figure, image, 0.65 + PANEL + 0.1, BOTTOM, PANEL, "patches (log scale)", format="{x:,.0f}")
    bar.ax.set_ylim(1, image.norm.vmax)
    bar.ax.minorticks_off()
    share = f"{100 * ambiguous.mean():.0f} % of the patches"
    left.set_title(f"{share} are ambiguous:\nthey lie between the dotted lines")
    right.set_title(
        f"curve off the diagonal: calibration, {max(parts.calibration, 0):.3f} nats\n"
        f"width of the band: grouping, {max(parts.grouping, 0):.3f} nats"
    )
    return figure


def _density(axes, truth, p):
    counts, _, _ = np.histogram2d(truth, p, (CELLS, CELLS))
    palest = 0.15  # below 1, so that a single patch is seen on white
    for border in AMBIGUOUS:
        axes.axvline(border, color="black", lw=1, ls=":")
    shown = np.ma.masked_equal(counts.T, 0)
    return axes.pcolormesh(CELLS, CELLS, shown, cmap="Blues", norm=LogNorm(palest, max(counts.max(), 2)))


def _band(axes, p, truth):
    cell = np.clip(np.digitize(p, CELLS[::2]) - 1, 0, len(CELLS[::2]) - 2)
    filled = [k for k in np.unique(cell) if np.count_nonzero(cell == k) >= FEWEST]
    learned = [p[cell == k].mean() for k in filled]
    mean = [truth[cell == k].mean() for k in filled]
    low, high = ([np.quantile(truth[cell == k], share) for k in filled] for share in (0.1, 0.9))
    axes.fill_between(learned, low, high, color=COLORS[0], alpha=0.25, lw=0, label="middle 80 % of exact p")
    axes.plot(learned, mean, "o-", color=COLORS[0], ms=4, label="mean exact p")
    axes.legend(loc="lower right")
