"""What probabilities are worth by labels: accuracy, loss, Brier score, calibration error (ECE), and a temperature.

A prediction is an array of log probabilities, (n, classes); logits do as well where only their order or softmax counts.
labels are class indexes (n,). Every function raises ValueError for labels of another shape or range.
"""

import numpy as np

from edge_demo.softmax import at_label, log_softmax, softmax

CALIBRATION_BINS = 15


class NoTemperature(ValueError):
    """No finite temperature is best; the message says why."""


def probability_text(p, decimals=2):
    """A probability as text that never says 0 or 1, which softmax does not reach: <0.01, 0.37, >0.99."""
    least = 10.0**-decimals
    if p < least / 2 or p > 1 - least / 2:
        return f"<{least:.{decimals}f}" if p < 0.5 else f">{1 - least:.{decimals}f}"
    return f"{p:.{decimals}f}"


# ---------------------------------------------------------------------------------------------------------- scores


def accuracy(log_probabilities, labels):
    """Fraction of patches whose most probable class is the label."""
    return float(each_patch(log_probabilities, labels)["accuracy"].mean())


def log_loss(log_probabilities, labels):
    """Mean of -log p(label) in nats, a float: cross-entropy, whatever loss the network was trained by."""
    return float(-log_softmax(log_probabilities)[at_label(log_probabilities, labels)].mean())


def each_patch(log_probabilities, labels):
    """What accuracy and cross_entropy are the means of: a dict of two arrays (n,), 1.0 or 0.0, and -log p in nats."""
    losses = -log_probabilities[at_label(log_probabilities, labels)]
    right = log_probabilities.argmax(axis=1) == labels
    return {"accuracy": right.astype(np.float64), "cross_entropy": losses}


def brier_score(log_probabilities, labels):
    """Mean squared error of the probabilities (Brier 1950), scaled as scikit-learn does: 0 to 1 for two classes."""
    errors = np.exp(log_probabilities)
    errors[at_label(log_probabilities, labels)] -= 1.0
    return float((errors**2).sum(axis=1).mean() / (2 if errors.shape[1] == 2 else 1))


def expected_calibration_error(log_probabilities, labels, bins=CALIBRATION_BINS):
    """How far confidence and accuracy lie apart, averaged over bins of about equally many patches: the ECE.

    Confidence is the largest probability of a patch (Naeini et al. 2015, with equal-mass bins).
    """
    confidence = np.exp(log_probabilities.max(axis=1))
    right = each_patch(log_probabilities, labels)["accuracy"]
    mean, share, counts = reliability_points(confidence, right, bins)
    return float(np.average(np.abs(mean - share), weights=counts))


def scores(log_probabilities, labels):
    """A dict of the four scores that need labels only."""
    return {
        "accuracy": accuracy(log_probabilities, labels),
        "cross_entropy": log_loss(log_probabilities, labels),
        "brier_score": brier_score(log_probabilities, labels),
        "calibration_error": expected_calibration_error(log_probabilities, labels),
    }


def class_scores(log_probabilities, labels, class_names):
    """A dict: balanced_accuracy, the mean recall of the classes that occur, and classes, from name to three numbers.

    recall: of the patches of a class, the share that is called so. precision: of the patches called so, the share that
    are, 0 where none is. patches: how many there are.
    """
    hits = each_patch(log_probabilities, labels)["accuracy"] > 0
    found, there, called = (
        np.bincount(those, minlength=len(class_names))
        for those in (labels[hits], labels, log_probabilities.argmax(axis=1))
    )
    recall, precision = found / np.maximum(there, 1), found / np.maximum(called, 1)
    classes = {
        name: {"recall": float(recall[k]), "precision": float(precision[k]), "patches": int(there[k])}
        for k, name in enumerate(class_names)
    }
    return {"balanced_accuracy": float(recall[there > 0].mean()), "classes": classes}


def kind_scores(predictions, labels, kinds, kind_names):
    """A dict from the kinds that occur to dicts: patches, how many, and of each prediction accuracy and cross_entropy.

    predictions: a dict from name to log probabilities (n, classes). Kinds divide the classes: they tell which of a
    class's patches are hard.
    """
    each = {name: each_patch(log_p, labels) for name, log_p in predictions.items()}
    found = {}
    for k in np.unique(kinds):
        of_kind = kinds == k
        found[kind_names[k]] = {"patches": int(of_kind.sum())} | {
            name: {score: float(values[of_kind].mean()) for score, values in scored.items()}
            for name, scored in each.items()
        }
    return found


