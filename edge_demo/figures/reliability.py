"""Is a network that says 0.8 right in 80 % of the cases? Probabilities of the predicted class against what happened."""

import numpy as np

from edge_demo.figures import style

STRIP = np.linspace(0, 1, 51)


@style.drawn
def reliability(panels):
    """A Figure with a diagram for each panel, two in a row.

    panels: a list of (name, p (n,) of the predicted class, points), these as evaluation.reliability_points gives
    them. Those of more patches are larger. The bar of a point is Wilson's 95 % interval of the share.
    """
    rows, columns = -(-len(panels) // 2), min(2, len(panels))
    title = "On the diagonal, the predicted class is right as often as its p says"
    figure = style.new_figure(1.35 + 3.8 * rows, title, left=0.77, right=0.2, bottom=0.75, top=0.75)
    grid = figure.add_gridspec(rows, columns, hspace=0.18, wspace=0.15)
    least = np.floor(10 * min(p.min() for _, p, _ in panels)) / 10
    most = max(np.histogram(p, STRIP)[0].max() for _, p, _ in panels)
    for i, (panel_name, p, (mean, share, counts)) in enumerate(panels):
        upper, lower = grid[i].subgridspec(2, 1, height_ratios=(4, 1), hspace=0.07).subplots(sharex=True)
        gap = np.average(np.abs(share - mean), weights=counts)
        upper.set_title(f"{style.fitting(panel_name, 2.3)}: calibration error {gap:.4f}")
        upper.plot([0, 1], [0, 1], **style.LINE)
        upper.text(0.97, 0.04, "diagonal: share = p", ha="right", **style.GREY)
        upper.vlines(mean, *_interval(share, counts), color=style.COLORS[0], lw=1, clip_on=False)
        upper.scatter(mean, share, 500 * counts / len(p), color=style.COLORS[0], alpha=0.6, lw=0, clip_on=False)
        upper.set(xlim=(least, 1), ylim=(0, 1))
        lower.stairs(np.histogram(p, STRIP)[0], STRIP, fill=True, color=style.COLORS[0], alpha=0.6)
        lower.set(yscale="log", ylim=(0.7, 1.5 * most))
        lower.minorticks_off()
        lower.yaxis.set_major_formatter("{x:,.0f}")
        if i % columns == 0:
            upper.set_ylabel("share that is right")
            lower.set_ylabel("patches")
    note = "p of the predicted class\n(calibration error: |share − p| of the points, weighted by their patches)"
    style.write(figure, style.WIDTH / 2, 0.1, note, ha="center")
    return figure


def _interval(share, n, z=1.96):
    """Wilson's interval (1927) for shares observed in n cases: it stays within 0 to 1."""
    center = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return center - half, center + half
