"""The main figure over training, as the pictures of an animation: where the test patches go, and how the loss falls.

Two classes: the plane of both logits, and p against their difference. More: p of the true class against its margin.
"""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import NullFormatter

from edge_demo.evaluation import class_margins
from edge_demo.figures import style


def animation(epochs, logits, labels, class_names, losses, accuracies):
    """A Figure, and a function draw(position) that moves it to a point of training.

    epochs, losses, accuracies: one a saved point of training, of which there are m; logits: (m, n, classes) of the same
    n patches; labels: (n,). A position is from 0 to m - 1; between two points, patches go in a straight line.
    """
    labels, classes = np.asarray(labels), len(class_names)
    margins = np.array([class_margins(stage, np.zeros_like(labels) if classes == 2 else labels) for stage in logits])
    two = classes == 2
    figure = style.new_figure(8.4, 4.8, " ", bottom=0.11, top=0.86 if two else 0.9, hspace=0.4, wspace=0.22)
    figure.subplots_adjust(left=0.105 if two else 0.14, right=0.98)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.1, 1))
    left, upper, lower = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
    plane = _plane(left, logits, labels, class_names) if two else _rows(left, margins, labels, class_names)
    sigmoid = _sigmoid(upper, margins, labels, class_names)
    point = _loss(lower, losses, classes, epochs)
    if two:
        style.class_legend(figure, class_names, y=0.945)

    def draw(position):
        here = int(min(np.floor(position), len(epochs) - 1))
        after, share = min(here + 1, len(epochs) - 1), position - here

        def between(values):
            return (1 - share) * values[here] + share * values[after]

        plane(between(logits) if two else between(margins))
        sigmoid(between(margins))
        point(position, between(losses))
        epoch = f"epoch {epochs[here]:.3g}" if epochs[here] else "untrained"
        name = f"{epoch}: test loss {losses[here]:.3f} nats, {100 * accuracies[here]:.1f} % right"
        figure.suptitle(name, fontsize=style.TITLE_SIZE, x=0.5, y=0.985, va="top")

    return figure, draw


def _points(axes, labels, classes):
    """Empty markers for the patches of each class; returns a function that puts them at x, y."""
    lines = []
    for k in range(classes):
        look = {"color": style.class_color(k, classes), "ms": 3.2, "mew": 0, "alpha": 0.5}
        lines.append(axes.plot([], [], style.class_marker(k), clip_on=True, **look)[0])

    def put(x, y):
        for k, points in enumerate(lines):
            points.set_data(x[labels == k], y[labels == k])

    return put


def _plane(axes, logits, labels, class_names):
    low, high = np.min(logits), np.max(logits)
    border = max(0.04 * (high - low), 0.5)
    limits = low - border, high + border
    grid = np.linspace(*limits, 200)
    tint = LinearSegmentedColormap.from_list("tint", [style.COLORS[1], "white", style.COLORS[0]])
    p = style.sigmoid(grid - grid[:, None])
    axes.imshow(p, cmap=tint, vmin=0, vmax=1, alpha=0.2, origin="lower", extent=limits * 2)
    axes.plot(limits, limits, **style.LINE)
    along = {"rotation": 45, "rotation_mode": "anchor", "transform_rotates_text": True, **style.GREY}
    axes.text(limits[1] - border, limits[1] - border, "equal scores: p = 0.5", ha="right", va="bottom", **along)
    first, second = (style.fitting(name, 1.5) for name in class_names)
    axes.set(xlim=limits, ylim=limits, xlabel=f"logit {first}", ylabel=f"logit {second}", aspect="equal")
    put = _points(axes, labels, 2)
    return lambda now: put(now[:, 0], now[:, 1])


