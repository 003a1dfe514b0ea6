"""Softmax: from logits (any real numbers) to probabilities (positive, sum 1), and the loss that trains them.

    >>> z = np.array([2.5, 0.5])  # two raw scores: Edge, No Edge
    >>> np.exp(z)                 # all positive
    array([12.18249396,  1.64872127])
    >>> softmax(z)                # each divided by their sum
    array([0.88079708, 0.11920292])

Read this file first. If you change the loss, change cross_entropy and its gradient together.
"""

import numpy as np


class NonFiniteLogits(ValueError):
    """The logits hold a NaN or an infinity from which no probabilities can be computed."""


def softmax(logits, *, temperature=1.0):
    """exp(z_k / T) / sum_j exp(z_j / T) over the last axis: float64 of the logits' shape (..., classes).

    A T above 1 flattens, below 1 sharpens; a logit of -inf gets probability 0. Raises ValueError for a temperature that
    is not finite and above 0, and for logits that are NaN, +inf, all -inf, or of no classes.
    """
    exponentials = np.exp(_shifted(logits, temperature))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def log_softmax(logits, *, temperature=1.0):
    """log(softmax) = s_k - log(sum_j exp(s_j)) with s = (z - max z) / T; shapes and errors as for softmax.

    Taken from the logits, not from the probabilities, it stays exact where these round to 0.
    """
    shifted = _shifted(logits, temperature)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def cross_entropy(logits, labels):
    """Mean of -log p(label) in nats, a float. logits: (n, classes); labels: (n,), whole numbers from 0.

    Raises ValueError for what does not fit together.
    """
    return float(-log_softmax(logits)[at_label(logits, labels)].mean())


def cross_entropy_gradient(logits, labels):
    """Slope of cross_entropy for each logit, (n, classes): (p - y) / n, where y is 1 at the label and 0 elsewhere.

    Because -log p_label = log(sum_j exp z_j) - z_label, whose slope for z_k is p_k, less 1 where k is the label.
    Errors as for cross_entropy.
    """
    one_hot = at_label(logits, labels)
    return (softmax(logits) - one_hot) / len(labels)


def at_label(logits, labels):
    """(n, classes) bool, True at the label of each patch. Raises ValueError for labels of another shape or range."""
    of_logits, of_labels = np.shape(logits), np.shape(labels)
    if len(of_logits) != 2 or of_labels != of_logits[:1] or of_labels == (0,):
        raise ValueError(
            f"logits must be of shape (n, classes) and labels of shape (n,), not {of_logits} and {of_labels}"
        )
    found = np.reshape(labels, (-1, 1)) == np.arange(of_logits[1])
    if np.count_nonzero(found) < len(found):
        wrong = np.asarray(labels)[~found.any(axis=1)]
        raise ValueError(f"labels must be whole numbers from 0 to {of_logits[1] - 1}, not {wrong[:9].tolist()}")
    return found


def _shifted(logits, temperature):
    """(z - max z) / T: the same softmax, and exp cannot overflow."""
    logits = np.asarray(logits, dtype=np.float64)
    if logits.ndim == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits need at least one class on their last axis, but their shape is {logits.shape}")
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature must be a finite number above 0, not {temperature}")
    largest = logits.max(axis=-1, keepdims=True)
    usable = np.isfinite(largest[..., 0])  # not so where a patch has NaN or +inf, or nothing but -inf
    if not usable.all():
        row = logits[~usable][0].tolist()
        raise NonFiniteLogits(f"logits must be numbers, or -inf beside at least one number, not {row}")
    return (logits - largest) / temperature
