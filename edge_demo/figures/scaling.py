"""The demo's scaling law: how far learned probabilities stay from the exact ones, by patches and hidden units."""

import numpy as np
from matplotlib import colormaps

from edge_demo.figures.style import GREY, new_figure, plain_log_ticks


def scaling(train_sizes, hidden_sizes, kl):
    """Mean KL to the exact posterior against training size, a line a width, log-log, with the range over the seeds.

    train_sizes: s whole numbers; hidden_sizes: h whole numbers; kl: (s, h, seeds) in nats, all above 0.
    """
    train_sizes, kl = np.asarray(train_sizes), np.asarray(kl)
    mean = kl.mean(axis=2)
    i, j = np.unravel_index(mean.argmin(), mean.shape)
    best = f"{train_sizes[i]:,} patches and {hidden_sizes[j]} hidden units"
    title = f"Closest to the truth: {mean[i, j]:.4f} nats, with {best}"
    figure = new_figure(9, 5.4, title, left=0.1, right=0.8, bottom=0.2, top=0.9)
    axes = figure.add_subplot()
    colors = colormaps["viridis"](np.linspace(0, 0.9, len(hidden_sizes)))
    for column, (hidden, color) in enumerate(zip(hidden_sizes, colors, strict=True)):
        axes.fill_between(
            train_sizes, kl[:, column].min(axis=1), kl[:, column].max(axis=1), color=color, alpha=0.15, lw=0
        )
        axes.plot(train_sizes, mean[:, column], "o-", color=color, ms=4, label=f"{hidden} hidden")
    plain_log_ticks(axes)
    axes.set(xscale="log", xlabel="training patches (log scale)")
    axes.set_ylabel("mean KL to the exact posterior, nats (log scale)")
    axes.set_xticks(train_sizes, [f"{size:,}" for size in train_sizes], rotation=30, ha="right")
    axes.set_xticks([], minor=True)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    seeds = kl.shape[2]
    note = f"lines: mean of {seeds} trainings; bands: lowest to highest" if seeds > 1 else "one training a point"
    figure.text(0.1, 0.02, note, **GREY)
    return figure
