"""Several runs held against each other: their curves, and the patches on which they differ most."""

import numpy as np

from edge_demo.figures.style import (
    WIDTH,
    add_axes,
    class_color,
    drawn,
    fitting,
    heat_map,
    legend,
    new_figure,
    percent,
    plain_log_ticks,
    show_patches,
)

LINES = ("-", "--", ":", "-.")
LEFT, RIGHT, TOP, ROW, BOTTOM = 2.3, 0.2, 0.55, 0.32, 0.15  # inches


@drawn
def curves(names, losses, accuracies):
    """A Figure of test loss and test accuracy by epoch, a line a run; of a group the mean, and a band to its extremes.

    names: one a run; losses, accuracies: for each an array (seeds, epochs + 1).
    """
    ends = [loss[:, -1].mean() for loss in losses]
    best = int(np.argmin(ends))
    title = f"{fitting(names[best], 3, 13)} ends with the lowest test loss, {ends[best]:.3f} nats"
    figure = new_figure(5.2, title, left=0.8, right=0.2, bottom=0.57, top=0.9, wspace=0.22)
    left, right = figure.subplots(1, 2)
    _draw(left, names, losses)
    _draw(right, names, accuracies)
    left.set_ylabel("test loss, nats (log scale)")
    right.set(ylabel="test accuracy", ylim=(None, 1))
    plain_log_ticks(left)
    legend(figure, left.get_lines(), 0.6, 4)
    return figure


def _draw(axes, names, values):
    for k, (name, seeds) in enumerate(zip(names, values, strict=True)):
        epochs, color = np.arange(seeds.shape[1]), class_color(k, len(names))
        label = fitting(name, 1.5)
        axes.plot(epochs, seeds.mean(axis=0), LINES[k % len(LINES)], color=color, lw=1.6, label=label)
        if len(seeds) > 1:
            axes.fill_between(epochs, seeds.min(axis=0), seeds.max(axis=0), color=color, alpha=0.2, lw=0)
    axes.set_xlabel("epoch (0: untrained)")
    axes.xaxis.get_major_locator().set_params(integer=True)


@drawn
def differences(names, pixels, shape, labels, class_names, p, exact=None):
    """A Figure: patches in a row, and below each what every run says of its true class.

    names: one a run; pixels: (n, rows * columns), about 8 patches; shape: (rows, columns); labels: (n,); p: (runs, n),
    probabilities of the true class, of a group their means; exact: (n,) the exact ones, where they are known.
    """
    n = len(pixels)
    k, i = np.unravel_index(np.abs(p - p[0]).argmax(), p.shape)
    said = (f"{percent(p[row, i])} by {fitting(names[row], 1.5, 13)}" for row in (0, k))
    title = f"The largest difference in p of the true class: {', '.join(said)}"
    rows = np.array([*p] if exact is None else [*p, exact])
    wide, tall = WIDTH - LEFT - RIGHT, ROW * len(rows)
    side = wide / n
    figure = new_figure(TOP + side + 0.3 + tall + BOTTOM, title)
    images = add_axes(figure, LEFT, BOTTOM + tall + 0.3, wide, side)
    gap = max(shape) / 4
    lefts, _ = show_patches(images, [np.asarray(pixels)], shape, gap)
    images.set(xlim=(-0.5 - gap / 2, lefts[-1] + max(shape) - 0.5 + gap / 2), anchor="S")
    cells = add_axes(figure, LEFT, BOTTOM, wide, tall)
    heat_map(cells, rows, percent)
    shown = [f"p by {fitting(name, LEFT - 0.6)}" for name in names] + ["exact p"] * (exact is not None)
    cells.set_yticks(range(len(rows)), shown)
    cells.set_xticks(range(n), [fitting(class_names[label], side - 0.1) for label in labels])
    cells.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    return figure
