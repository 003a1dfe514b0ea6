"""Whom a network is held against: one who guesses, and two models of scikit-learn."""

import warnings

import numpy as np


def guessing(class_counts, n):
    """Log probabilities (n, classes) of one who knows the class shares of the training patches and sees no patch.

    He names the most frequent class, and a class that training never showed gets log 0 = -inf.
    """
    shares = np.asarray(class_counts) / np.sum(class_counts)
    with np.errstate(divide="ignore"):
        log_shares = np.log(shares)
    return np.tile(log_shares, (n, 1))


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
