"""Is a network that says 0.8 right in 80 % of the cases? Probabilities of the predicted class against what happened."""

import numpy as np

from edge_demo.figures.style import COLORS, GREY, LINE, WIDTH, drawn, fitting, new_figure, write


@drawn
def reliability(panels):
    """A Figure with a diagram for each panel, two in a row.

    panels: a list of (name, p (n,) of the predicted class, points), these as evaluation.reliability_points gives
    them. Those of more patches are larger. The bar of a point is Wilson's 95 % interval of the share.
    """
    rows, columns = -(-len(panels) // 2), min(2, len(panels))
    title = "On the diagonal, the predicted class is right as often as its p says"
    least = np.floor(10 * min(p.min() for _, p, _ in panels)) / 10
    figure = new_figure(0.75 + 3.9 * rows, title, left=0.6, right=0.2, bottom=0.85, top=0.75, hspace=0.25)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (name, p, (mean, share, counts)) in zip(grid.flat, panels, strict=False):
        gap = np.average(np.abs(share - mean), weights=counts)
        axes.set_title(f"{fitting(name, 1.3)}: calibration error {gap:.4f}")
        axes.plot([0, 1], [0, 1], **LINE)
        axes.text(0.97, 0.04, "diagonal: share = p", ha="right", **GREY)
        axes.vlines(mean, *_interval(share, counts), color=COLORS[0], lw=1, clip_on=False)
        axes.scatter(mean, share, 500 * counts / len(p), color=COLORS[0], alpha=0.6, lw=0, clip_on=False)
        axes.set(xlim=(least, 1), ylim=(0, 1), ylabel="share that is right")
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    note = "p of the predicted class\n(calibration error: |share − p| of the points, weighted by their patches)"
    write(figure, WIDTH / 2, 0.1, note, ha="center")
    return figure


def _interval(share, n, z=1.96):
    """Wilson's interval (1927) for shares observed in n cases: it stays within 0 to 1."""
    center = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return center - half, center + half
