"""Softmax: from logits (any real numbers) to probabilities (positive, sum 1), and the loss that trains them.

Read this file first. If you change the loss, change its forward and backward together.
"""

import numpy as np


class NonFiniteLogits(ValueError):
    """The logits hold a NaN or an infinity from which no probabilities can be computed."""


def softmax(logits, temperature=1.0):
    """exp(z_k / T) / sum_j exp(z_j / T) over the last axis: float64 of the logits' shape (..., classes).

    A logit of -inf gets probability 0. A temperature T above 1 flattens the probabilities, below 1 it sharpens them.
    Raises ValueError for NaN, +inf, a row of -inf only, no classes, or a temperature not above 0.
    """
    logits = np.asarray(logits, dtype=np.float64)
    exponentials = np.exp(_subtract_max(logits, temperature))
    exponentials /= exponentials.sum(axis=0)
    return exponentials.T.reshape(logits.shape)


def log_softmax(logits, temperature=1.0):
    """s_k - log(sum_j exp(s_j)) with s = (z - max z) / T; shapes and errors as for softmax.

    The largest s is 0 and its exp 1, so the logarithm is log1p of the sum of all the others. No probability
    is formed on the way, so the result is exact for p near 0 (no log 0) and near 1 (no 1 + 1e-20 = 1).
    """
    logits = np.asarray(logits, dtype=np.float64)
    shifted = _subtract_max(logits, temperature)
    others = np.exp(shifted)
    others[shifted.argmax(axis=0), np.arange(shifted.shape[1])] = 0.0
    shifted -= np.log1p(others.sum(axis=0))
    return shifted.T.reshape(logits.shape)


def cross_entropy(logits, labels, weights=1.0):
    """Mean of weight · -log p(label), in nats. logits (n, classes), labels (n,) in 0..classes-1, weights 1 or (n,)."""
    return SoftmaxCrossEntropy().forward(logits, labels, weights)


class SoftmaxCrossEntropy:
    """The output layer in training: softmax and its loss in one, because their joint gradient is simple."""

    def forward(self, logits, labels, weights=1.0):
        """Mean cross-entropy of logits (n, classes) and labels (n,), each patch times its weight, in nats, a float."""
        self._log_probabilities = log_softmax(logits)
        self._labels = _checked_labels(labels, self._log_probabilities.shape)
        self._weights = weights
        return float(0.0 - (weights * self._log_probabilities[np.arange(len(labels)), self._labels]).mean())

    def backward(self):
        """Gradient of the mean loss with respect to the logits, (n, classes): weight · (p - y) / n, y one-hot.

        d(-log p_y)/dz_k = p_k - [k = y], since -log p_y = log(sum_j exp z_j) - z_y.
        """
        grad_logits = self.probabilities
        grad_logits[np.arange(len(self._labels)), self._labels] -= 1.0
        return (grad_logits.T * self._weights / len(self._labels)).T  # the only division by n

    @property
    def probabilities(self):
        """softmax of the last logits seen, (n, classes)."""
        return np.exp(self._log_probabilities)


@np.errstate(over="ignore")  # a difference beyond all numbers is -inf, and its exp 0
def _subtract_max(logits, temperature):
    """(z - max z) / T as a new array (classes, patches): softmax stays the same, and exp cannot overflow."""
    if logits.ndim == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits need at least one class on their last axis, but their shape is {logits.shape}")
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature must be a number above 0, not {temperature}")
    columns = np.array(logits.reshape(-1, logits.shape[-1]).T, order="C")  # few long rows reduce fast
    largest = columns.max(axis=0)  # NaN or +inf where the patch has one, -inf where it has nothing else
    if not np.isfinite(largest).all():
        row = columns[:, ~np.isfinite(largest)][:, 0].tolist()
        raise NonFiniteLogits(f"logits must be numbers, or -inf beside at least one number, not {row}")
    columns -= largest
    if temperature != 1.0:
        columns /= temperature
    return columns


def _checked_labels(labels, shape):
    """labels as integers (n,) that fit logits of this shape (n, classes)."""
    labels = np.asarray(labels)
    if len(shape) != 2 or labels.shape != shape[:1] or len(labels) == 0:
        raise ValueError(f"cross-entropy needs logits (n, classes) and labels (n,), not {shape} and {labels.shape}")
    if labels.dtype != np.int64 or labels.min() < 0 or labels.max() >= shape[1]:
        if not np.isin(labels, np.arange(shape[1])).all():
            raise ValueError(f"labels must be whole numbers from 0 to {shape[1] - 1}, not {labels.tolist()[:9]}")
        labels = labels.astype(np.int64)
    return labels
