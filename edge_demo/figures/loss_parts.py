"""Where the loss comes from: what nobody can know, what a predictor cannot tell apart, and what it says wrongly."""

import numpy as np

from edge_demo.figures import style

PARTS = ("Bayes floor: what nobody can know", "grouping: what is not told apart", "calibration: what is said wrongly")
COLORS = ("#BBBBBB", style.COLORS[0], style.COLORS[5])
WIDTH, LEFT, RIGHT = 9, 1.85, 0.2  # inches
ROW, CURVE = 0.4, 3.1  # inches: of a predictor's bar, of the lower panel


def loss_parts(title, names, parts, epochs, parts_by_epoch, marked):
    """A Figure: a stacked bar for each predictor, and below, the parts of a network's loss over its training.

    title: one sentence. names: one a predictor; parts: (predictors, 3) in nats: bayes, grouping, calibration. epochs: m
    rising numbers, the first 0; parts_by_epoch: (m, 3). marked: a dict from an epoch to what is said of it.
    """
    parts, parts_by_epoch = np.asarray(parts), np.asarray(parts_by_epoch)
    height = 1.05 + ROW * len(names) + 0.75 + CURVE + 0.6
    figure = style.new_figure(WIDTH, height, title)
    inside = (WIDTH - LEFT - RIGHT) / WIDTH
    bars = figure.add_axes((LEFT / WIDTH, (0.6 + CURVE + 0.75) / height, inside, ROW * len(names) / height))
    area = figure.add_axes((LEFT / WIDTH, 0.6 / height, inside, CURVE / height))
    _bars(bars, names, parts)
    _area(area, epochs, parts_by_epoch, marked)
    handles = [bars.containers[k] for k in range(3)]
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 1 - 0.4 / height), "ncols": 3}
    figure.legend(handles, PARTS, frameon=False, fontsize=style.SMALL_SIZE, columnspacing=1.2, **place)
    return figure


def _bars(axes, names, parts):
    rows, left = np.arange(len(names)), np.zeros(len(names))
    longest = parts.clip(0).sum(axis=1).max()
    for k in range(3):
        values = parts[:, k].clip(0)
        axes.barh(rows, values, 0.72, left, color=COLORS[k])
        for row, value in enumerate(values):
            if value > 0.07 * longest:  # a narrower piece has no room for its number
                color = "black" if k == 0 else "white"
                look = {"ha": "center", "va": "center", "color": color, "fontsize": style.SMALL_SIZE}
                axes.text(left[row] + value / 2, row, f"{value:.3f}", **look)
        left += values
    for row, (bayes, grouping, calibration) in enumerate(parts):
        sum_shown = (
            f"{bayes:.3f} + {max(grouping, 0):.3f} + {max(calibration, 0):.3f} = {bayes + grouping + calibration:.3f}"
        )
        axes.text(left[row] + 0.01 * longest, row, sum_shown, va="center", **style.GREY)
    axes.set(xlim=(0, 1.42 * longest), ylim=(len(names) - 0.5, -0.5))
    axes.set_yticks(rows, [style.fitting(name, LEFT - 0.2) for name in names])
    axes.set_xlabel("expected cross-entropy under the exact posterior, nats", fontsize=style.SMALL_SIZE, labelpad=1)
    axes.tick_params(axis="x", labelsize=style.SMALL_SIZE)
    axes.spines[["top", "right"]].set_visible(False)


def _area(axes, epochs, parts, marked):
    places = np.asarray(epochs) + 1  # so that a logarithmic axis has a place for the untrained network
    axes.stackplot(places, parts.T.clip(0), colors=COLORS)
    axes.plot(places, parts.sum(axis=1), color="black", lw=1.5)
    top = 1.12 * parts.sum(axis=1).max()
    for epoch, words in marked.items():
        axes.axvline(epoch + 1, color="black", lw=1, ls="--")
        look = {"ha": "right", "va": "top", "fontsize": style.SMALL_SIZE}
        axes.text((epoch + 1) * 0.97, 0.97 * top, f"{words}: epoch {epoch:,}", **look)
    axes.set(xscale="log", xlim=(1, max(places[-1], 2)), ylim=(0, top), ylabel="nats")
    ticks = [epoch for epoch in (0, 1, 3, 10, 40, 100, 400, 1000, 4000, 10_000) if epoch <= epochs[-1]]
    axes.set_xticks([epoch + 1 for epoch in ticks], [f"{epoch:,}" for epoch in ticks])
    axes.minorticks_off()
    axes.set_xlabel("epoch (0: untrained; log scale); the line is the loss, the areas are its parts")