def _rows(axes, margins, labels, class_names):
    """A row a class, in which its patches move to the right as p of the true class grows."""
    classes = len(class_names)
    spread = (np.arange(len(labels)) * 0.618 % 1 - 0.5) * 0.7  # so that patches do not hide each other
    low, high = min(-3, np.min(margins)), max(3, np.max(margins))
    axes.axvline(0, **style.LINE)
    axes.text(0, -0.75, " p = 0.5", **style.GREY)
    axes.set(xlim=(low, high), ylim=(classes - 0.4, -1.1), xlabel="margin of the true class")
    shown = range(0, classes, -(-classes // 12))
    axes.set_yticks(
        shown, [style.fitting(class_names[k], 0.95, style.SMALL_SIZE) for k in shown], fontsize=style.SMALL_SIZE
    )
    put = _points(axes, labels, classes)
    return lambda now: put(now, labels + spread)


def _sigmoid(axes, margins, labels, class_names):
    two = len(class_names) == 2
    limit = max(1.02 * np.abs(margins).max(), 3)
    curve = np.linspace(-limit, limit, 401)
    axes.plot(curve, style.sigmoid(curve), **style.LINE)
    name = style.fitting(class_names[0], 0.8)
    across = " − ".join(map(style.logit_name, class_names)) if two else "margin of the true class"
    axes.set(xlim=(-limit, limit), ylim=(-0.04, 1.04), ylabel=f"p({name})" if two else "p(true class)")
    axes.set_xlabel(across, labelpad=1)
    put = _points(axes, labels, len(class_names))
    return lambda now: put(now, style.sigmoid(now))


def _loss(axes, losses, classes, epochs):
    places = np.arange(len(losses))
    axes.axhline(np.log(classes), ls="--", **style.LINE)
    axes.text(
        0.98 * places[-1], 1.04 * np.log(classes), f"ln {classes}: equal p", ha="right", va="bottom", **style.GREY
    )
    axes.plot(places, losses, color="#BBBBBB", lw=1.2)
    (line,) = axes.plot([], [], color="black", lw=1.8)
    (point,) = axes.plot([], [], "o", color="#D55E00", ms=7, clip_on=False)
    axes.set(yscale="log", xlim=(-0.3, max(places[-1], 1)), ylabel="test loss, nats")
    axes.set_ylim(min(losses) / 1.4, max(*losses, np.log(classes)) * 1.9)
    axes.set_xlabel("epoch (stretched at first)", labelpad=1)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    shown = np.unique(np.linspace(0, places[-1], min(7, len(places))).round().astype(int))
    axes.set_xticks(shown, [f"{epochs[i]:.2g}" for i in shown])

    def put(position, loss):
        passed = int(position) + 1
        line.set_data([*places[:passed], position], [*losses[:passed], loss])
        point.set_data([position], [loss])

    return put


def photograph_animation(grey, epochs, maps, class_name, losses):
    """A Figure: a photograph beside its edge map, and a function draw(i) that shows the map of point i of training.

    grey: (height, width); epochs, losses: m numbers; maps: m arrays (height, width) of p(class).
    """
    wide = 3.5
    tall = wide * grey.shape[0] / grey.shape[1]
    width, height = 2 * wide + 0.3, tall + 0.75
    figure = style.new_figure(width, height, " ")
    left, right = (figure.add_axes((x / width, 0.1 / height, wide / width, tall / height)) for x in (0.1, wide + 0.2))
    left.imshow(grey, cmap="gray", vmin=0, vmax=1)
    image = right.imshow(maps[0], cmap="gray", vmin=0, vmax=1)
    for axes, name in ((left, "the photograph"), (right, f"p({style.fitting(class_name, 1)}) around each pixel")):
        axes.set_axis_off()
        axes.set_title(name, fontsize=style.TEXT_SIZE, y=1.0, pad=3)

    def draw(i):
        image.set_data(maps[i])
        epoch = f"after {epochs[i]:.2g} epochs" if epochs[i] else "untrained"
        figure.suptitle(f"{epoch}: test loss {losses[i]:.3f} nats", fontsize=style.TITLE_SIZE, y=0.985, va="top")

    return figure, draw
