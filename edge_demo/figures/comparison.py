"""Several runs held against each other: their curves, and the patches on which they differ most."""

import numpy as np

from edge_demo.figures import style

LINES = ("-", "--", ":", "-.")
WIDTH, LEFT, RIGHT, TOP, ROW = 9, 2.3, 0.2, 0.55, 0.32  # inches


def curves(names, losses, accuracies):
    """A Figure of test loss and test accuracy by epoch, a line a run; of a group the mean, and a band to its extremes.

    names: one a run; losses, accuracies: for each an array (seeds, epochs + 1).
    """
    ends = [loss[:, -1].mean() for loss in losses]
    best = int(np.argmin(ends))
    title = f"{style.fitting(names[best], 3)} ends with the lowest test loss, {ends[best]:.3f} nats"
    figure = style.new_figure(9, 5.2, title, left=0.09, right=0.98, bottom=0.11, top=0.83, wspace=0.22)
    left, right = figure.subplots(1, 2)
    _draw(left, names, losses)
    _draw(right, names, accuracies)
    left.set_ylabel("test loss, nats (log scale)")
    right.set(ylabel="test accuracy", ylim=(None, 1))
    style.plain_log_ticks(left)
    bottom, top = left.get_ylim()
    if top < 10 * bottom:  # then few numbers begin with 1, 2 or 5
        left.yaxis.set_minor_formatter("{x:g}")
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.935), "ncols": min(len(names), 4)}
    figure.legend(handles=left.get_lines(), fontsize=style.SMALL_SIZE, frameon=False, **place)
    return figure


def _draw(axes, names, values):
    for k, (name, seeds) in enumerate(zip(names, values, strict=True)):
        epochs, color = np.arange(seeds.shape[1]), style.class_color(k, len(names))
        label = style.fitting(name, 1.5, style.SMALL_SIZE)
        axes.plot(epochs, seeds.mean(axis=0), LINES[k % len(LINES)], color=color, lw=1.6, label=label)
        if len(seeds) > 1:
            axes.fill_between(epochs, seeds.min(axis=0), seeds.max(axis=0), color=color, alpha=0.2, lw=0)
    axes.set_xlabel("epoch (0: untrained)")
    axes.xaxis.get_major_locator().set_params(integer=True)


def differences(names, pixels, shape, labels, class_names, p, exact=None):
    """A Figure: patches in a row, and below each what every run says of its true class.

    names: one a run; pixels: (n, rows * columns), about 8 patches; shape: (rows, columns); labels: (n,); p: (runs, n),
    probabilities of the true class, of a group their means; exact: (n,) the exact ones, where they are known.
    """
    n = len(pixels)
    k, i = np.unravel_index(np.abs(p - p[0]).argmax(), p.shape)
    said = (f"{style.percent(p[row, i])} by {style.fitting(names[row], 1.5, style.TITLE_SIZE)}" for row in (0, k))
    title = f"The largest difference in p of the true class: {', '.join(said)}"
    rows = [*p] if exact is None else [*p, exact]
    side = (WIDTH - LEFT - RIGHT) / n
    height = TOP + side + 0.3 + ROW * len(rows) + 0.15
    figure = style.new_figure(WIDTH, height, title)
    left, right = LEFT / WIDTH, 1 - RIGHT / WIDTH
    images = figure.add_axes((left, 1 - (TOP + side) / height, right - left, side / height))
    gap = max(shape) / 4
    lefts, _ = style.show_patches(images, [np.asarray(pixels)], shape, gap)
    images.set(xlim=(-0.5 - gap / 2, lefts[-1] + max(shape) - 0.5 + gap / 2), anchor="S")
    cells = figure.add_axes((left, 0.15 / height, right - left, ROW * len(rows) / height))
    cells.imshow(np.array(rows), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(np.array(rows)):
        color = "white" if value > 0.5 else "black"
        text = "<0.01" if value < 0.005 else ">0.99" if value > 0.995 else f"{value:.2f}"
        cells.text(column, row, text, ha="center", va="center", color=color, fontsize=style.SMALL_SIZE)
    shown = [style.fitting(name, LEFT - 0.6) for name in names] + (["exact"] if exact is not None else [])
    cells.set_yticks(range(len(rows)), [f"p by {name}" if name != "exact" else "exact p" for name in shown])
    true = [style.fitting(class_names[label], side - 0.1, style.SMALL_SIZE) for label in labels]
    cells.set_xticks(range(n), true, fontsize=style.SMALL_SIZE)
    cells.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    return figure
