"""Inside the network: how each hidden unit's activations are spread, and how many units never answer."""

import numpy as np
from matplotlib.colors import LogNorm

from edge_demo.figures import style

MOST_LAYERS, MOST_UNITS, BINS = 6, 64, 40
LEFT, RIGHT, BETWEEN, TOP, BOTTOM = 0.75, 0.75, 0.12, 0.75, 0.5  # inches
UNITS, CURVE, TALL, GAP = 2.6, 2.1, 1.9, 0.45  # inches: width of a panel of units, of a curve; height, between rows


@style.drawn
def inside(before, after, epochs, silent):
    """A Figure: a row a hidden layer, with its units before and after training, and how many never answer by epoch.

    before, after: a list with one array (n, units) a hidden layer, the activations of n patches. epochs: m rising
    numbers; silent: (m, layers), the numbers of units that give the same for every patch.
    """
    silent, layers = np.asarray(silent), len(after)
    if not layers:
        raise style.CannotDraw("the network has no hidden layer")
    units = sum(layer.shape[1] for layer in after)
    first, last = silent[0].sum(), silent[-1].sum()
    title = f"Of {units:,} hidden unit{'s' * (units > 1)}, {first:,} never answer before training, {last:,} after"
    rows = min(layers, MOST_LAYERS)
    figure = style.new_figure(TOP + rows * (TALL + GAP) - GAP + BOTTOM, title)
    for i in range(rows):
        bottom = BOTTOM + (rows - 1 - i) * (TALL + GAP)
        panels = [style.add_axes(figure, LEFT + k * (UNITS + BETWEEN), bottom, UNITS, TALL) for k in (0, 1)]
        limits = min(before[i].min(), after[i].min()), max(before[i].max(), after[i].max())
        for axes, stage in zip(panels, (before[i], after[i]), strict=True):
            image = _spread(axes, stage, limits)
        panels[0].set_ylabel(f"activations of layer {i + 1}" if layers > 1 else "activations")
        panels[1].tick_params(labelleft=False)
        style.color_bar(figure, image, LEFT + 2 * UNITS + BETWEEN + 0.08, bottom, TALL, format="{x:g} %")
        curve = style.add_axes(figure, style.WIDTH - CURVE - 0.2, bottom, CURVE, TALL)
        curve.plot(epochs, silent[:, i], "o-", color="black", ms=3, clip_on=False)
        curve.set(xlim=(0, max(epochs[-1], 1)), ylim=(0, after[i].shape[1]))
        for which in (curve.xaxis, curve.yaxis):
            which.get_major_locator().set_params(integer=True)
        if i == 0:
            for axes, head in zip((*panels, curve), ("before training", "after training", "never answer"), strict=True):
                axes.set_title(head)
    for axes in panels:
        axes.set_xlabel("hidden unit (shade: share of the patches)")
    curve.set_xlabel("epoch")
    return figure


def _spread(axes, activations, limits):
    """A column a unit, the darker where more patches lie."""
    low, high = limits if limits[0] < limits[1] else (limits[0] - 1, limits[1] + 1)
    shown = activations[:, np.linspace(0, activations.shape[1] - 1, min(activations.shape[1], MOST_UNITS)).astype(int)]
    edges = np.linspace(low, high, BINS + 1)
    shares = 100 * np.array([np.histogram(unit, edges)[0] for unit in shown.T]).T / len(shown)
    extent = (0.5, activations.shape[1] + 0.5, low, high)
    look = {"cmap": "Blues", "norm": LogNorm(0.1, 100), "interpolation": "nearest"}
    axes.xaxis.get_major_locator().set_params(integer=True)
    return axes.imshow(np.ma.masked_equal(shares, 0), origin="lower", aspect="auto", extent=extent, **look)