def class_margins(logits, labels):
    """z_k - logsumexp(other logits) for the class k of each patch, (n,): its log-odds, so that p_k = sigmoid(margin).

    logits, or log probabilities: (n, classes); labels: (n,) class indexes, or one for all.
    """
    place = at_label(logits, np.full(len(logits), labels) if np.ndim(labels) == 0 else labels)
    others = np.array(logits, dtype=np.float64)
    others[place] = -np.inf
    return logits[place] - np.logaddexp.reduce(others, axis=1)


# ------------------------------------------------------------------------------------------------------------ bins


def reliability_points(p, is_class, bins=CALIBRATION_BINS):
    """The points of a reliability diagram: of each bin the mean p, the share that is_class, and how many it holds.

    p (n,), is_class (n,) bool; three arrays of the bins that are not empty.
    """
    bin_of = equal_mass_bins(p, bins)
    counts = np.bincount(bin_of)
    filled = counts > 0
    mean = np.bincount(bin_of, p)[filled] / counts[filled]
    share = np.bincount(bin_of, is_class)[filled] / counts[filled]
    return mean, share, counts[filled]


def equal_mass_bins(values, bins):
    """The bin of each value, (n,) integers below bins, in the order of the values; about equally many in each.

    Equal values share a bin, that of their middle rank, whatever the order in which they stand.
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts + 1) / 2  # 0 to n - 1, of equal values their mean
    return (ranks * bins / len(inverse)).astype(np.int64)[inverse]


# ----------------------------------------------------------------------------------------------------- temperature


def stratified_halves(labels, rng):
    """Two halves of the patches at random, each with half of every class: two sorted index arrays. labels: (n,)."""
    at_label(np.zeros((len(labels), np.max(labels) + 1)), labels)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    return np.sort(order[::2]), np.sort(order[1::2])


def fit_temperature(logits, labels):
    """The temperature T at which softmax(logits / T) has the smallest cross-entropy (Guo et al. 2017), 0.01 to 100.

    A class whose logit is -inf counts as if it were not there. Raises NoTemperature where the best T is beyond that
    range, or where there is none.
    """
    from scipy.optimize import brentq  # here, because train.py does without SciPy

    place = at_label(logits, labels)
    softmax(logits)  # refuses what are no logits
    z = logits - np.max(logits, axis=1, keepdims=True)
    possible = z > -np.inf
    if not possible[place].all():
        raise NoTemperature("no temperature is best: the class of a label was ruled out, its logit is -inf")
    if not z[possible].any():
        raise NoTemperature("no temperature is best: the logits of all classes are equal")
    if accuracy(z, labels) == 1:
        raise NoTemperature("no finite temperature is best: every patch is classified right, so sharper is better")
    of_label = z[place].mean()

    def slope(p):
        """Of the loss over 1 / T, in which it is convex: 0 at the best T. p: what softmax gives there."""
        expected = np.multiply(p, z, where=possible, out=np.zeros_like(z))  # 0 · -inf is 0
        return expected.sum(axis=1).mean() - of_label

    def slope_at(log_t):
        return slope(softmax(z, temperature=np.exp(log_t)))

    low, high = np.log(0.01), np.log(100.0)
    if slope_at(low) <= 0:
        raise NoTemperature("no temperature from 0.01 to 100 is best; it would be below 0.01")
    if slope(possible / possible.sum(axis=1, keepdims=True)) >= 0:
        raise NoTemperature("no finite temperature is best: the logits say nothing that the labels confirm")
    if slope_at(high) >= 0:
        raise NoTemperature("no temperature from 0.01 to 100 is best; it would be above 100")
    return float(np.exp(brentq(slope_at, low, high)))


def try_temperature(log_probabilities, labels, halves):
    """A temperature fitted on one half of the patches, and the scores on the other without it and with it.

    halves: two index arrays. A dict: temperature, or None and a note why there is none, fitted_on, measured_on, without
    and with.
    """
    fit_on, rest = halves
    found = {"temperature": None, "note": None, "fitted_on": len(fit_on), "measured_on": len(rest)}
    found["without"] = scores(log_probabilities[rest], labels[rest])
    try:
        found["temperature"] = fit_temperature(log_probabilities[fit_on], labels[fit_on])
        cooled = log_softmax(log_probabilities[rest], temperature=found["temperature"])
        found["with"] = scores(cooled, labels[rest])
    except NoTemperature as reason:
        found["note"] = str(reason)
    return found
