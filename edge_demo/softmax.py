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
    exponentials = _subtract_max(logits, temperature)
    np.exp(exponentials, out=exponentials)
    exponentials /= exponentials.sum(axis=1, keepdims=True)
    return exponentials.reshape(logits.shape)


def log_softmax(logits, temperature=1.0):
    """s_k - log(sum_j exp(s_j)) with s = (z - max z) / T; shapes and errors as for softmax.

    The largest s is 0 and its exp 1, so the logarithm is log1p of the sum of all the others. No probability
    is formed on the way, so the result is exact for p near 0 (no log 0) and near 1 (no 1 + 1e-20 = 1).
    """
    logits = np.asarray(logits, dtype=np.float64)
    shifted = _subtract_max(logits, temperature)
    exponentials = np.exp(shifted)
    largest = exponentials == 1.0  # one in each row, or several that tie
    exponentials -= largest
    others = exponentials.sum(axis=1, keepdims=True)
    others += np.count_nonzero(largest, axis=1, keepdims=True) - 1
    shifted -= np.log1p(others)
    return shifted.reshape(logits.shape)


def cross_entropy(logits, labels, weights=None):
    """Mean of weight · -log p(label), in nats. logits (n, classes), labels (n,) in 0..classes-1, weights (n,) or 1."""
    return SoftmaxCrossEntropy().forward(logits, labels, weights)


class SoftmaxCrossEntropy:
    """The output layer in training: softmax and its loss in one, because their joint gradient is simple."""

    def forward(self, logits, labels, weights=None):
        """Mean cross-entropy of logits (n, classes) and labels (n,), each patch times its weight, in nats, a float.

        -log p_y = log(sum_j exp s_j) - s_y with s = z - max z, and the sum is 1 + sum_j (exp s_j - [j = y]): where p_y
        is almost 1 nothing but the small terms is left, and log1p keeps them.
        """
        logits = np.asarray(logits, dtype=np.float64)
        labels, self._one_hot = _one_hot(labels, logits.shape)
        self._weights = weights
        shifted = _subtract_max(logits)
        self._exponentials = np.exp(shifted)
        self._others = (self._exponentials - self._one_hot).sum(axis=1)  # (n, classes) -> (n,)
        losses = np.log1p(self._others) - shifted[np.arange(len(labels)), labels]
        if weights is not None:
            losses *= weights
        return float(losses.sum() / len(losses))

    def backward(self):
        """Gradient of the mean loss with respect to the logits, (n, classes): weight · (p - y) / n, y one-hot.

        d(-log p_y)/dz_k = p_k - [k = y], since -log p_y = log(sum_j exp z_j) - z_y.
        """
        grad_logits = self.probabilities
        grad_logits -= self._one_hot
        if self._weights is not None:
            grad_logits *= np.reshape(self._weights, (-1, 1))
        grad_logits /= len(grad_logits)  # the only division by n
        return grad_logits

    @property
    def probabilities(self):
        """softmax of the last logits seen, (n, classes)."""
        return self._exponentials / (1.0 + self._others)[:, None]


@np.errstate(over="ignore")  # a difference beyond all numbers is -inf, and its exp 0
def _subtract_max(logits, temperature=1.0):
    """(z - max z) / T as a new array (patches, classes): softmax stays the same, and exp cannot overflow."""
    if logits.ndim == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits need at least one class on their last axis, but their shape is {logits.shape}")
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature must be a number above 0, not {temperature}")
    classes = logits.shape[-1]
    shifted = np.array(logits.reshape(-1, classes), order=_order(classes))
    largest = shifted.max(axis=1, keepdims=True)  # NaN or +inf where the patch has one, -inf where it has nothing else
    finite = np.isfinite(largest[:, 0])
    if np.count_nonzero(finite) < len(finite):
        row = shifted[~finite][0].tolist()
        raise NonFiniteLogits(f"logits must be numbers, or -inf beside at least one number, not {row}")
    shifted -= largest
    if temperature != 1.0:
        shifted /= temperature
    return shifted


def _order(classes):
    """The memory order of an array (n, classes): NumPy is fast along long runs, so few classes go by column."""
    return "F" if classes < 20 else "C"


def _one_hot(labels, shape):
    """labels (n,) as integers, and True in the column of each patch's label, (n, classes) = shape."""
    labels = np.asarray(labels)
    if len(shape) != 2 or labels.shape != shape[:1] or len(labels) == 0:
        raise ValueError(f"cross-entropy needs logits (n, classes) and labels (n,), not {shape} and {labels.shape}")
    classes = np.arange(shape[1])
    one_hot = np.equal(labels[:, None], classes, order=_order(len(classes)))
    if np.count_nonzero(one_hot) < len(labels):  # a label that is none of the classes
        raise ValueError(f"labels must be whole numbers from 0 to {shape[1] - 1}, not {labels.tolist()[:9]}")
    return labels.astype(np.int64, copy=False), one_hot
