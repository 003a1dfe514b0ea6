"""Training: draw a batch, compute its gradient, take a step; once an epoch, measure where that led.

You may change the order of the batches, the schedule of the learning rate, or what History records.
"""

import numpy as np
from tqdm import tqdm

from edge_demo.files import write_rows
from edge_demo.softmax import NonFiniteLogits, cross_entropy

DIVERGED = 1e4  # nats; no useful step leads there, and from there none leads back


class TrainingDiverged(ValueError):
    """The loss is no longer a finite number, or beyond DIVERGED."""


class History:
    """Lists with one entry an epoch, 0 is untrained; losses in nats over the whole set. None without a test set."""

    def __init__(self):
        self.epoch, self.train_loss, self.train_accuracy, self.test_loss, self.test_accuracy = [], [], [], [], []

    def record(self, network, train_patches, test_patches, train_weights=1.0):
        self.epoch.append(len(self.epoch))
        for name, patches, weights in (("train", train_patches, train_weights), ("test", test_patches, 1.0)):
            loss = accuracy = None
            if patches is not None:
                logits = network.logits(patches.pixels)  # (n, classes)
                loss = cross_entropy(logits, patches.labels, weights)
                accuracy = float((weights * (logits.argmax(axis=1) == patches.labels)).mean())
            getattr(self, f"{name}_loss").append(loss)
            getattr(self, f"{name}_accuracy").append(accuracy)

    def to_csv(self, path):
        """Writes a row an epoch, in full precision."""
        write_rows(path, vars(self), zip(*vars(self).values(), strict=True))


def train(
    network, patches, *, epochs, batch_size, optimizer, rng, test=None, weights=None, history=None, progress=False
):
    """Trains network in place on patches (pixels (n, inputs), labels (n,)) and returns its History.

    Every epoch uses each patch once, in an order drawn anew from rng; the last batch may be short. weights (n,): how
    much each patch counts. history: one to go on from, up to epochs in all. progress: a bar. Raises TrainingDiverged.
    """
    if epochs < 0 or batch_size < 1:
        raise ValueError(f"epochs must be at least 0 and batch_size at least 1, not {epochs} and {batch_size}")
    columns = [patches.pixels, patches.labels] + ([] if weights is None else [weights / np.mean(weights)])
    history = History() if history is None else history
    if not history.epoch:
        history.record(network, patches, test, *columns[2:])
    for epoch in tqdm(range(len(history.epoch), epochs + 1), desc="training", unit="epoch", disable=not progress):
        order = rng.permutation(len(patches.labels))
        shuffled = [values.take(order, axis=0) for values in columns]
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # reported below, in words
                for start in range(0, len(order), batch_size):
                    gradient = network.gradient(*[values[start : start + batch_size] for values in shuffled])
                    if not network.batch_loss < DIVERGED:
                        raise NonFiniteLogits
                    optimizer.step(network.parameters, gradient)
                del shuffled  # before the next epoch's are gathered
                history.record(network, patches, test, *columns[2:])
                if not history.train_loss[-1] < DIVERGED:
                    raise NonFiniteLogits
        except NonFiniteLogits:
            raise TrainingDiverged(
                f"training diverged in epoch {epoch}, batch {start // batch_size + 1}, at learning rate "
                f"{optimizer.learning_rate:g}: the loss is no longer finite, or beyond {DIVERGED:g}; "
                f"try a learning rate of {optimizer.learning_rate / 10:g}"
            ) from None
    return history
