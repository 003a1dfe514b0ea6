"""Which class is taken for which: the confusion matrices before and after training, as shares of the true class."""

import numpy as np
from matplotlib.ticker import PercentFormatter

from edge_demo.figures import style

SIDE = 3.24  # inches of each matrix


def confusion(labels, predictions_before, predictions_after, class_names):
    """A Figure of two matrices: true classes in rows, predicted ones in columns, each row shared out among them.

    labels, predictions_before, predictions_after: (n,) class indexes; class_names: one a class.
    """
    classes = len(class_names)
    predictions = predictions_before, predictions_after
    edges = np.arange(classes + 1)  # of histogram bins of one class each
    counts = [np.histogram2d(labels, predicted, edges)[0] for predicted in predictions]
    matrices = [count / np.maximum(count.sum(axis=1, keepdims=True), 1) for count in counts]
    occurring = np.isin(np.arange(classes), labels)
    before, after = (f"{100 * np.diag(matrix)[occurring].mean():.0f} %" for matrix in matrices)
    title = f"Right is the diagonal: on average {before} of a class before training, {after} after"
    flat = classes == 2 or max(map(len, class_names)) <= 2  # then their names need not be turned
    below = 0.7 if flat else 1.5
    height = below + SIDE + 0.75
    bottom, top = below / height, (below + SIDE) / height
    figure = style.new_figure(9, height, title, left=0.165, right=0.9, bottom=bottom, top=top, wspace=0.04)
    axes = figure.subplots(1, 2, sharey=True)

    size = min(15, SIDE * 72 / classes / (0.75 * len("100")))  # so that numbers fit into their cells
    ticks = range(0, classes, -(-classes // 20))
    names = [style.fitting(class_names[k], 1, style.SMALL_SIZE) for k in ticks]
    for panel, matrix, stage in zip(axes, matrices, ("before training", "after training"), strict=True):
        image = panel.imshow(matrix, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(matrix) if size >= 7 else ():
            color = "white" if share > 0.5 else "black"
            panel.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=color, fontsize=size)
        panel.set_title(stage, **style.PANEL_TITLE)
        panel.set_xticks(ticks, names, fontsize=style.SMALL_SIZE, rotation=0 if flat else 90)
        panel.set_yticks(ticks, names, fontsize=style.SMALL_SIZE)
    figure.supxlabel("predicted class", fontsize=style.TEXT_SIZE, x=0.53, y=0.015)
    figure.supylabel("true class", fontsize=style.TEXT_SIZE, x=0.005, y=(bottom + top) / 2)
    scale = figure.add_axes((0.912, bottom, 0.012, top - bottom))
    figure.colorbar(image, cax=scale, format=PercentFormatter(1)).ax.tick_params(labelsize=style.SMALL_SIZE)
    return figure
