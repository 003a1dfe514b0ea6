"""The learned probability beside the exact one, which is known because the generator of the patches is."""

import numpy as np
from matplotlib.colors import LogNorm

from edge_demo.evaluation import AMBIGUOUS, is_ambiguous, loss_parts
from edge_demo.figures import style

CELLS = np.linspace(0, 1, 51)
FEWEST = 20  # patches in a cell of learned p from which a mean and a band are drawn
WIDTH, HEIGHT, SIDE, BOTTOM = 9, 4.95, 3.3, 0.62  # inches; SIDE: of a panel


def probability_vs_truth(log_probabilities, log_posterior, class_name):
    """A Figure: where patches lie in the plane of exact and learned p; and, for each learned p, what the exact one is.

    log_probabilities, log_posterior: (n, 2), learned and exact, of many patches; class_name: of the first class.
    """
    p, truth = np.exp(log_probabilities[:, 0]), np.exp(log_posterior[:, 0])
    parts = loss_parts(log_probabilities, log_posterior)
    ambiguous = is_ambiguous(log_posterior)
    name = f"p({style.fitting(class_name, 1)})"
    off = np.abs(p - truth)[ambiguous].mean() if ambiguous.any() else np.abs(p - truth).mean()
    which = "on ambiguous patches" if ambiguous.any() else "on average"
    title = f"Learned and exact {name} are {off:.3f} apart {which}"
    figure = style.new_figure(WIDTH, HEIGHT, title)
    left, right = (
        figure.add_axes((x / WIDTH, BOTTOM / HEIGHT, SIDE / WIDTH, SIDE / HEIGHT)) for x in (0.65, WIDTH - SIDE - 0.15)
    )
    _density(left, truth, p, name, ambiguous)
    _band(right, p, truth, name)
    share = f"{100 * ambiguous.mean():.0f} % of the patches"
    left.set_title(f"{share} are ambiguous:\nthey lie between the dotted lines", **style.PANEL_TITLE)
    right.set_title(
        f"curve off the diagonal: calibration, {max(parts.calibration, 0):.3f} nats\n"
        f"width of the band: grouping, {max(parts.grouping, 0):.3f} nats",
        **style.PANEL_TITLE,
    )
    return figure


def _density(axes, truth, p, name, ambiguous):
    counts, _, _ = np.histogram2d(truth, p, (CELLS, CELLS))
    shown = np.ma.masked_equal(counts.T, 0)
    most = max(counts.max(), 2)
    palest = 0.15  # below 1, so that a single patch is seen on white
    image = axes.pcolormesh(CELLS, CELLS, shown, cmap="Blues", norm=LogNorm(palest, most))
    for border in AMBIGUOUS:
        axes.axvline(border, color="black", lw=1, ls=":")
    style.diagonal(axes, 0, 1, "")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel=f"exact {name}", ylabel=f"learned {name}")

    place = axes.get_position()
    bar = axes.figure.colorbar(image, cax=axes.figure.add_axes((place.x1 + 0.011, place.y0, 0.014, place.height)))
    bar.ax.set_ylim(1, most)
    bar.ax.yaxis.set_major_formatter("{x:,.0f}")
    bar.ax.minorticks_off()
    bar.ax.tick_params(labelsize=style.SMALL_SIZE)
    bar.set_label("patches (log scale)", fontsize=style.SMALL_SIZE, labelpad=1)


def _band(axes, p, truth, name):
    cell = np.clip(np.digitize(p, CELLS[::2]) - 1, 0, len(CELLS[::2]) - 2)
    filled = [k for k in np.unique(cell) if np.count_nonzero(cell == k) >= FEWEST]
    learned = [p[cell == k].mean() for k in filled]
    mean = [truth[cell == k].mean() for k in filled]
    low, high = ([np.quantile(truth[cell == k], share) for k in filled] for share in (0.1, 0.9))
    band = axes.fill_between(learned, low, high, color=style.COLORS[0], alpha=0.25, lw=0)
    (line,) = axes.plot(learned, mean, "o-", color=style.COLORS[0], ms=4)
    style.diagonal(axes, 0, 1, "")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel=f"learned {name}", ylabel=f"exact {name}")
    words = ("mean exact p", "middle 80 % of exact p")
    axes.legend([line, band], words, loc="lower right", framealpha=0.9, edgecolor="none", fontsize=style.SMALL_SIZE)
