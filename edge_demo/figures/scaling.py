"""The demo's scaling law: what more patches mend and what more hidden units mend, told by the parts of the loss."""

import numpy as np
from matplotlib import colormaps

from edge_demo.figures.style import GREY, PANEL_TITLE, SMALL_SIZE, new_figure, plain_log_ticks

LOWEST = 1e-4  # nats: below this a calibration loss is noise


def scaling(train_sizes, hidden_sizes, grouping, calibration):
    """Grouping beside calibration loss against training size, a line a width, log-log, with the range over the seeds.

    train_sizes: s whole numbers; hidden_sizes: h whole numbers; grouping, calibration: (s, h, seeds) in nats.
    """
    train_sizes, total = np.asarray(train_sizes), (grouping + calibration).mean(axis=2)
    i, j = np.unravel_index(total.argmin(), total.shape)
    best = f"{train_sizes[i]:,} patches and {hidden_sizes[j]} hidden units"
    title = f"Closest to the truth: {total[i, j]:.3f} nats above the floor, with {best}"
    figure = new_figure(9, 4.9, title, left=0.075, right=0.865, bottom=0.23, top=0.83, wspace=0.2)
    panels = figure.subplots(1, 2, sharex=True)
    colors = colormaps["viridis"](np.linspace(0, 0.9, len(hidden_sizes)))
    for axes, values, name in zip(panels, (grouping, calibration), ("grouping", "calibration"), strict=True):
        values = np.maximum(values, LOWEST)
        for k, (hidden, color) in enumerate(zip(hidden_sizes, colors, strict=True)):
            low, high = values[:, k].min(axis=1), values[:, k].max(axis=1)
            axes.fill_between(train_sizes, low, high, color=color, alpha=0.15, lw=0)
            axes.plot(train_sizes, values[:, k].mean(axis=1), "o-", color=color, ms=4, label=f"{hidden}")
        plain_log_ticks(axes)
        axes.set(xscale="log", xlabel="training patches (log scale)")
        axes.set_title(f"{name} loss, nats (log scale)", **PANEL_TITLE)
        axes.set_xticks(
            train_sizes, [f"{size:,}" for size in train_sizes], rotation=35, ha="right", fontsize=SMALL_SIZE
        )
        axes.set_xticks([], minor=True)
        axes.tick_params(axis="y", which="both", labelsize=SMALL_SIZE)
        axes.grid(alpha=0.3)
    panels[1].legend(title="hidden units", loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False)
    seeds = grouping.shape[2]
    note = f"lines: mean of {seeds} trainings; bands: lowest to highest" if seeds > 1 else "one training a point"
    figure.text(0.075, 0.02, note, **GREY)
    return figure
