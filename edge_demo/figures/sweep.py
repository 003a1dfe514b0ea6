"""What a sweep found: accuracy and distance to the truth for each noise, training size and number of hidden units."""

import numpy as np
from matplotlib import colormaps

from edge_demo.figures.style import GREY, SMALL_SIZE, new_figure, plain_log_ticks

MOST_NUMBERED = 16  # cells side by side that have room for a number of three decimals
ROWS = ("accuracy", "KL to exact, nats")


def sweep_heatmaps(noises, train_sizes, hidden_sizes, accuracy, kl):
    """A column of two heat maps a noise: mean accuracy above, mean KL below, one scale a row.

    accuracy, kl: (noises, train sizes, hidden sizes, seeds).
    """
    figure, grid = _panels(
        noises, len(train_sizes), _title("Best mean accuracy", accuracy.mean(axis=3).max(axis=(1, 2)), noises)
    )
    for row, (name, values) in enumerate(zip(ROWS, (accuracy, kl), strict=True)):
        means = values.mean(axis=3)
        for column, axes in enumerate(grid[row]):
            colors = "viridis" if row == 0 else "viridis_r"
            image = axes.imshow(means[column], cmap=colors, vmin=means.min(), vmax=means.max(), aspect="auto")
            axes.set_xticks(range(len(hidden_sizes)), hidden_sizes)
            axes.set_yticks(range(len(train_sizes)), [f"{size:,}" for size in train_sizes] if column == 0 else [])
            if len(hidden_sizes) * len(noises) <= MOST_NUMBERED:
                for (i, j), value in np.ndenumerate(means[column]):
                    light = image.norm(value) > 0.6 if row == 0 else image.norm(value) < 0.4
                    axes.text(
                        j,
                        i,
                        f"{value:.3f}",
                        ha="center",
                        va="center",
                        color="k" if light else "w",
                        fontsize=SMALL_SIZE - 1,
                    )
        place = grid[row][0].get_position()
        bar = figure.colorbar(image, cax=figure.add_axes([0.93, place.y0, 0.012, place.height]))
        bar.ax.tick_params(labelsize=SMALL_SIZE)
        grid[row][0].set_ylabel(f"{name}\ntraining patches")
    for axes in grid[1]:
        axes.set_xlabel("hidden units")
    return figure


def sweep_lines(noises, train_sizes, hidden_sizes, accuracy, kl):
    """Accuracy above and KL (log scale) below against training size, a line a number of hidden units.

    accuracy, kl: (noises, train sizes, hidden sizes, seeds); bands run from the lowest seed to the highest.
    """
    figure, grid = _panels(
        noises, 3, _title("Closest to the truth, nats", kl.mean(axis=3).min(axis=(1, 2)), noises), 0.17
    )
    colors = colormaps["viridis"](np.linspace(0, 0.9, len(hidden_sizes)))
    for row, (name, values) in enumerate(zip(ROWS, (accuracy, kl), strict=True)):
        low, high = values.min(), values.max()
        for column, axes in enumerate(grid[row]):
            for k, (hidden, color) in enumerate(zip(hidden_sizes, colors, strict=True)):
                line = values[column, :, k]
                axes.fill_between(train_sizes, line.min(axis=1), line.max(axis=1), color=color, alpha=0.15, lw=0)
                axes.plot(train_sizes, line.mean(axis=1), "o-", color=color, ms=4, label=f"{hidden}")
            axes.set_xscale("log")
            axes.set_xticks(train_sizes, [f"{size:,}" for size in train_sizes] if row else [], rotation=30)
            axes.set_xticks([], minor=True)
            axes.grid(alpha=0.3)
            if row == 1:
                plain_log_ticks(axes)
                axes.set(ylim=(low * 0.8, high * 1.25), xlabel="training patches")
            else:
                axes.set_ylim(min(0.45, low), 1.01)
                axes.axhline(0.5, color="#555555", lw=1, ls=":")
            if column:
                axes.tick_params(axis="y", which="both", labelleft=False)
        grid[row][0].set_ylabel(name)
    grid[0][0].text(train_sizes[0], 0.505, "chance", **GREY)
    seeds = kl.shape[3]
    note = f"lines: mean of {seeds} trainings; bands: lowest to highest" if seeds > 1 else "one training a point"
    figure.text(0.13, 0.015, note, **GREY)
    grid[0][-1].legend(title="hidden", loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize=SMALL_SIZE)
    return figure


def _panels(noises, rows, title, bottom=0.1):
    """A figure and its axes, two rows with a column a noise."""
    height = 4.2 + 0.5 * min(rows, 8)
    figure = new_figure(9, height, title, left=0.13, right=0.9, bottom=bottom, top=0.87, hspace=0.18, wspace=0.08)
    grid = figure.subplots(2, len(noises), squeeze=False)
    for axes, noise in zip(grid[0], noises, strict=True):
        axes.set_title(f"noise {noise:g}", fontsize=10)
    return figure, grid


def _title(what, values, noises):
    words = [f"{value:.3f} at noise {noise:g}" for value, noise in zip(values, noises, strict=True)]
    return f"{what}: " + ", ".join(words[:4]) + (", …" if len(noises) > 4 else "")
