"""What probabilities are worth: scores of a prediction against labels, and against the truth where it is known.

A prediction is an array of log probabilities, (n, classes). Nothing here is needed for training.
"""

import numpy as np

from edge_demo.softmax import cross_entropy, log_softmax

BINS = 15


def accuracy(log_probabilities, labels):
    """Fraction of patches whose most probable class is the label."""
    return float((log_probabilities.argmax(axis=1) == labels).mean())


def brier_score(log_probabilities, labels):
    """Mean squared error of the probabilities (Brier 1950), scaled as scikit-learn does: 0 to 1 for two classes."""
    errors = np.exp(log_probabilities)
    errors[np.arange(len(labels)), labels] -= 1.0
    return float((errors**2).sum(axis=1).mean() / (2 if errors.shape[1] == 2 else 1))


def expected_calibration_error(log_probabilities, labels, bins=BINS):
    """How far confidence and accuracy lie apart, averaged over bins of equally many patches.

    Confidence is the largest probability of a patch (Naeini et al. 2015, with equal-mass bins).
    """
    confidence = np.exp(log_probabilities.max(axis=1))
    right = log_probabilities.argmax(axis=1) == labels
    order = np.argsort(confidence, kind="stable")
    gaps = [abs((confidence[part] - right[part]).sum()) for part in np.array_split(order, bins)]
    return float(sum(gaps) / len(labels))


def calibration_noise_floor(log_posterior, rng, draws=100):
    """The calibration error that true probabilities show on so many patches, by chance: a mean over drawn labels."""
    cumulative = np.cumsum(np.exp(log_posterior), axis=1)[:, :-1]
    errors = []
    for _ in range(draws):
        labels = (rng.random((len(cumulative), 1)) > cumulative).sum(axis=1)
        errors.append(expected_calibration_error(log_posterior, labels))
    return float(np.mean(errors))


def reliability_points(p, is_class, bins=BINS):
    """The points of a reliability diagram, three arrays: a bin's mean p, its share that is_class, and how many it has.

    p (n,), is_class (n,) bool. The bins hold about equally many; those that share an edge are one, and none is empty.
    """
    from sklearn.calibration import calibration_curve  # here, because it is slow to import

    share, mean = calibration_curve(is_class.astype(int), p, n_bins=bins, strategy="quantile", pos_label=1)
    inner = np.percentile(p, np.linspace(0, 100, bins + 1))[1:-1]
    counts = np.bincount(np.searchsorted(inner, p))
    return mean, share, counts[counts > 0]


def scores(log_probabilities, labels):
    """A dict of the four scores that need labels only."""
    return {
        "accuracy": accuracy(log_probabilities, labels),
        "cross_entropy": cross_entropy(log_probabilities, labels),
        "brier_score": brier_score(log_probabilities, labels),
        "calibration_error": expected_calibration_error(log_probabilities, labels),
    }


def distance_to_truth(log_probabilities, log_posterior):
    """A dict: mean |p - p*|, half its sum over classes, and mean KL(p* ‖ p) in nats, on the same patches."""
    p, truth = np.exp(log_probabilities), np.exp(log_posterior)
    divergence = truth * (log_posterior - log_probabilities)
    return {
        "mean_absolute_error": float(np.abs(p - truth).sum(axis=1).mean() / 2),
        "kl_divergence": float(divergence.sum(axis=1).mean()),
    }


