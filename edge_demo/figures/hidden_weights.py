"""What the hidden units look for: the weights of each unit as an image, before and after training.

Below each image, its output weights: how the unit, when active, moves the score of each class.
"""

import numpy as np

from edge_demo.figures.style import (
    GREY,
    WIDTH,
    add_axes,
    color_bar,
    drawn,
    fitting,
    in_square,
    new_figure,
    number,
    write,
)

MOST_UNITS, MOST_NAMES = 24, 10
LEFT, RIGHT, BETWEEN, TOP = 0.15, 0.95, 0.25, 0.85  # inches; the colour bar is in the right margin
GAP, NAME, OUTPUT = 0.12, 0.2, 0.16  # inches between units, of a name above one, of its output weights below it
PANEL = (WIDTH - LEFT - RIGHT - BETWEEN) / 2


@drawn
def hidden_weights(weights_before, output_before, weights_after, output_after, class_names, shape):
    """A Figure, before beside after: the same units in the same order, one scale for all weights.

    weights: (rows * columns, units), of the first layer. output: (units, classes), from these units to the logits, or
    None where these units are the classes (a linear network). class_names: one a class. For a network of several
    hidden layers, give None and () for the names: the units are then numbered. shape: (rows, columns) of a patch.
    """
    stages = {"before": (weights_before, output_before), "after": (weights_after, output_after)}
    units, linear = weights_after.shape[1], output_after is None and weights_after.shape[1] == len(class_names)
    strength = np.linalg.norm(weights_after.T if output_after is None else output_after, axis=1)
    shown = np.sort(np.argsort(-strength, kind="stable")[:MOST_UNITS])

    columns = max(2, int(np.ceil(np.sqrt(len(shown)))))
    unit = (PANEL - GAP) / columns - GAP
    mosaics = {stage: _mosaic(*arrays, shown, columns, unit, shape) for stage, arrays in stages.items()}
    mosaic, lefts, tops = mosaics["after"]
    tall = PANEL * mosaic.shape[0] / mosaic.shape[1]
    limit = max(np.nanmax(np.abs([image for image, *_ in mosaics.values()])), 1e-300)

    notes = _notes(units, len(shown), output_after is not None, class_names)
    bottom = 0.2 + 0.17 * len(notes)
    size = {stage: number(np.sqrt(np.mean(np.square(weights)))) for stage, (weights, _) in stages.items()}
    what = f"{units} classes" if linear else f"{units} hidden units"
    title = f"The weights of {what}: typical size {size['before']} before training, {size['after']} after"
    figure = new_figure(TOP + tall + bottom, title)
    names = [fitting(class_names[k], unit) if linear else k + 1 for k in shown]
    for i, (stage, (mosaic, *_)) in enumerate(mosaics.items()):
        axes = add_axes(figure, LEFT + i * (PANEL + BETWEEN), bottom, PANEL, tall)
        image = axes.imshow(mosaic, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest", aspect="auto")
        for name, left, top in zip(names, lefts, tops, strict=True):
            axes.text(left, top, name, va="bottom")
        axes.set(facecolor="#DDDDDD", xticks=[], yticks=[])
        axes.set_title(f"{stage} training")
    color_bar(figure, image, WIDTH - RIGHT + 0.15, bottom, tall).ax.set_title("weight", fontsize=9)
    write(figure, LEFT, 0.1, "\n".join(notes), **GREY)
    return figure


def _mosaic(weights, output, shown, columns, unit, shape):
    """One image of all shown units, nan between them, and the left and top edge of each unit in it.

    columns: units a row; unit: the width of one in inches.
    """
    images = [in_square(weights[:, k], shape, np.nan) for k in shown]
    fine = len(images[0])  # cells of the mosaic across a unit
    gap, name, strip = (round(fine * inches / unit) for inches in (GAP, NAME, OUTPUT))
    step = name + fine + (0 if output is None else gap // 2 + strip)
    lefts = gap + np.arange(len(shown)) % columns * (fine + gap)
    tops = name + np.arange(len(shown)) // columns * step
    mosaic = np.full((tops[-1] - name + step + gap, gap + columns * (fine + gap)), np.nan)
    for k, image, left, top in zip(shown, images, lefts, tops, strict=True):
        mosaic[top : top + fine, left : left + fine] = image
        if output is not None:
            start = top + fine + gap // 2
            mosaic[start : start + strip, left : left + fine] = output[k, np.arange(fine) * output.shape[1] // fine]
    return mosaic, lefts, tops


def _notes(units, shown, with_output, class_names):
    notes = ["Typical size: root mean square of all weights that lead from the pixels."]
    if with_output and len(class_names) <= MOST_NAMES:
        names = ", ".join(fitting(name, 0.7) for name in class_names)
        notes.append(f"Below each image, left to right: the unit's output weights to {names}")
    if shown < units:
        notes.append(f"{shown} of {units} units are shown, those with the largest weights that lead on.")
    return notes
