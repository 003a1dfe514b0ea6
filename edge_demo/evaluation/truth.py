"""What probabilities are worth by the exact posterior: the parts of the loss, and the distance to the truth.

Both are arrays of log probabilities, (n, classes), of the same patches; no label is needed.
"""

from dataclasses import dataclass

import numpy as np

from edge_demo.evaluation.scores import equal_mass_bins

AMBIGUOUS = 0.05, 0.95  # a patch whose exact p is between these is called ambiguous


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


def loss_parts(log_probabilities, log_posterior, bins=100, *, floor=None):
    """Splits the expected cross-entropy of learned q under the exact p*, both log, (n, classes) of the same patches.

    Bayes floor, E[H(p*)]: what nobody can know; floor, where it is known better than these patches tell. Grouping loss,
    E[KL(p* ‖ c)]: what the network cannot tell apart, where c = E[p* | q] is the mean truth among patches that got the
    same q. Calibration loss, the rest, E[KL(c ‖ q)]: what it says wrongly about what it can tell apart (Kull and Flach
    2015; Perez-Lebel, Le Morvan and Varoquaux 2023).

    c is a mean over bins of about equally many patches with similar q; equal q share a bin. What q tells apart within
    a bin counts as grouping, not as calibration: about 1 / bins² nats. And c fits the scatter of the m patches in its
    bin, which hides some grouping: by E[H(mean)] = H(c) - var(p*) / 2m c(1 - c), to first order, which is added again.
    """
    truth = np.exp(log_posterior)  # (n, classes)
    measured = -_expectation(truth, log_posterior)
    excess = -_expectation(truth, log_probabilities) - measured
    bayes = measured if floor is None else floor
    if truth.shape[1] != 2:
        return LossParts(bayes, None, None, excess)
    if excess == 0:  # both parts are at least 0, so both are 0
        return LossParts(bayes, 0.0, 0.0, 0.0)

    bin_of = equal_mass_bins(log_probabilities[:, 0] - log_probabilities[:, 1], bins)
    counts = np.bincount(bin_of)
    mean = np.stack([np.bincount(bin_of, truth[:, k]) for k in range(2)], axis=1) / np.maximum(counts, 1)[:, None]
    with np.errstate(divide="ignore"):  # log 0 = -inf, where no patch of the bin can be of the class
        grouping = -_expectation(truth, np.log(mean)[bin_of]) - measured
    scatter = np.bincount(bin_of, (truth - mean[bin_of])[:, 0] ** 2) / np.maximum(counts - 1, 1)
    grouping += float((scatter / np.maximum(mean.prod(axis=1), 1e-300)).sum()) / (2 * len(truth))
    return LossParts(bayes, grouping, excess - grouping, excess)


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
        "kl_divergence": _expectation(truth, log_posterior) - _expectation(truth, log_probabilities),
    }


def against_truth(predictions, log_posterior, floor=None):
    """A dict from the name of each prediction to one of its parts of the loss, its distance_to_truth, and error.

    error: half the 95 % interval of its loss above the floor, because the patches are so many and no more.
    """
    truth, rows = np.exp(log_posterior), {}
    for name, log_p in predictions.items():
        parts = loss_parts(log_p, log_posterior, floor=floor)
        rows[name] = {part: getattr(parts, part) for part in ("bayes", "grouping", "calibration")}
        rows[name] |= distance_to_truth(log_p, log_posterior)
        divergences = _terms(truth, log_posterior) - _terms(truth, log_p)
        rows[name]["error"] = float(1.96 * divergences.std() / np.sqrt(len(truth)))
    return rows


def is_ambiguous(log_posterior):
    """Which patches are uncertain even for one who knows everything, (n,) bool: no class has an exact p above 0.95."""
    return np.exp(log_posterior).max(axis=1) < AMBIGUOUS[1]


def _expectation(truth, logarithms):
    """E[sum_k p*_k · log_k]."""
    return float(_terms(truth, logarithms).mean())


def _terms(truth, logarithms):
    """sum_k p*_k · log_k of each patch, (n,), where 0 · -inf is 0."""
    return np.multiply(truth, logarithms, out=np.zeros_like(truth), where=truth > 0).sum(axis=1)
