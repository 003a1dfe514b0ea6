"""Softmax: from logits (any real numbers) to probabilities (positive, sum 1), and the loss that trains them.

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
    exponentials = _subtract_max(logits, temperature)
    np.exp(exponentials, out=exponentials)
    exponentials /= exponentials.sum(axis=0)
    return exponentials.T.reshape(np.shape(logits))


def log_softmax(logits, temperature=1.0):
    """s_k - log(sum_j exp(s_j)) with s = (z - max z) / T; shapes and errors as for softmax.

    The largest s is 0 and its exp 1, so the logarithm is log1p of the sum of all the others: exact for p near 0 and 1.
    """
    shifted = _subtract_max(logits, temperature)
    others = np.exp(shifted)
    others[np.argmax(logits, axis=-1).ravel(), np.arange(others.shape[1])] = 0.0
    shifted -= np.log1p(others.sum(axis=0))
    return shifted.T.reshape(np.shape(logits))


def cross_entropy(logits, labels, weights=None):
    """Mean of weight · -log p(label), in nats. logits (n, classes), labels (n,) in 0..classes-1, weights (n,) or 1."""
    return SoftmaxCrossEntropy().forward(logits, labels, weights)


class SoftmaxCrossEntropy:
    """The output layer in training: softmax and its loss in one, because their joint gradient is simple."""

    def forward(self, logits, labels, weights=None):
        """Mean cross-entropy of logits (n, classes) and labels (n,), each patch times its weight, in nats, a float.

        -log p_y = log(sum_j exp s_j) - s_y, s = z - max z. The sum is 1 + sum_j (exp s_j - [j = y]), so log1p is exact.
        """
        shape, labels = np.shape(logits), np.asarray(labels)
        if len(shape) != 2 or labels.shape != shape[:1] or len(labels) == 0:
            raise ValueError(f"cross-entropy needs logits (n, classes) and labels (n,), not {shape} and {labels.shape}")
        shifted = _subtract_max(logits)  # (classes, n)
        self._one_hot = np.arange(shape[1])[:, None] == labels
        if np.count_nonzero(self._one_hot) < len(labels):
            raise ValueError(f"labels must be whole numbers from 0 to {shape[1] - 1}, not {labels.tolist()[:9]}")
        self._exponentials, self._weights = np.exp(shifted), weights
        of_label = shifted[labels.astype(np.int64, copy=False), np.arange(len(labels))]  # (classes, n) -> (n,)
        self._others = np.subtract(self._exponentials, self._one_hot, out=shifted).sum(axis=0)
        losses = np.log1p(self._others) - of_label
        return float((losses if weights is None else weights * losses).sum() / len(losses))

    def backward(self):
        """Gradient of the mean loss with respect to the logits, (n, classes): weight · (p - y) / n, y one-hot."""
        grad_logits = self.probabilities.T  # (classes, n)
        grad_logits -= self._one_hot  # d(-log p_y)/dz_k = p_k - [k = y], as -log p_y = log(sum_j exp z_j) - z_y
        grad_logits /= len(self._others)  # the only division by n
        return (grad_logits if self._weights is None else self._weights * grad_logits).T

    @property
    def probabilities(self):
        """softmax of the last logits seen, (n, classes)."""
        return (self._exponentials / (1.0 + self._others)).T


@np.errstate(over="ignore")  # a difference beyond all numbers is -inf, and its exp 0
def _subtract_max(logits, temperature=1.0):
    """(z - max z) / T, a new array (classes, patches): same softmax, no overflow in exp, and long rows are fast."""
    logits = np.asarray(logits, dtype=np.float64)
    if logits.ndim == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits need at least one class on their last axis, but their shape is {logits.shape}")
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature must be a number above 0, not {temperature}")
    shifted = np.array(logits.reshape(-1, logits.shape[-1]).T, order="C")
    largest = shifted.max(axis=0)  # NaN or +inf where the patch has one, -inf where it has nothing else
    if np.count_nonzero(np.isfinite(largest)) < len(largest):
        row = shifted.T[~np.isfinite(largest)][0].tolist()
        raise NonFiniteLogits(f"logits must be numbers, or -inf beside at least one number, not {row}")
    shifted -= largest
    return shifted if temperature == 1.0 else np.divide(shifted, temperature, out=shifted)
