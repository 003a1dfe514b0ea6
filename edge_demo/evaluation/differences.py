"""Is one better than the other? Differences with intervals of 95 %, which say how much of them is chance."""

import numpy as np

from edge_demo.evaluation.scores import each_patch


def differences_from(ours, others, labels, rng):
    """What a prediction is worth less what each of others is, on the same patches: a dict from their names.

    ours, others' values: log probabilities (n, classes). To accuracy and cross_entropy, each as difference() has it;
    without the latter where the other's loss is infinite.
    """
    found = {name: {} for name in others}
    for name, other in others.items():
        for (score, a), b in zip(each_patch(ours, labels).items(), each_patch(other, labels).values(), strict=True):
            if np.isfinite(b).all():
                found[name][score] = difference(a[None], b[None], rng)
    return found


def difference(ours, theirs, rng):
    """What we reach less what they do, a dict of mean, low and high: the ends of an interval of 95 %.

    ours, theirs: (seeds, n), a value for each of the same n patches, such as its loss. The interval is, of one training
    each, a paired bootstrap over the patches, which knows nothing of other seeds; of several seeds on both sides,
    Welch's for the difference of their means; of several beside one, that in which another seed of the several would
    lie.
    """
    a, b = ours.mean(axis=1), theirs.mean(axis=1)
    mean = float(a.mean() - b.mean())
    if len(a) == len(b) == 1:
        low, high = bootstrap_interval(ours[0] - theirs[0], rng)
    else:
        spread = _welch(a, b) if min(len(a), len(b)) > 1 else _spread_of_another(a if len(a) > 1 else b)
        low, high = mean - spread, mean + spread
    return {"mean": mean, "low": low, "high": high}


def certain_sign(interval):
    """1 or -1 where a dict of low and high, an interval of a difference, leaves no doubt about its sign, else 0."""
    return int(interval["low"] > 0) - int(interval["high"] < 0)


def bootstrap_interval(differences, rng, resamples=1000):
    """95 % interval of the mean of differences (n,), one a patch, by drawing patches again with replacement."""
    differences = np.asarray(differences, dtype=np.float64)
    means = differences[rng.integers(len(differences), size=(resamples, len(differences)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def guessers_interval(share, n):
    """The accuracies, low and high, between which 95 % of test sets of n patches find one who always names one class.

    share: of that class among all patches there are. Exact, from the binomial distribution.
    """
    from scipy.stats import binom  # here, because train.py does without SciPy

    low, high = binom.interval(0.95, n, share)
    return float(low / n), float(high / n)


def _welch(a, b):
    """Half the width of the 95 % interval of the difference of two means, whatever the two spreads."""
    from scipy.stats import ttest_ind

    if np.ptp(a) == np.ptp(b) == 0:
        return 0.0
    low, high = ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    return float(high - low) / 2


def _spread_of_another(values):
    """Half the width of the 95 % interval in which one more value lies, from the mean of normal ones."""
    from scipy.stats import t

    n = len(values)
    return float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) * np.sqrt(1 + 1 / n))
