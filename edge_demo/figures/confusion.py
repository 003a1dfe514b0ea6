"""Which class is taken for which: the confusion matrices before and after training, as shares of the true class."""

import numpy as np
from matplotlib.ticker import PercentFormatter

from edge_demo.figures.style import RC, add_axes, color_bar, drawn, fitting, heat_map, new_figure, write

LEFT, SIDE, GAP = 1.5, 3.24, 0.13  # inches; SIDE: of each matrix


@drawn
def confusion(labels, predictions_before, predictions_after, class_names):
    """A Figure of two matrices: true classes in rows, predicted ones in columns, each row shared out among them.

    labels, predictions_before, predictions_after: (n,) class indexes; class_names: one a class.
    """
    classes = len(class_names)
    edges = np.arange(classes + 1)  # of histogram bins of one class each
    counts = [np.histogram2d(labels, predicted, edges)[0] for predicted in (predictions_before, predictions_after)]
    matrices = [count / np.maximum(count.sum(axis=1, keepdims=True), 1) for count in counts]
    occurring = np.isin(np.arange(classes), labels)
    before, after = (f"{100 * np.diag(matrix)[occurring].mean():.0f} %" for matrix in matrices)
    title = f"Correct predictions lie on the diagonal: {before} of a class before training, {after} after"
    flat = classes == 2 or max(map(len, class_names)) <= 2  # then their names need not be turned
    below = 0.7 if flat else 1.5
    figure = new_figure(below + SIDE + 0.75, title)

    size = min(15, SIDE * 72 / classes / (0.75 * len("100")))  # so that numbers fit into their cells
    text = (lambda share: f"{100 * share:.0f}") if size >= 7 else None
    ticks = range(0, classes, -(-classes // 20))
    names = [fitting(class_names[k], 1) for k in ticks]
    for i, stage in enumerate(("before", "after")):
        panel = add_axes(figure, LEFT + i * (SIDE + GAP), below, SIDE, SIDE)
        image = heat_map(panel, matrices[i], text, fontsize=size)
        panel.set_title(f"{stage} training")
        panel.set_xticks(ticks, names, rotation=0 if flat else 90)
        panel.set_yticks(ticks, [] if i else names)
        if not i:
            panel.set_ylabel("true class")
    write(figure, LEFT + SIDE + GAP / 2, 0.12, "predicted class", ha="center", fontsize=RC["axes.labelsize"])
    color_bar(figure, image, LEFT + 2 * SIDE + 2 * GAP, below, SIDE, format=PercentFormatter(1))
    return figure
