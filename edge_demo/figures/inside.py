"""Inside the network: how the activations of each hidden unit are spread, and how many units never answer."""

import numpy as np
from matplotlib.colors import LogNorm

from edge_demo.figures.style import CannotDraw, drawn, new_figure, number

MOST_LAYERS, BINS = 6, 40
TALL = 2.0  # inches a layer


@drawn
def inside(before, after, epochs, silent):
    """A Figure: a row a hidden layer, with its units before and after training, and how many never answer by epoch.

    before, after: a list with one array (n, units) a hidden layer, the activations of n patches. epochs: m rising
    numbers; silent: (m, layers), the numbers of units that give the same for every patch.
    """
    silent, rows = np.asarray(silent), min(len(after), MOST_LAYERS)
    if not rows:
        raise CannotDraw("this network has no hidden layer")
    units = sum(layer.shape[1] for layer in after)
    first, last = (number(np.sqrt(np.mean([np.mean(layer**2) for layer in stage]))) for stage in (before, after))
    never = f"{silent[-1].sum():,} of {units:,} units never answer"
    title = f"The typical activation is {first} before training and {last} after; {never}"
    place = {"left": 0.65, "right": 0.2, "bottom": 0.5, "top": 0.75, "wspace": 0.15, "hspace": 0.3}
    figure = new_figure(1.25 + TALL * rows, title, **place)
    grid = figure.subplots(rows, 3, squeeze=False, width_ratios=(3, 3, 2))
    for i, (*panels, curve) in enumerate(grid):
        low, high = min(before[i].min(), after[i].min()), max(before[i].max(), after[i].max())
        for axes, activations in zip(panels, (before[i], after[i]), strict=True):
            _spread(axes, activations, low, max(high, low + 1))
        panels[0].set_ylabel(f"activations, hidden layer {i + 1}")
        curve.plot(epochs, silent[:, i], "o-", color="black", ms=3, clip_on=False)
        curve.set(xlim=(0, max(epochs[-1], 1)), ylim=(0, after[i].shape[1]))
        for axis in (panels[0].xaxis, panels[1].xaxis, curve.xaxis, curve.yaxis):
            axis.get_major_locator().set_params(integer=True)
    heads = "before training", "after training", "units that never answer"
    feet = "unit", "unit (the darker, the more patches)", "epoch"
    for upper, lower, head, foot in zip(grid[0], grid[-1], heads, feet, strict=True):
        upper.set_title(head)
        lower.set_xlabel(foot)
    return figure


def _spread(axes, activations, low, high):
    """A column a unit, the darker where more patches lie."""
    units = activations.shape[1]
    counts = [np.histogram(unit, BINS, (low, high))[0] for unit in activations.T]
    shares = np.ma.masked_equal(np.transpose(counts) / len(activations), 0)
    place = {"origin": "lower", "aspect": "auto", "extent": (0.5, units + 0.5, low, high)}
    axes.imshow(shares, cmap="Blues", norm=LogNorm(0.001, 1), interpolation="nearest", **place)
