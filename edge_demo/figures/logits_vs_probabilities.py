"""The main figure: where training moves the logits, and what softmax makes of them.

For two classes, the plane of both logits above, p against their difference below. For more, p of the true class
against its margin, z_k - logsumexp(other logits): p_k = sigmoid(margin) holds exactly for any number of classes.
"""

import numpy as np

from edge_demo.evaluation import class_margins
from edge_demo.figures.style import (
    BEHIND,
    COLORS,
    GREY,
    LINE,
    class_color,
    class_legend,
    drawn,
    fitting,
    logit_name,
    new_figure,
    plot_classes,
    sigmoid,
    write,
)

MOST_NAMED = 20  # classes that have their name beside their row


@drawn
def logits_vs_probabilities(logits_before, logits_after, labels, class_names):
    """A Figure, before training beside after: the same patches, the same axes.

    logits_before, logits_after: (n, classes); labels: (n,) class indexes; class_names: one a class.
    """
    labels, stages = np.asarray(labels), np.array([logits_before, logits_after])
    margins = np.array([class_margins(logits, labels) for logits in stages])
    before, after = (f"{np.count_nonzero(margin > 0):,}" for margin in margins)
    n, two = f"{len(labels):,}", len(class_names) == 2
    what = "lie on their class's side of the line" if two else "have p(true class) above 0.5"
    title = f"{before} of {n} patches {what} before training, {after} after"
    if two:
        figure = new_figure(8.5, title, left=0.85, right=0.13, bottom=0.72, top=0.85, hspace=0.25, wspace=0.12)
        axes = figure.subplots(2, 2, sharex="row", sharey="row", height_ratios=(1.7, 1))
        class_legend(figure, class_names, 0.5)
        for upper, lower, logits in zip(*axes, stages, strict=True):
            logit_plane(upper, stages, class_names)
            plot_classes(upper, logits[:, 0], logits[:, 1], labels, 2)
            differences = stages[..., 0] - stages[..., 1]
            sigmoid_curve(lower, differences, class_names)
            _two_classes(lower, logits[:, 0] - logits[:, 1], labels)
    else:
        figure = new_figure(7.4, title, left=1.62, right=0.13, bottom=0.89, top=0.74, hspace=0.08, wspace=0.08)
        axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(1, 1.3))
        for upper, lower, margin in zip(*axes, margins, strict=True):
            sigmoid_curve(upper, margins, class_names)
            _true_class(upper, lower, margin, labels, len(class_names))
        name_classes(axes[1, 0], class_names, 1.4, MOST_NAMED)
        below = "margin of the true class k: z_k − logsumexp(the other logits)"
        write(figure, 5.2, 0.1, below + "\n(bars count patches, each row up to its tallest)", ha="center")
    for panel, stage in zip(axes[0], ("before training", "after training"), strict=True):
        panel.set_title(stage)
    for panel in axes[:, 1]:
        panel.set_ylabel("")
    for panel in axes.flat:
        panel.locator_params(axis="x", nbins=7)
        panel.ticklabel_format(axis="x", scilimits=(-4, 4))
    return figure


def logit_plane(axes, logits, class_names):
    """The plane of two logits, tinted by p, which is the same all along the line and its parallels.

    logits: (..., 2), all that shall lie in it.
    """
    low, high = np.min(logits), np.max(logits)
    border = max(0.05 * (high - low), 0.5)
    low, high = limits = low - border, high + border
    gap = 0.02 * (high - low)
    grid = np.linspace(low, high, 200)
    p = sigmoid(grid - grid[:, None])
    axes.imshow(p, cmap=BEHIND, vmin=0, vmax=1, alpha=0.25, origin="lower", extent=limits * 2)
    axes.plot(limits, limits, **LINE)
    name, names = f"p({fitting(class_names[0], 1)})", [logit_name(name) for name in class_names]
    boundary = " = ".join(names) if len(names[0] + names[1]) < 25 else "equal logits"
    label = {"rotation": 45, "rotation_mode": "anchor", **GREY}
    axes.text(high - 1.4 * gap, high - gap, f"{boundary}: p = 0.5 ", ha="right", va="bottom", **label)
    axes.text(low + gap, low + 1.5 * gap, f" {name} < 0.5", va="bottom", **label)
    axes.text(low + 1.5 * gap, low + gap, f" {name} > 0.5", va="top", **label)
    axes.set(xlim=limits, ylim=limits, xlabel=f"logit {names[0]}", ylabel=f"logit {names[1]}")
    axes.ticklabel_format(scilimits=(-4, 4))


def sigmoid_curve(axes, margins, class_names):
    """p against the difference of two logits, or, of more classes, p of the true one against its margin.

    margins: (...), all that shall lie on it.
    """
    two = len(class_names) == 2
    low, high = min(-3, np.min(margins)), max(3, np.max(margins))
    if two:  # then 0 stands in the middle
        low, high = -max(-low, high), max(-low, high)
    border = 0.03 * (high - low)
    low, high = low - border, high + border
    curve = np.linspace(low, high, 801)
    axes.plot(curve, sigmoid(curve), **LINE)
    axes.plot([low, 0, 0], [0.5, 0.5, 0], ls=":", **LINE)
    axes.text(low + border / 2, 0.52, "boundary, p = 0.5" if two else "p = 0.5", **GREY)
    name = fitting(class_names[0], 1) if two else "true class"
    across = " − ".join(map(logit_name, class_names)) if two else "margin of the true class"
    axes.set(xlim=(low, high), ylim=(0, 1), xlabel=across, ylabel=f"p({name})")


def name_classes(axes, class_names, inches, most):
    """The names of at most so many classes, evenly spread, beside their rows."""
    shown = range(0, len(class_names), -(-len(class_names) // most))
    axes.set_yticks(shown, [fitting(class_names[k], inches) for k in shown])


def _two_classes(axes, differences, labels):
    """The patches on the sigmoid; class 0 is counted along the bottom, class 1 along the top."""
    edges = np.linspace(*axes.get_xlim(), 61)
    counts = [np.histogram(differences[labels == k], edges)[0] for k in range(2)]
    for k, growth in enumerate((0.42, -0.42)):
        bars = k + growth * counts[k] / np.max(counts)
        axes.stairs(bars, edges, baseline=k, fill=True, alpha=0.35, color=COLORS[k])
    plot_classes(axes, differences, sigmoid(differences), labels, 2)
    note = f"(bars count patches of each class, the tallest {np.max(counts):,})"
    axes.set_xlabel(f"{axes.get_xlabel()}\n{note}")


def _true_class(upper, lower, margin, labels, classes):
    """The patches on the sigmoid, and below it, a row a class, how they are spread."""
    plot_classes(upper, margin, sigmoid(margin), labels, classes)
    low, high = upper.get_xlim()
    chance = -np.log(classes - 1)
    upper.plot([high, chance, chance], [1 / classes, 1 / classes, 0], ls=":", **LINE)
    upper.text(high, 1 / classes + 0.02, f"chance, p = 1/{classes} ", ha="right", **GREY)
    for at in (0, chance):
        lower.axvline(at, ls=":", **LINE)
    edges = np.linspace(low, high, 81)
    for k in range(classes):
        counts = np.histogram(margin[labels == k], edges)[0]
        bars = k - 0.85 * counts / max(counts.max(), 1)
        lower.stairs(bars, edges, baseline=k, fill=True, color=class_color(k, classes))
    lower.set(xlim=(low, high), ylim=(classes - 0.8, -1))
