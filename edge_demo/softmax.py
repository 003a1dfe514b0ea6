"""Softmax: from logits (any real numbers) to probabilities (positive, sum 1), and the loss that trains them.

    >>> z = np.array([2.5, 0.5])  # two raw scores: Edge, No Edge
    >>> np.exp(z)                 # all positive
    array([12.18249396,  1.64872127])
    >>> softmax(z)                # each divided by their sum
    array([0.88079708, 0.11920292])

Read this file first. If you change the loss, change its forward and backward together.
"""

import numpy as np


class NonFiniteLogits(ValueError):
    """The logits hold a NaN or an infinity from which no probabilities can be computed."""


def softmax(logits, temperature=1.0):
    """exp(z_k / T) / sum_j exp(z_j / T) over the last axis: float64 of the logits' shape (..., classes).

    A T above 1 flattens, below 1 sharpens; a logit of -inf gets probability 0. Raises ValueError for a temperature not
    above 0, and for logits that are NaN, +inf, all -inf, or of no classes.
    """
    exponentials = np.exp(_subtract_max(logits, temperature))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def log_softmax(logits, temperature=1.0):
    """log(softmax) = s_k - log(sum_j exp(s_j)) with s = (z - max z) / T; shapes and errors as for softmax.

    Taken from the logits, not from the probabilities, it stays exact where these round to 0.
    """
    shifted = _subtract_max(logits, temperature)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def cross_entropy(logits, labels, weights=None):
    """Mean of -log p(label) in nats, a float; shapes, weights and errors as for SoftmaxCrossEntropy.forward."""
    return SoftmaxCrossEntropy().forward(logits, labels, weights)


class SoftmaxCrossEntropy:
    """The output layer in training: softmax and its loss in one, because their joint gradient is simple."""

    def forward(self, logits, labels, weights=None):
        """Mean cross-entropy of logits (n, classes) and labels (n,), whole numbers from 0, in nats, a float.

        weights (n,): where given, each patch's part is multiplied by its weight. Raises ValueError for what does not
        fit, for a negative weight, and where all are 0.
        """
        n, classes = _checked_shape(logits, labels)
        one_hot = np.reshape(labels, (n, 1)) == np.arange(classes)  # (n,) -> (n, classes): True at the label
        if np.count_nonzero(one_hot) < n:
            raise ValueError(f"labels must be whole numbers from 0 to {classes - 1}, not {list(labels)[:9]}")

        log_probabilities = log_softmax(logits)
        losses = -log_probabilities[one_hot]  # (n, classes) -> (n,)
        if weights is not None:
            weights = checked_weights(weights, n)
            losses *= weights

        self.log_probabilities = log_probabilities
        self.one_hot = one_hot
        self.weights = weights
        return float(losses.sum() / n)

    def backward(self):
        """Gradient of the mean loss with respect to the logits, (n, classes): weight · (p - y) / n, y one-hot.

        d(-log p_y)/dz_k = p_k - [k = y], because -log p_y = log(sum_j exp z_j) - z_y.
        """
        probabilities = np.exp(self.log_probabilities)
        grad_logits = (probabilities - self.one_hot) / len(probabilities)  # the only division by n
        return grad_logits if self.weights is None else self.weights[:, None] * grad_logits


def checked_weights(weights, n):
    """weights as float64 (n,). Raises ValueError unless each of n patches has one of at least 0, and not all are 0."""
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (n,):
        raise ValueError(f"weights must be of shape ({n},), one for each patch, not {weights.shape}")
    if not (np.isfinite(weights) & (weights >= 0)).all() or not weights.any():
        raise ValueError("weights must be finite numbers of at least 0, and not all of them zero")
    return weights


def _checked_shape(logits, labels):
    shape = np.shape(logits)
    if len(shape) != 2 or np.shape(labels) != shape[:1] or len(labels) == 0:
        raise ValueError(f"cross-entropy needs logits (n, classes) and labels (n,), not {shape} and {np.shape(labels)}")
    return shape


def _subtract_max(logits, temperature):
    """(z - max z) / T: the same softmax, and exp cannot overflow."""
    logits = np.asarray(logits, dtype=np.float64)
    if logits.ndim == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits need at least one class on their last axis, but their shape is {logits.shape}")
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature must be a number above 0, not {temperature}")
    largest = logits.max(axis=-1, keepdims=True)
    if not np.isfinite(largest).all():  # NaN or +inf where a patch has one, -inf where it has nothing else
        row = logits[~np.isfinite(largest[..., 0])][0].tolist()
        raise NonFiniteLogits(f"logits must be numbers, or -inf beside at least one number, not {row}")
    return (logits - largest) / temperature
