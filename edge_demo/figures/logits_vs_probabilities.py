"""The main figure: where training moves the logits, and what softmax makes of them.

For two classes, the plane of both logits above, p against their difference below. For more, p of the true class
against its margin, z_k - logsumexp(other logits): p_k = sigmoid(margin) holds exactly for any number of classes.
"""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from edge_demo.evaluation import class_margins
from edge_demo.figures import style


def logits_vs_probabilities(logits_before, logits_after, labels, class_names):
    """A Figure, before training beside after: the same patches, the same axes.

    logits_before, logits_after: (n, classes); labels: (n,) class indexes; class_names: one a class.
    """
    labels, stages = np.asarray(labels), (np.asarray(logits_before), np.asarray(logits_after))
    margins = [class_margins(logits, labels) for logits in stages]
    before, after = (f"{np.count_nonzero(margin > 0):,}" for margin in margins)
    n, two = f"{len(labels):,}", len(class_names) == 2
    what = "lie on their class's side of the line" if two else "have p(true class) above 0.5"
    title = f"{before} of {n} patches {what} before training, {after} after"
    if two:
        figure = style.new_figure(
            9, 8.5, title, left=0.095, right=0.985, bottom=0.085, top=0.9, hspace=0.25, wspace=0.12
        )
        axes = figure.subplots(2, 2, sharex="row", sharey="row", height_ratios=(1.7, 1))
        _planes(axes[0], stages, labels, class_names)
        _sigmoids(axes[1], stages, labels, class_names)
        style.class_legend(figure, class_names, y=0.965)
    else:
        figure = style.new_figure(9, 7.4, title, left=0.18, right=0.985, bottom=0.12, top=0.9, hspace=0.08, wspace=0.08)
        axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(1, 1.3))
        _true_class(axes, margins, labels, class_names)
        below = "margin of the true class k: z_k − logsumexp(the other logits)"
        below += "\n(bars count patches, each row up to its tallest)"
        figure.supxlabel(below, fontsize=style.TEXT_SIZE, x=0.58, y=0.01)
    for panel, stage in zip(axes[0], ("before training", "after training"), strict=True):
        panel.set_title(stage, **style.PANEL_TITLE)
    for panel in axes.flat:
        panel.locator_params(axis="x", nbins=7)
        panel.ticklabel_format(axis="x", scilimits=(-4, 4))
    return figure


def _planes(columns, stages, labels, class_names):
    """The two logits as a plane, tinted by p, which is the same all along the line and its parallels."""
    low, high = np.min(stages), np.max(stages)
    border = max(0.05 * (high - low), 0.5)
    low, high = limits = low - border, high + border
    gap = 0.02 * (high - low)
    grid = np.linspace(low, high, 200)
    tint = LinearSegmentedColormap.from_list("tint", [style.COLORS[1], "white", style.COLORS[0]])
    p = style.sigmoid(grid - grid[:, None])
    p_name, names = f"p({style.fitting(class_names[0], 1)})", [style.logit_name(name) for name in class_names]
    boundary = " = ".join(names) if len(names[0] + names[1]) < 25 else "equal logits"
    label = {"rotation": 45, "rotation_mode": "anchor", **style.GREY}
    for axes, logits in zip(columns, stages, strict=True):
        axes.imshow(p, cmap=tint, vmin=0, vmax=1, alpha=0.25, origin="lower", extent=limits * 2)
        axes.plot(limits, limits, **style.LINE)
        axes.text(high - 1.4 * gap, high - gap, f"{boundary}: p = 0.5 ", ha="right", va="bottom", **label)
        axes.text(low + gap, low + 1.5 * gap, f" {p_name} < 0.5", va="bottom", **label)
        axes.text(low + 1.5 * gap, low + gap, f" {p_name} > 0.5", va="top", **label)
        style.plot_classes(axes, logits[:, 0], logits[:, 1], labels, 2)
        axes.set(xlim=limits, ylim=limits, xlabel=f"logit {names[0]}")
    columns[0].set_ylabel(f"logit {names[1]}")
    columns[0].ticklabel_format(scilimits=(-4, 4))


def _sigmoids(columns, stages, labels, class_names):
    """p against the difference of the logits; class 0 is counted along the bottom, class 1 along the top."""
    differences = [logits[:, 0] - logits[:, 1] for logits in stages]
    limit = max(1.04 * np.abs(differences).max(), 3)
    curve, edges = np.linspace(-limit, limit, 801), np.linspace(-limit, limit, 61)
    margin = " − ".join(map(style.logit_name, class_names))
    for axes, difference in zip(columns, differences, strict=True):
        counts = [np.histogram(difference[labels == k], edges)[0] for k in range(2)]
        for k, growth in enumerate((0.42, -0.42)):
            bars = k + growth * counts[k] / np.max(counts)
            axes.stairs(bars, edges, baseline=k, fill=True, alpha=0.35, color=style.COLORS[k])
        axes.plot(curve, style.sigmoid(curve), **style.LINE)
        axes.plot([-limit, 0, 0], [0.5, 0.5, 0], ls=":", **style.LINE)
        axes.text(-0.96 * limit, 0.52, "boundary, p = 0.5", **style.GREY)
        style.plot_classes(axes, difference, style.sigmoid(difference), labels, 2)
        axes.set(
            xlim=(-limit, limit),
            ylim=(0, 1),
            xlabel=f"{margin}\n(bars count patches of each class, the tallest {np.max(counts):,})",
        )
    columns[0].set_ylabel(f"p({style.fitting(class_names[0], 1.5)})")


def _true_class(axes, margins, labels, class_names):
    """p of each patch's true class against its margin, and below it, a row a class, how the patches are spread."""
    classes = len(class_names)
    low, high = min(-3, np.min(margins)), max(3, np.max(margins))
    border = 0.03 * (high - low)
    low, high = low - border, high + border
    curve, edges = np.linspace(low, high, 801), np.linspace(low, high, 81)
    references = ((0, 0.5, "p = 0.5"), (-np.log(classes - 1), 1 / classes, f"chance, p = 1/{classes}"))
    for (upper, lower), margin in zip(axes.T, margins, strict=True):
        upper.plot(curve, style.sigmoid(curve), **style.LINE)
        for at, p, name in references:
            upper.plot([high, at, at], [p, p, 0], ls=":", **style.LINE)
            upper.text(high - border / 2, p + 0.02, name, ha="right", **style.GREY)
            lower.axvline(at, ls=":", **style.LINE)
        style.plot_classes(upper, margin, style.sigmoid(margin), labels, classes)
        for k in range(classes):
            counts = np.histogram(margin[labels == k], edges)[0]
            bars = k - 0.85 * counts / max(counts.max(), 1)
            lower.stairs(bars, edges, baseline=k, fill=True, color=style.class_color(k, classes))
        lower.set(xlim=(low, high), ylim=(classes - 0.8, -1))
    axes[0, 0].set(ylim=(0, 1), ylabel="p(true class)")
    shown = range(0, classes, -(-classes // 20))
    axes[1, 0].set_yticks(
        shown, [style.fitting(class_names[k], 1.4, style.SMALL_SIZE) for k in shown], fontsize=style.SMALL_SIZE
    )
