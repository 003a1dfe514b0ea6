"""Training: draw a batch, compute its gradient, take a step; once an epoch, measure where that led.

You may change the order of the batches, the schedule of the learning rate, or what History records.
"""

from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from edge_demo.softmax import NonFiniteLogits, checked_weights, cross_entropy

DIVERGED = 1e4  # nats; no useful step leads there, and from there none leads back
SMALLER_STEPS = "try a learning rate ten times smaller"
FAR = 10.0  # pixels beyond this are not between 0 and 1, and make steps that much too long


class TrainingDiverged(ValueError):
    """The loss is no longer a finite number, or beyond DIVERGED."""


def train_epoch(network, patches, *, batch_size, optimizer, rng, weights=None):
    """Shows network each patch once, in an order drawn from rng, and takes a step of the optimizer after each batch.

    patches: pixels (n, inputs) and labels (n,). weights (n,), above 0: how much each patch counts. The last batch may
    be short. Raises TrainingDiverged.
    """
    order = rng.permutation(len(patches.labels))
    with _divergence_in_words(patches, f"at learning rate {optimizer.learning_rate:g}"):
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            pixels = patches.pixels[batch]  # (n, inputs) -> (batch_size, inputs)
            labels = patches.labels[batch]
            batch_weights = None if weights is None else weights[batch]

            gradient = network.gradient(pixels, labels, batch_weights)
            optimizer.step(network.parameters, gradient)


def balanced_weights(labels):
    """Weights (n,), 1 on average, by which each class counts as much as any other, however few patches it has."""
    counts = np.bincount(labels)
    return len(labels) / (np.count_nonzero(counts) * counts[labels])


def train(network, patches, *, epochs, batch_size, optimizer, rng, test=None, weights=None, progress=False):
    """Trains network in place on patches for so many epochs; returns its History.

    test: patches to measure the network on as well. weights (n,): how much each patch counts, in multiples of their
    mean; one of weight 0 is as good as absent. progress: a bar on standard error. Raises ValueError, TrainingDiverged.
    """
    if epochs < 0 or batch_size < 1:
        raise ValueError(f"epochs must be at least 0 and batch_size at least 1, not {epochs} and {batch_size}")
    if weights is not None:
        weights = checked_weights(weights, len(patches.labels))
        patches, weights = patches[weights > 0], weights[weights > 0]
        weights = weights / weights.mean()

    history = History()
    history.record(network, patches, test, weights)
    for _ in tqdm(range(epochs), desc="training", unit="epoch", disable=not progress):
        train_epoch(network, patches, batch_size=batch_size, optimizer=optimizer, rng=rng, weights=weights)
        history.record(network, patches, test, weights)
    return history


@dataclass
class History:
    """Lists with one entry an epoch, 0 is untrained; losses in nats over the whole set. None without a test set."""

    epoch: list = field(default_factory=list)
    train_loss: list = field(default_factory=list)
    train_accuracy: list = field(default_factory=list)
    test_loss: list = field(default_factory=list)
    test_accuracy: list = field(default_factory=list)

    def record(self, network, train_patches, test_patches=None, train_weights=None):
        """Adds an entry: what the network, as it is now, is worth on both sets. Raises TrainingDiverged."""
        epoch = len(self.epoch)
        test_loss = test_accuracy = None
        with _divergence_in_words(train_patches, f"in epoch {epoch}"):
            train_loss, train_accuracy = _measure(network, train_patches, train_weights)
            if test_patches is not None:
                test_loss, test_accuracy = _measure(network, test_patches)
            if not train_loss < DIVERGED:
                raise NonFiniteLogits

        self.epoch.append(epoch)
        self.train_loss.append(train_loss)
        self.train_accuracy.append(train_accuracy)
        self.test_loss.append(test_loss)
        self.test_accuracy.append(test_accuracy)


def _measure(network, patches, weights=None):
    """Mean cross-entropy in nats, and accuracy."""
    logits = network.logits(patches.pixels)  # (n, classes)
    right = logits.argmax(axis=1) == patches.labels
    return cross_entropy(logits, patches.labels, weights), float(np.average(right, weights=weights))


@contextmanager
def _divergence_in_words(patches, where):
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # instead of NumPy's warnings
            yield
    except NonFiniteLogits:
        largest = np.abs(patches.pixels).max()
        remedy = f"pixels reach {largest:g}: bring them to 0 to 1" if largest > FAR else SMALLER_STEPS
        raise TrainingDiverged(
            f"training diverged {where}: the loss is no longer finite, or beyond {DIVERGED:g} nats; {remedy}"
        ) from None
