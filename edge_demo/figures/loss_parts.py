"""Where the loss comes from: what nobody can know, what a predictor cannot tell apart, and what it says wrongly."""

import numpy as np

from edge_demo.figures.style import GREY, PART_COLORS, WIDTH, add_axes, drawn, fitting, legend, new_figure

PARTS = ("Bayes floor: what nobody can know", "grouping: what is not told apart", "calibration: what is said wrongly")
LEFT, RIGHT, BOTTOM = 1.85, 0.2, 0.6  # inches
ROW, CURVE = 0.4, 3.1  # inches: of a predictor's bar, of the lower panel


@drawn
def loss_parts(title, names, parts, epochs, parts_by_epoch, marked):
    """A Figure: a stacked bar for each predictor, and below, the parts of a network's loss over its training.

    title: one sentence. names: one a predictor; parts: (predictors, 3) in nats: bayes, grouping, calibration. epochs: m
    rising numbers, the first 0; parts_by_epoch: (m, 3). marked: a dict from an epoch to what is said of it.
    """
    wide, bars_at = WIDTH - LEFT - RIGHT, BOTTOM + CURVE + 0.75
    figure = new_figure(bars_at + ROW * len(names) + 1.05, title)
    bars = add_axes(figure, LEFT, bars_at, wide, ROW * len(names))
    part_bars(bars, names, np.asarray(parts))
    _area(add_axes(figure, LEFT, BOTTOM, wide, CURVE), epochs, np.asarray(parts_by_epoch), marked)
    handles = [container[0] for container in bars.containers]
    legend(figure, handles, 0.6, labels=PARTS, columnspacing=1.2)
    return figure


def part_bars(axes, names, parts):
    """A stacked bar of the parts of each predictor's loss, (predictors, 3), with their numbers."""
    rows, left = np.arange(len(names)), np.zeros(len(names))
    longest = parts.clip(0).sum(axis=1).max()
    for values, color in zip(parts.T.clip(0), PART_COLORS.values(), strict=True):
        axes.barh(rows, values, 0.72, left, color=color)
        left += values
    for row, values in enumerate(parts):
        shown = " + ".join(f"{value:.3f}" for value in values.clip(0)) + f" = {values.sum():.3f}"
        axes.text(left[row] + 0.01 * longest, row, shown, va="center", **GREY)
    axes.set(xlim=(0, 1.42 * longest), ylim=(len(names) - 0.5, -0.5))
    axes.set_yticks(rows, [fitting(name, LEFT - 0.2) for name in names])
    axes.set_xlabel("expected cross-entropy under the exact posterior, nats", labelpad=1)
    axes.spines[["top", "right"]].set_visible(False)


def _area(axes, epochs, parts, marked):
    places = np.asarray(epochs) + 1  # so that a logarithmic axis has a place for the untrained network
    axes.stackplot(places, parts.T.clip(0), colors=PART_COLORS.values())
    axes.plot(places, parts.sum(axis=1), color="black", lw=1.5)
    top = 1.12 * parts.sum(axis=1).max()
    for epoch, words in marked.items():
        axes.axvline(epoch + 1, color="black", lw=1, ls="--")
        axes.text((epoch + 1) * 0.97, 0.97 * top, f"{words}: epoch {epoch:,}", ha="right", va="top")
    axes.set(xscale="log", xlim=(1, max(places[-1], 2)), ylim=(0, top), ylabel="nats")
    ticks = [epoch for epoch in (0, 1, 3, 10, 40, 100, 400, 1000, 4000, 10_000) if epoch <= epochs[-1]]
    axes.set_xticks([epoch + 1 for epoch in ticks], [f"{epoch:,}" for epoch in ticks])
    axes.minorticks_off()
    axes.set_xlabel("epoch (0: untrained; log scale); the line is the loss, the areas are its parts")
