"""What a sweep found: accuracy and distance to the truth for each noise, training size and number of hidden units."""

from edge_demo.figures.scaling import about_seeds, seed_lines
from edge_demo.figures.style import (
    GREY,
    LINE,
    WIDTH,
    add_axes,
    color_bar,
    drawn,
    heat_map,
    new_figure,
    plain_log_ticks,
    write,
)

MOST_NUMBERED = 16  # cells side by side that have room for a number of three decimals
ROWS = ("accuracy", "KL to exact, nats")
LEFT, RIGHT, TOP = 1.17, 0.9, 0.75  # inches


@drawn
def sweep_heatmaps(noises, train_sizes, hidden_sizes, accuracy, kl):
    """A column of two heat maps a noise: mean accuracy above, mean KL below, one scale a row.

    accuracy, kl: (noises, train sizes, hidden sizes, seeds).
    """
    title = _title("Best mean accuracy", accuracy.mean(axis=3).max(axis=(1, 2)), noises)
    tall, bottom = 0.9 + 0.25 * min(len(train_sizes), 8), 0.5  # inches
    figure, grid = _panels(noises, tall, bottom, title)
    text = "{:.3f}".format if len(hidden_sizes) * len(noises) <= MOST_NUMBERED else None
    for row, (name, values, colors) in enumerate(zip(ROWS, (accuracy, kl), ("viridis", "viridis_r"), strict=True)):
        means = values.mean(axis=3)
        for axes, cells in zip(grid[row], means, strict=True):
            image = heat_map(axes, cells, text, colors, means.min(), means.max(), fontsize=8)
            axes.set_xticks(range(len(hidden_sizes)), hidden_sizes)
            axes.set_yticks(range(len(train_sizes)), [f"{size:,}" for size in train_sizes])
        grid[row][0].set_ylabel(f"{name}\ntraining patches")
        color_bar(figure, image, WIDTH - RIGHT + 0.15, bottom + (1 - row) * (tall + 0.35), tall)
    _label(grid, "hidden units")
    return figure


@drawn
def sweep_lines(noises, train_sizes, hidden_sizes, accuracy, kl):
    """Accuracy above and KL (log scale) below against training size, a line a number of hidden units.

    accuracy, kl: (noises, train sizes, hidden sizes, seeds); bands run from the lowest seed to the highest.
    """
    title = _title("Closest to the truth, nats", kl.mean(axis=3).min(axis=(1, 2)), noises)
    figure, grid = _panels(noises, 2, 1, title)
    limits = (min(0.45, accuracy.min()), 1.01), (kl.min() * 0.8, kl.max() * 1.25)
    for row, values in enumerate((accuracy, kl)):
        for axes, cells in zip(grid[row], values, strict=True):
            seed_lines(axes, train_sizes, hidden_sizes, cells)
            axes.set_ylim(limits[row])
            if row:
                plain_log_ticks(axes)
            else:
                axes.axhline(0.5, ls=":", **LINE)
        grid[row][0].set_ylabel(ROWS[row])
    _label(grid, "training patches")
    grid[0][0].text(train_sizes[0], 0.505, "chance", **GREY)
    write(figure, LEFT, 0.1, about_seeds(kl.shape[3]), **GREY)
    grid[0][-1].legend(title="hidden", loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _panels(noises, tall, bottom, title):
    """A figure and its axes, two rows with a column a noise; tall: inches of each."""
    figure = new_figure(TOP + 2 * tall + 0.35 + bottom, title)
    wide = (WIDTH - LEFT - RIGHT + 0.1) / len(noises)
    grid = [
        [add_axes(figure, LEFT + i * wide, low, wide - 0.1, tall) for i in range(len(noises))]
        for low in (bottom + tall + 0.35, bottom)
    ]
    for axes, noise in zip(grid[0], noises, strict=True):
        axes.set_title(f"noise {noise:g}")
    return figure, grid


def _label(grid, name):
    """Numbers only at the left and below, where they are named."""
    for axes in grid[1]:
        axes.set_xlabel(name)
    for axes in grid[0]:
        axes.tick_params(axis="x", labelbottom=False)
    for axes in [*grid[0][1:], *grid[1][1:]]:
        axes.tick_params(axis="y", which="both", labelleft=False)


def _title(what, values, noises):
    words = [f"{value:.3f} at noise {noise:g}" for value, noise in zip(values, noises, strict=True)]
    return f"{what}: " + ", ".join(words[:4]) + (", …" if len(noises) > 4 else "")
