"""Inside the network: how the activations of each hidden unit are spread, and how many units never answer."""

import numpy as np
from matplotlib.colors import LogNorm

from edge_demo.figures import style

MOST_LAYERS, MOST_UNITS, BINS = 6, 64, 40
LEFT, BETWEEN, TOP, BOTTOM = 0.65, 0.12, 0.75, 0.5  # inches
UNITS, CURVE, TALL, GAP = 2.95, 1.7, 1.9, 0.3  # inches: width of a panel of units, of a curve; height, between rows


@style.drawn
def inside(before, after, epochs, silent):
    """A Figure: a row a hidden layer, with its units before and after training, and how many never answer by epoch.

    before, after: a list with one array (n, units) a hidden layer, the activations of n patches. epochs: m rising
    numbers; silent: (m, layers), the numbers of units that give the same for every patch.
    """
    silent, rows = np.asarray(silent), min(len(after), MOST_LAYERS)
    if not rows:
        raise style.CannotDraw("this network has no hidden layer")
    units = sum(layer.shape[1] for layer in after)
    first, last = (style.number(np.sqrt(np.mean([np.mean(layer**2) for layer in stage]))) for stage in (before, after))
    never = f"{silent[-1].sum():,} of {units:,} units never answer{'s' * (units == 1)}"
    title = f"The typical activation is {first} before training and {last} after; {never}"
    figure = style.new_figure(TOP + rows * (TALL + GAP) - GAP + BOTTOM, title)
    for i in range(rows):
        bottom = BOTTOM + (rows - 1 - i) * (TALL + GAP)
        places = (LEFT, UNITS), (LEFT + UNITS + BETWEEN, UNITS), (style.WIDTH - CURVE - 0.2, CURVE)
        *panels, curve = (style.add_axes(figure, left, bottom, width, TALL) for left, width in places)
        low, high = min(before[i].min(), after[i].min()), max(before[i].max(), after[i].max())
        for axes, activations in zip(panels, (before[i], after[i]), strict=True):
            _spread(axes, activations, low, max(high, low + 1e-9))
        panels[0].set_ylabel(f"activations, hidden layer {i + 1}")
        panels[1].tick_params(labelleft=False)
        curve.plot(epochs, silent[:, i], "o-", color="black", ms=3, clip_on=False)
        curve.set(xlim=(0, max(epochs[-1], 1)), ylim=(0, after[i].shape[1]))
        for axis in (panels[0].xaxis, panels[1].xaxis, curve.xaxis, curve.yaxis):
            axis.get_major_locator().set_params(integer=True)
        for axes, head in zip(
            (*panels, curve), ("before training", "after training", "units that never answer"), strict=True
        ):
            axes.set_title(head if i == 0 else "")
    for axes, name in zip((*panels, curve), ("unit", "unit (the darker, the more patches)", "epoch"), strict=True):
        axes.set_xlabel(name)
    return figure


def _spread(axes, activations, low, high):
    """A column a unit, the darker where more patches lie."""
    units = activations.shape[1]
    shown = np.linspace(0, units - 1, min(units, MOST_UNITS)).astype(int)
    counts = [np.histogram(activations[:, unit], BINS, (low, high))[0] for unit in shown]
    shares = np.ma.masked_equal(np.transpose(counts) / len(activations), 0)
    place = {"origin": "lower", "aspect": "auto", "extent": (0.5, units + 0.5, low, high)}
    axes.imshow(shares, cmap="Blues", norm=LogNorm(0.001, 1), interpolation="nearest", **place)
