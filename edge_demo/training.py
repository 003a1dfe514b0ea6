"""Training: draw a batch, compute its gradient, take a step; once an epoch, measure where that led.

You may change the order of the batches, the schedule of the learning rate, when to stop, or what History records.
"""

from dataclasses import dataclass, field

import numpy as np

from edge_demo.softmax import NonFiniteLogits, at_label, log_softmax

DIVERGED = 1e4  # nats; no useful step leads there, and from there none leads back
FAR = 10.0  # pixels beyond this, which should be about 0 to 1, make steps that much too long


class TrainingDiverged(ValueError):
    """The loss is no longer a finite number, or beyond DIVERGED; the message says where, and what to try."""


def _diverged(where, patches):
    """A TrainingDiverged whose remedy fits the patches."""
    largest = np.abs(patches.pixels).max()
    remedy = "try a learning rate ten times smaller"
    if largest > FAR:
        remedy = f"pixels reach {largest:g}: bring them to 0 to 1"
    why = f"the loss is no longer finite, or beyond {DIVERGED:g} nats"
    return TrainingDiverged(f"training diverged {where}: {why}; {remedy}")


@np.errstate(over="ignore", invalid="ignore")  # a step too long is said once, as TrainingDiverged
def train_epoch(network, patches, *, batch_size, optimizer, rng):
    """Shows network each patch once, in an order drawn from rng, and takes a step of the optimizer after each batch.

    patches: pixels (n, inputs) and labels (n,). The last batch may be short. Raises TrainingDiverged.
    """
    order = rng.permutation(len(patches.labels))
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        pixels = patches.pixels[batch]  # (n, inputs) -> (batch_size, inputs)
        labels = patches.labels[batch]

        try:
            gradients = network.gradient(pixels, labels)
        except NonFiniteLogits:
            raise _diverged(f"at learning rate {optimizer.learning_rate:g}", patches) from None
        optimizer.step(network.parameters, gradients)


def train(network, patches, *, epochs, batch_size, optimizer, rng, test=None, progress=iter):
    """Trains network in place on patches for so many epochs; returns its History.

    test: patches to measure the network on as well. progress: a function around range(epochs) that yields its numbers,
    such as tqdm; where it stops early, so does training. Raises ValueError, TrainingDiverged.
    """
    if epochs < 0 or batch_size < 1:
        raise ValueError(f"epochs must be at least 0 and batch_size at least 1, not {epochs} and {batch_size}")

    history = History()
    history.record(network, patches, test)
    for _ in progress(range(epochs)):
        train_epoch(network, patches, batch_size=batch_size, optimizer=optimizer, rng=rng)
        history.record(network, patches, test)
    return history


@dataclass
class History:
    """Lists with one entry an epoch, 0 is untrained; losses in nats over the whole set. None without a test set."""

    epoch: list = field(default_factory=list)
    train_loss: list = field(default_factory=list)
    train_accuracy: list = field(default_factory=list)
    test_loss: list = field(default_factory=list)
    test_accuracy: list = field(default_factory=list)

    def record(self, network, train_patches, test_patches=None):
        """Adds an entry: what the network, as it is now, is worth on both sets. Raises TrainingDiverged."""
        epoch = len(self.epoch)
        train_loss, train_accuracy = measure(network, train_patches)
        if not train_loss < DIVERGED:
            raise _diverged(f"in epoch {epoch}", train_patches)
        test_loss, test_accuracy = (None, None) if test_patches is None else measure(network, test_patches)

        self.epoch.append(epoch)
        self.train_loss.append(train_loss)
        self.train_accuracy.append(train_accuracy)
        self.test_loss.append(test_loss)
        self.test_accuracy.append(test_accuracy)


@np.errstate(over="ignore", invalid="ignore")
def measure(network, patches):
    """Mean of -log p(label) in nats, whatever loss the network makes small, and accuracy; NaN where p is not known."""
    logits, labels = network.logits(patches.pixels), patches.labels
    try:
        log_probabilities = log_softmax(logits)
    except NonFiniteLogits:
        return np.nan, np.nan
    loss = -log_probabilities[at_label(logits, labels)].mean()
    return float(loss), float((logits.argmax(axis=1) == labels).mean())
