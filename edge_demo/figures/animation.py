"""The main figure over training, as the pictures of an animation: where the test patches go, and how the loss falls.

Two classes: the plane of both logits, and p against their difference. More: p of the true class against its margin.
"""

import numpy as np

from edge_demo.evaluation import class_margins
from edge_demo.figures.logits_vs_probabilities import logit_plane, name_classes, sigmoid_curve
from edge_demo.figures.style import (
    COLORS,
    GREY,
    LINE,
    add_axes,
    class_color,
    class_legend,
    class_marker,
    drawn,
    fitting,
    new_figure,
    plain_log_ticks,
    show_image,
    sigmoid,
)


@drawn
def animation(epochs, logits, labels, class_names, losses, accuracies):
    """A Figure, and a function draw(position) that moves it to a point of training.

    epochs, losses, accuracies: one a saved point of training, of which there are m; logits: (m, n, classes) of the same
    n patches; labels: (n,). A position is from 0 to m - 1; between two points, patches go in a straight line.
    """
    labels, two = np.asarray(labels), len(class_names) == 2
    margins = np.array([class_margins(stage, np.zeros_like(labels) if two else labels) for stage in logits])
    place = {"left": 0.88 if two else 1.2, "right": 0.2, "bottom": 0.53, "top": 0.68, "hspace": 0.4, "wspace": 0.22}
    figure = new_figure(4.8, "", width=8.4, **place)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.1, 1))
    left, upper, lower = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
    if two:
        logit_plane(left, logits, class_names)
        class_legend(figure, class_names, 0.5)
    else:
        _rows(left, margins, class_names)
    sigmoid_curve(upper, margins, class_names)
    upper.xaxis.labelpad = 1
    point = _loss(lower, losses, len(class_names), epochs)
    title = figure.suptitle(" ", y=0.975, va="top")
    beside, on_curve = (_points(axes, labels, len(class_names)) for axes in (left, upper))
    spread = labels + (np.arange(len(labels)) * 0.618 % 1 - 0.5) * 0.7  # so that patches do not hide each other

    def draw(position):
        here = int(min(position, len(epochs) - 1))
        after, share = min(here + 1, len(epochs) - 1), position - here
        between = ((1 - share) * values[here] + share * values[after] for values in (logits, margins, epochs, losses))
        scores, margin, epoch, loss = between
        beside(*(scores.T if two else (margin, spread)))
        on_curve(margin, sigmoid(margin))
        point(epoch, loss)
        name = f"epoch {epochs[here]}" if epochs[here] else "untrained"
        title.set_text(f"{name}: test loss {losses[here]:.3f} nats, {100 * accuracies[here]:.1f} % right")

    return figure, draw


def _points(axes, labels, classes):
    """Empty markers for the patches of each class; returns a function that puts them at x, y."""
    lines = []
    for k in range(classes):
        look = {"color": class_color(k, classes), "ms": 3.2, "mew": 0, "alpha": 0.5}
        lines.append(axes.plot([], [], class_marker(k), **look)[0])

    def put(x, y):
        for k, points in enumerate(lines):
            points.set_data(x[labels == k], y[labels == k])

    return put


def _rows(axes, margins, class_names):
    """A row a class, in which its patches move to the right as p of the true class grows."""
    low, high = min(-3, np.min(margins)), max(3, np.max(margins))
    axes.axvline(0, **LINE)
    axes.text(0, -0.75, " p = 0.5", **GREY)
    axes.set(xlim=(low, high), ylim=(len(class_names) - 0.4, -1.1), xlabel="margin of the true class")
    name_classes(axes, class_names, 0.95, 12)


def _loss(axes, losses, classes, epochs):
    """The curve of the loss; returns a function that moves its point to an epoch and a loss."""
    axes.axhline(np.log(classes), ls="--", **LINE)
    axes.text(epochs[-1], 1.04 * np.log(classes), f"ln {classes}: equal p", ha="right", va="bottom", **GREY)
    axes.plot(epochs, losses, color="black", lw=1.2)
    (point,) = axes.plot([], [], "o", color=COLORS[5], ms=7, clip_on=False)
    axes.set(xlim=(0, max(epochs[-1], 1)), xlabel="epoch", ylabel="test loss, nats")
    axes.set_ylim(min(losses) / 1.2, max(*losses, np.log(classes)) * 1.5)
    plain_log_ticks(axes)
    return lambda epoch, loss: point.set_data([epoch], [loss])


@drawn
def photograph_animation(grey, epochs, maps, class_name, losses):
    """A Figure: a photograph beside its edge map, and a function draw(i) that shows the map of point i of training.

    grey: (height, width); epochs, losses: m numbers; maps: m arrays (height, width) of p(class).
    """
    wide = 3.5
    tall = wide * grey.shape[0] / grey.shape[1]
    figure = new_figure(tall + 0.75, "", width=2 * wide + 0.3)
    left, right = (add_axes(figure, x, 0.1, wide, tall) for x in (0.1, wide + 0.2))
    show_image(left, grey, "the photograph")
    image = show_image(right, maps[0], f"p({fitting(class_name, 1)}) around each pixel")

    title = figure.suptitle(" ", y=0.975, va="top")

    def draw(i):
        image.set_data(maps[i])
        name = f"epoch {epochs[i]}" if epochs[i] else "untrained"
        title.set_text(f"{name}: test loss {losses[i]:.3f} nats")

    return figure, draw
