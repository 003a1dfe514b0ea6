"""Trained too long on too few patches: the loss grows again, for the network is sure of itself where it is wrong."""

import numpy as np

from edge_demo.evaluation import expected_calibration_error
from edge_demo.figures import style
from edge_demo.figures.reliability import _interval
from edge_demo.figures.training_curves import _draw
from edge_demo.softmax import log_softmax

BINS = 10
WIDTH, HEIGHT, SIDE, BOTTOM, ABOVE = 9, 8.1, 2.8, 1.0, 3.58  # inches; ABOVE: from one panel to that above it
CONFIDENT = 0.99
CLEAR = 1.1  # times the lowest loss: only beyond that the title says that it rises


def overconfidence(
    epoch,
    train_loss,
    train_accuracy,
    test_loss,
    test_accuracy,
    logits,
    labels,
    temperature,
    class_names,
    bayes_loss,
    bayes_accuracy,
    noise_floor,
):
    """A Figure: loss and accuracy by epoch on the left, p of class 0 before and after one temperature on the right.

    The first five are lists with one entry an epoch. logits (n, 2) and labels (n,): the test patches after training;
    bayes_loss, bayes_accuracy: of the exact posterior on them; noise_floor: the calibration error that true
    probabilities show on so many patches, by chance.
    """
    labels, low = np.asarray(labels), int(np.argmin(test_loss))
    figure = style.new_figure(WIDTH, HEIGHT, _title(epoch, test_loss, test_accuracy, low))
    (loss, before), (accuracy, after) = (
        [figure.add_axes((x / WIDTH, y / HEIGHT, SIDE / WIDTH, SIDE / HEIGHT)) for x in (0.68, 5.88)]
        for y in (BOTTOM + ABOVE, BOTTOM)
    )

    names = {f"ln 2 = {np.log(2):.3f}: 50 : 50": np.log(2), f"Bayes floor {bayes_loss:.3g}": bayes_loss}
    loss.set(ylim=(0, 1.2 * max(*train_loss, *test_loss, np.log(2))), ylabel="cross-entropy, nats")
    _draw(loss, epoch, {"train": train_loss, "test": test_loss}, names, ".3g")
    loss.set_title("loss by epoch", **style.PANEL_TITLE)
    names = {"chance: 1/2": 1 / 2, f"exact posterior {bayes_accuracy:.3f}": bayes_accuracy}
    accuracy.set(ylim=(0, 1), ylabel="accuracy")
    _draw(accuracy, epoch, {"train": train_accuracy, "test": test_accuracy}, names, ".3f")
    accuracy.set_title("accuracy by epoch", **style.PANEL_TITLE)
    for axes in (loss, accuracy):
        axes.axvline(epoch[low], color=style.REFERENCE, lw=1, ls=":")
        axes.set(xlim=(0, max(epoch[-1], 1)), xlabel="epoch (0: untrained)")
        axes.xaxis.get_major_locator().set_params(integer=True)
    left = epoch[low] <= epoch[-1] / 2
    where = {"xytext": (4 if left else -4, -4), "textcoords": "offset points", "xycoords": loss.get_xaxis_transform()}
    name = f"lowest test loss: {test_loss[low]:.3g}, epoch {epoch[low]:,}"
    loss.annotate(name, (epoch[low], 1), ha="left" if left else "right", va="top", **where, **style.GREY)

    name = style.fitting(class_names[0], 1.2)
    for axes, t, shown in ((before, 1.0, "z"), (after, temperature, f"z / {temperature:.2f}")):
        log_probabilities = log_softmax(logits, t)
        error = expected_calibration_error(log_probabilities, labels)
        axes.set_title(f"softmax({shown}): calibration error {error:.3f}", **style.PANEL_TITLE)
        sure = log_probabilities.max(axis=1) > np.log(CONFIDENT)
        wrong = np.count_nonzero(log_probabilities[sure].argmax(axis=1) != labels[sure])
        answers = f"p > {CONFIDENT:g} for a class:\n{sure.sum():,} of {len(labels):,} patches,\n{wrong:,} of them wrong"
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel=f"predicted p({name})", ylabel=f"share that is {name}")
        axes.text(
            0.03, 0.97, answers, va="top", fontsize=style.SMALL_SIZE, bbox={"fc": "white", "ec": "none", "pad": 1}
        )
        style.diagonal(axes, 0, 1, "")
        axes.text(0.97, 0.03, "diagonal: share = p", ha="right", **style.GREY)
        _points(axes, np.exp(log_probabilities[:, 0]), labels == 0)
    note = (
        f"Right: {BINS} bins of p, areas by their patches, bars the 95 % interval. "
        f"Calibration error: how far confidence and accuracy\n"
        f"lie apart, over bins of equally many patches; true probabilities would show {noise_floor:.3f}, by chance."
    )
    figure.text(0.5, 0.08 / HEIGHT, note, ha="center", **style.GREY)
    return figure


def _title(epoch, test_loss, test_accuracy, low):
    first, last = test_loss[low], test_loss[-1]
    if last > CLEAR * first:
        accuracies = f"accuracy goes from {test_accuracy[low]:.3f} to {test_accuracy[-1]:.3f}"
        return f"After epoch {epoch[low]:,} the test loss grows from {first:.3g} to {last:.3g}; {accuracies}"
    return f"The test loss ends at {last:.3g} nats, close to its lowest, {first:.3g} in epoch {epoch[low]:,}"


def _points(axes, p, is_class):
    """How often the class was true, where p lies in one of BINS equal parts of 0 to 1."""
    from sklearn.calibration import calibration_curve  # here, because it is slow to import

    share, mean = calibration_curve(is_class.astype(int), p, n_bins=BINS, strategy="uniform", pos_label=1)
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], p))
    counts = counts[counts > 0]
    axes.vlines(mean, *_interval(share, counts), color=style.COLORS[0], lw=1, clip_on=False)
    axes.scatter(mean, share, 500 * counts / len(p), color=style.COLORS[0], alpha=0.6, lw=0, clip_on=False)