def fit_temperature(logits, labels):
    """The temperature T, 0.01 to 100, at which softmax(logits / T) has the smallest cross-entropy (Guo et al. 2017)."""
    from scipy.optimize import minimize_scalar

    logits = np.asarray(logits, dtype=np.float64)
    found = minimize_scalar(
        lambda log_t: cross_entropy(logits / np.exp(log_t), labels),
        bounds=(np.log(0.01), np.log(100.0)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def bootstrap_interval(differences, rng, resamples=1000):
    """95 % interval of the mean of differences (n,), one a patch, by drawing patches again with replacement."""
    differences = np.asarray(differences, dtype=np.float64)
    means = differences[rng.integers(len(differences), size=(resamples, len(differences)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def baselines(train_patches, hidden, epochs, seed):
    """A dict from name to a function, pixels (n, inputs) -> log probabilities, of two scikit-learn models, fitted.

    LogisticRegression is what a network without a hidden layer can reach. MLPClassifier has the same shape and
    as many epochs, with its own batches of 200 and Adam at 0.01, ten times its default rate, which suits so few epochs.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    linear = LogisticRegression(max_iter=1000)
    mlp = MLPClassifier(hidden, learning_rate_init=0.01, max_iter=max(1, epochs), random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a number of epochs is what is asked for
        for model in (linear, mlp):
            model.fit(train_patches.pixels, train_patches.labels)
    return {"linear baseline": _log_probabilities(linear), "scikit-learn MLP": _log_probabilities(mlp)}


def _log_probabilities(model):
    """scikit-learn's models give probabilities; one rounded to 0 has lost its logarithm, so eps stands in for it."""
    return lambda pixels: np.log(np.maximum(model.predict_proba(pixels), np.finfo(np.float64).eps))


def evaluate(predictors, test, rng, generator=None, target="label", fresh=10_000):
    """Scores of each predictor on the test patches and, where the generator is given, its distance to the truth.

    predictors: a dict from name to a function, pixels (n, inputs) -> log probabilities (n, classes); it must hold
    "network before" and "network after". The truth is compared on so many fresh patches.
    Returns a dict ready for JSON: "predictors", "temperature", "differences" and, with a generator,
    "calibration_noise_floor", the error that the exact posterior shows on as many patches by chance.
    """
    predictors = dict(predictors)
    if generator is not None:
        predictors["exact posterior"] = lambda pixels: generator.log_posterior(pixels, target)
    predictions = {name: predict(test.pixels) for name, predict in predictors.items()}
    temperature, cooled = _temperature(predictions["network after"], test.labels)
    results = {"predictors": {name: scores(values, test.labels) for name, values in predictions.items()}}
    results["temperature"] = cooled
    if generator is not None:
        predictors["network after, temperature"] = lambda pixels: log_softmax(
            predictors["network after"](pixels), temperature
        )
        fresh_pixels = generator.sample(fresh, rng).pixels
        truth = generator.log_posterior(fresh_pixels, target)
        for name, predict in predictors.items():
            distance = distance_to_truth(predict(fresh_pixels), truth)
            (cooled if name.endswith("temperature") else results["predictors"][name]).update(distance)
        floor = calibration_noise_floor(predictions["exact posterior"], rng)
        results |= {"calibration_noise_floor": floor, "fresh": fresh}
    results["differences"] = [
        difference
        for other in predictions
        if other != "network after"
        for difference in _differences(predictions, other, test.labels, rng)
    ]
    return results


def _temperature(log_probabilities, labels):
    """The temperature fitted on the first half of the patches, and scores on the second half without and with it."""
    half = len(labels) // 2
    temperature = fit_temperature(log_probabilities[:half], labels[:half])
    rest, rest_labels = log_probabilities[half:], labels[half:]
    return temperature, {
        "temperature": temperature,
        "fitted_on": half,
        "measured_on": len(labels) - half,
        "without": scores(rest, rest_labels),
        "with": scores(log_softmax(rest, temperature), rest_labels),
    }


def _differences(predictions, other, labels, rng):
    """Accuracy and cross-entropy of the trained network less another's, patch by patch, with bootstrap intervals."""
    rows = np.arange(len(labels))
    for score, of in (
        ("accuracy", lambda p: (p.argmax(axis=1) == labels).astype(float)),
        ("cross_entropy", lambda p: -p[rows, labels]),
    ):
        difference = of(predictions["network after"]) - of(predictions[other])
        low, high = bootstrap_interval(difference, rng)
        yield {"score": score, "versus": other, "mean": float(difference.mean()), "low": low, "high": high}
