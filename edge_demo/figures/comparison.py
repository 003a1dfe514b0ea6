"""Several runs held against each other: their curves, and the patches on which they differ most."""

import numpy as np

from edge_demo.figures import style

LINES = ("-", "--", ":", "-.")
WIDTH, LEFT, RIGHT, TOP, ROW = 9, 2.3, 0.2, 0.55, 0.32  # inches


def curves(names, losses, accuracies):
    """A Figure of test loss and test accuracy by epoch, a line a run; of a group the mean, and a band to its extremes.

    names: one a run; losses, accuracies: for each an array (seeds, epochs + 1).
    """
    best = int(np.argmin([loss[:, -1].mean() for loss in losses]))
    ends = [f"{loss[:, -1].mean():.3f}" for loss in losses]
    title = f"{style.fitting(names[best], 3)} ends with the lowest test loss, {ends[best]} nats"
    figure = style.new_figure(9, 5.2, title, left=0.09, right=0.98, bottom=0.11, top=0.83, wspace=0.22)
    panels = figure.subplots(1, 2)
    for panel, values, what in zip(
        panels, (losses, accuracies), ("test loss, nats (log scale)", "accuracy"), strict=True
    ):
        for k, (name, runs) in enumerate(zip(names, values, strict=True)):
            epochs, color = np.arange(runs.shape[1]), style.class_color(k, len(names))
            panel.plot(
                epochs,
                runs.mean(axis=0),
                LINES[k % len(LINES)],
                color=color,
                lw=1.6,
                label=style.fitting(name, 1.5, style.SMALL_SIZE),
            )
            if len(runs) > 1:
                panel.fill_between(epochs, runs.min(axis=0), runs.max(axis=0), color=color, alpha=0.2, lw=0)
        panel.set(xlabel="epoch (0: untrained)", ylabel=what)
        panel.xaxis.get_major_locator().set_params(integer=True)
    style.plain_log_ticks(panels[0])
    bottom, top = panels[0].get_ylim()
    if top < 10 * bottom:  # then few numbers begin with 1, 2 or 5
        panels[0].yaxis.set_minor_formatter("{x:g}")
    panels[1].set_ylim(top=1)
    handles, labels = panels[0].get_legend_handles_labels()
    columns = min(len(names), 4)
    figure.legend(
        handles,
        labels,
        fontsize=style.SMALL_SIZE,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.935),
        ncols=columns,
        frameon=False,
    )
    return figure


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
