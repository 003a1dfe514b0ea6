"""The demo's scaling law: what more patches mend and what more hidden units mend, told by the parts of the loss."""

import numpy as np

from edge_demo.figures.style import GREY, drawn, new_figure, plain_log_ticks, shades, write

LOWEST = 1e-4  # nats: below this a calibration loss is noise


@drawn
def scaling(train_sizes, hidden_sizes, grouping, calibration):
    """Grouping beside calibration loss against training size, a line a width, log-log, with the range over the seeds.

    train_sizes: s whole numbers; hidden_sizes: h whole numbers; grouping, calibration: (s, h, seeds) in nats.
    """
    train_sizes, total = np.asarray(train_sizes), (grouping + calibration).mean(axis=2)
    i, j = np.unravel_index(total.argmin(), total.shape)
    best = f"{train_sizes[i]:,} patches and {hidden_sizes[j]} hidden units"
    title = f"Closest to the truth: {total[i, j]:.3f} nats above the floor, with {best}"
    figure = new_figure(4.9, title, left=0.7, right=1.2, bottom=1.1, top=0.83, wspace=0.2)
    panels = figure.subplots(1, 2, sharex=True)
    for axes, values, name in zip(panels, (grouping, calibration), ("grouping", "calibration"), strict=True):
        seed_lines(axes, train_sizes, hidden_sizes, np.maximum(values, LOWEST))
        plain_log_ticks(axes)
        axes.set_xlabel("training patches (log scale)")
        axes.set_title(f"{name} loss, nats (log scale)")
    panels[1].legend(title="hidden units", loc="upper left", bbox_to_anchor=(1.01, 1.02))
    write(figure, 0.7, 0.1, about_seeds(grouping.shape[2]), **GREY)
    return figure


def seed_lines(axes, train_sizes, hidden_sizes, values):
    """A line a number of hidden units against training size, through the mean, with a band from lowest to highest.

    values: (train sizes, hidden sizes, seeds).
    """
    for k, (hidden, color) in enumerate(zip(hidden_sizes, shades(len(hidden_sizes)), strict=True)):
        line = values[:, k]
        axes.fill_between(train_sizes, line.min(axis=1), line.max(axis=1), color=color, alpha=0.15, lw=0)
        axes.plot(train_sizes, line.mean(axis=1), "o-", color=color, ms=4, label=f"{hidden}")
    axes.set_xscale("log")
    axes.set_xticks(train_sizes, [f"{size:,}" for size in train_sizes], rotation=35, ha="right")
    axes.set_xticks([], minor=True)
    axes.grid(alpha=0.3)


def about_seeds(seeds):
    return f"lines: mean of {seeds} trainings; bands: lowest to highest" if seeds > 1 else "one training a point"
