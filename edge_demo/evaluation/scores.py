"""What probabilities are worth: against labels, and against the truth where it is known.

A prediction is an array of log probabilities, (n, classes). Nothing here is needed for training.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from edge_demo.softmax import cross_entropy, softmax

CALIBRATION_BINS = 15
AMBIGUOUS = 0.05, 0.95  # a patch whose exact p is between these is called ambiguous
FEWEST = 20  # so few patches, or fewer, are too few to fit a temperature on one half and test it on the other


class NoTemperature(ValueError):
    """No finite temperature is best; the message says why."""


def probability_text(p, decimals=2):
    """A probability as text that never says 0 or 1, which softmax does not reach: <0.01, 0.37, >0.99."""
    least = 10.0**-decimals
    if p < least / 2 or p > 1 - least / 2:
        return f"<{least:.{decimals}f}" if p < 0.5 else f">{1 - least:.{decimals}f}"
    return f"{p:.{decimals}f}"


def accuracy(log_probabilities, labels):
    """Fraction of patches whose most probable class is the label."""
    return float((log_probabilities.argmax(axis=1) == labels).mean())


def brier_score(log_probabilities, labels):
    """Mean squared error of the probabilities (Brier 1950), scaled as scikit-learn does: 0 to 1 for two classes."""
    errors = np.exp(log_probabilities)
    errors[np.arange(len(labels)), labels] -= 1.0
    return float((errors**2).sum(axis=1).mean() / (2 if errors.shape[1] == 2 else 1))


def expected_calibration_error(log_probabilities, labels, bins=CALIBRATION_BINS):
    """How far confidence and accuracy lie apart, averaged over bins of about equally many patches.

    Confidence is the largest probability of a patch (Naeini et al. 2015, with equal-mass bins).
    """
    confidence = np.exp(log_probabilities.max(axis=1))
    right = log_probabilities.argmax(axis=1) == labels
    mean, share, counts = reliability_points(confidence, right, bins)
    return float((counts * np.abs(mean - share)).sum() / len(labels))


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


def class_margins(logits, labels):
    """z_k - logsumexp(other logits) for the class k of each patch, (n,): its log-odds, so that p_k = sigmoid(margin).

    logits, or log probabilities: (n, classes); labels: (n,) class indexes, or one for all.
    """
    rows = np.arange(len(logits))
    others = np.array(logits, dtype=np.float64)
    others[rows, labels] = -np.inf
    return logits[rows, labels] - np.logaddexp.reduce(others, axis=1)


def scores(log_probabilities, labels):
    """A dict of the four scores that need labels only."""
    return {
        "accuracy": accuracy(log_probabilities, labels),
        "cross_entropy": cross_entropy(log_probabilities, labels),
        "brier_score": brier_score(log_probabilities, labels),
        "calibration_error": expected_calibration_error(log_probabilities, labels),
    }


def class_scores(log_probabilities, labels, class_names):
    """A dict: balanced_accuracy, the mean recall of the classes that occur, and classes, from name to three numbers.

    recall: the share of its patches that are recognized. precision: the share of what is taken for it that is it, 0
    where nothing is. patches: how many there are.
    """
    from sklearn.metrics import balanced_accuracy_score, precision_recall_fscore_support

    predicted, every = log_probabilities.argmax(axis=1), range(len(class_names))
    found = precision_recall_fscore_support(labels, predicted, labels=every, zero_division=0.0)
    classes = {
        name: {"recall": float(recall), "precision": float(precision), "patches": int(patches)}
        for name, precision, recall, _, patches in zip(class_names, *found, strict=True)
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a class is predicted which does not occur
        balanced = float(balanced_accuracy_score(labels, predicted))
    return {"balanced_accuracy": balanced, "classes": classes}


@dataclass(frozen=True)
class LossParts:
    """Where the expected cross-entropy comes from, in nats: bayes + grouping + calibration, or bayes + excess.

    For more than two classes grouping and calibration are None, because patches with the same learned probabilities
    cannot be found by sorting.
    """

    bayes: float
    grouping: float | None
    calibration: float | None
    excess: float


def loss_parts(log_probabilities, log_posterior, bins=100):
    """Splits the expected cross-entropy of learned q under the exact p*, both log, (n, classes) of the same patches.

    Bayes floor, E[H(p*)]: what nobody can know. Grouping loss, E[KL(p* ‖ c)]: what the network cannot tell apart, where
    c = E[p* | q] is the mean truth among patches that got the same q. Calibration loss, the rest, E[KL(c ‖ q)]: what it
    says wrongly about what it can tell apart (Kull and Flach 2015; Perez-Lebel, Le Morvan and Varoquaux 2023).

    c is a mean over bins of about equally many patches with similar q; equal q share a bin. What q tells apart within
    a bin counts as grouping, not as calibration: about 1 / bins² nats. And c fits the scatter of the few patches in its
    bin, which hides up to bins / 2n nats of grouping.
    """
    truth = np.exp(log_posterior)  # (n, classes)
    bayes = -_expectation(truth, log_posterior)
    excess = -_expectation(truth, log_probabilities) - bayes
    if truth.shape[1] != 2:
        return LossParts(bayes, None, None, excess)

    bin_of = equal_mass_bins(log_probabilities[:, 0] - log_probabilities[:, 1], bins)
    counts = np.bincount(bin_of)
    sums = np.stack([np.bincount(bin_of, truth[:, k]) for k in range(2)], axis=1)  # (bins, 2)
    with np.errstate(divide="ignore"):  # log 0 = -inf, where no patch of the bin can be of the class
        log_mean = np.log(sums / np.maximum(counts, 1)[:, None])
    grouping = -_expectation(truth, log_mean[bin_of]) - bayes
    return LossParts(bayes, grouping, excess - grouping, excess)


def _expectation(truth, logarithms):
    """E[sum_k p*_k · log_k], where 0 · -inf is 0."""
    terms = np.multiply(truth, logarithms, out=np.zeros_like(truth), where=truth > 0)
    return float(terms.sum(axis=1).mean())


def distance_to_truth(log_probabilities, log_posterior):
    """A dict: mean |p - p*|, half its sum over classes, over all and over ambiguous patches, and mean KL(p* ‖ p), nats.

    The mean over ambiguous patches is None where there are none.
    """
    p, truth = np.exp(log_probabilities), np.exp(log_posterior)
    distances = np.abs(p - truth).sum(axis=1) / 2
    ambiguous = is_ambiguous(log_posterior)
    return {
        "mean_absolute_error": float(distances.mean()),
        "ambiguous_error": float(distances[ambiguous].mean()) if ambiguous.any() else None,
        "kl_divergence": loss_parts(log_probabilities, log_posterior).excess,
    }


def is_ambiguous(log_posterior):
    """Which patches are uncertain even for one who knows everything, (n,) bool: no class has an exact p above 0.95."""
    return np.exp(log_posterior).max(axis=1) < AMBIGUOUS[1]


def stratified_halves(labels, rng):
    """Two halves of the patches at random, each with half of every class: two sorted index arrays."""
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    return np.sort(order[::2]), np.sort(order[1::2])


def fit_temperature(logits, labels):
    """The temperature T at which softmax(logits / T) has the smallest cross-entropy (Guo et al. 2017), 0.01 to 100.

    Raises NoTemperature where the best one is beyond that range, or where there is none.
    """
    from scipy.optimize import brentq  # here, because train.py does without SciPy

    logits = np.asarray(logits, dtype=np.float64)
    if (np.ptp(logits, axis=1) == 0).all():
        raise NoTemperature("no temperature is best: the logits of all classes are equal")
    if (logits.argmax(axis=1) == labels).all():
        raise NoTemperature("no finite temperature is best: every patch is classified right, so sharper is better")
    below_max = logits - logits.max(axis=1, keepdims=True)
    of_label = below_max[np.arange(len(labels)), labels]

    def slope(log_t):
        """Of the loss over 1 / T, in which it is convex: 0 at the best T. Rounding does not hide its sign."""
        expected = (softmax(below_max, temperature=np.exp(log_t)) * below_max).sum(axis=1)
        return float((expected - of_label).mean())

    low, high = np.log(0.01), np.log(100.0)
    if slope(low) <= 0:
        raise NoTemperature("no temperature from 0.01 to 100 is best; it would be below 0.01")
    if below_max.mean() >= of_label.mean():
        raise NoTemperature("no finite temperature is best: the logits say nothing that the labels confirm")
    if slope(high) >= 0:
        raise NoTemperature("no temperature from 0.01 to 100 is best; it would be above 100")
    return float(np.exp(brentq(slope, low, high)))


def bootstrap_interval(differences, rng, resamples=1000):
    """95 % interval of the mean of differences (n,), one a patch, by drawing patches again with replacement."""
    differences = np.asarray(differences, dtype=np.float64)
    means = differences[rng.integers(len(differences), size=(resamples, len(differences)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def certain_sign(interval):
    """1 or -1 where a dict of low and high, an interval of a difference, leaves no doubt about its sign, else 0."""
    return int(interval["low"] > 0) - int(interval["high"] < 0)


def guessing(class_counts, n):
    """Log probabilities (n, classes) of one who knows the class shares of the training patches and sees no patch.

    He names the most frequent class, and a class that training never showed gets log 0 = -inf.
    """
    shares = np.asarray(class_counts) / np.sum(class_counts)
    with np.errstate(divide="ignore"):
        log_shares = np.log(shares)
    return np.tile(log_shares, (n, 1))


def guessers_interval(share, n):
    """The accuracies, low and high, between which 95 % of test sets of n patches find one who always names one class.

    share: of that class among all patches there are. Exact, from the binomial distribution.
    """
    from scipy.stats import binom  # here, because train.py does without SciPy

    low, high = binom.interval(0.95, n, share)
    return float(low / n), float(high / n)


def baselines(train_patches, hidden, epochs, seed):
    """A dict from name to a function, pixels (n, inputs) -> log probabilities, of two scikit-learn models, fitted.

    LogisticRegression is what a network without a hidden layer can reach. MLPClassifier has the same shape and
    as many epochs, with its own batches of 200 and Adam at 0.01, ten times its default rate, which suits so few epochs.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    linear = LogisticRegression(max_iter=1000)
    mlp = MLPClassifier(hidden, learning_rate_init=0.01, max_iter=max(1, epochs), random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a number of epochs is what is asked for
        for model in (linear, mlp):
            model.fit(train_patches.pixels, train_patches.labels)
    classes = len(train_patches.class_names)
    return {
        "linear": lambda pixels: _log_probabilities(linear, pixels, classes),
        "scikit-learn MLP": lambda pixels: _log_probabilities(mlp, pixels, classes),
    }


def _log_probabilities(model, pixels, classes):
    """What a fitted scikit-learn model says, (n, classes).

    It gives probabilities: one rounded to 0 has lost its logarithm, so eps stands in for it, as it does for a class
    that training never showed, for which the model has no column.
    """
    probabilities = np.zeros((len(pixels), classes))
    probabilities[:, model.classes_] = model.predict_proba(pixels)
    return np.log(np.maximum(probabilities, np.finfo(np.float64).eps))
