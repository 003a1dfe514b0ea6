"""The learned probability beside the exact one, which is known because the generator of the patches is."""

import numpy as np

from edge_demo.figures import style


def probability_vs_truth(log_odds_true, log_odds_before, log_odds_after, labels, class_names):
    """A Figure, before training beside after: p of class 0 above, its log-odds below, learned against exact.

    The three log-odds, log p(class 0) - log p(class 1), are (n,), for a network z_0 - z_1; labels: (n,) class indexes.
    """
    labels, exact, stages = np.asarray(labels), np.asarray(log_odds_true), (log_odds_before, log_odds_after)
    stages = [np.asarray(learned) for learned in stages]
    p_name = f"p({style.fitting(class_names[0], 1)})"
    before, after = (np.abs(style.sigmoid(learned) - style.sigmoid(exact)).mean() for learned in stages)
    title = f"Learned and exact {p_name} are {before:.3f} apart on average before training, {after:.3f} after"
    figure = style.new_figure(9, 9.3, title, left=0.13, right=0.95, bottom=0.085, top=0.91, hspace=0.2, wspace=0.1)
    axes = figure.subplots(2, 2, sharex="row", sharey="row")
    # all but the outermost: one patch far away would squeeze the rest
    low, high = np.percentile([exact, *stages], (0.5, 99.5), axis=1)
    low, high = min(low.min(), -3), max(high.max(), 3)
    for (upper, lower), learned, stage in zip(axes.T, stages, ("before training", "after training"), strict=True):
        style.diagonal(upper, 0, 1, "learned = exact")
        style.plot_classes(upper, style.sigmoid(exact), style.sigmoid(learned), labels, 2)
        upper.set(xlim=(0, 1), ylim=(0, 1), xlabel=f"exact {p_name}")
        upper.set_title(stage, **style.PANEL_TITLE)
        style.diagonal(lower, low, high, "learned = exact")
        style.plot_classes(lower, np.clip(exact, low, high), np.clip(learned, low, high), labels, 2)
        outside = np.count_nonzero((np.minimum(exact, learned) < low) | (np.maximum(exact, learned) > high))
        note = f"({outside:,} patches outside, drawn at the border)"
        lower.set(xlim=(low, high), ylim=(low, high), xlabel=f"exact log-odds\n{note}")
        lower.locator_params(nbins=7)
        lower.ticklabel_format(scilimits=(-4, 4))
    axes[0, 0].set_ylabel(f"learned {p_name}")
    axes[1, 0].set_ylabel(f"learned log-odds\n{' − '.join(map(style.logit_name, class_names))}")
    style.class_legend(figure, class_names, y=0.97)
    return figure
