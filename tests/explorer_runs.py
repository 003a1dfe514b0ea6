"""Small runs for the tests of the explorer, with what a user's own data may bring."""

from itertools import islice

import numpy as np

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import Dataset
from edge_demo.datasets.patches import Patches
from edge_demo.network import ReLU
from edge_demo.runs.run import train_run

MARKUP = ("</script><script>window.bad = 1</script>", "<!-- <b>bold</b>", "&amp; \"one\" 'two' $3$ `${4}`")


class Tanh:
    """The README's example of another activation."""

    def forward(self, inputs):
        self.outputs = np.tanh(inputs)
        return self.outputs

    def backward(self, grad_output):
        return grad_output * (1.0 - self.outputs**2)


def make_run(patches, *, hidden=(6,), epochs=2, generator=None, target="label", activation=ReLU, stop_after=None):
    """A short training on the first two thirds of some Patches; the rest are its test patches.

    activation: what stands for ReLU, after the training. stop_after: the epoch after which it is interrupted.
    """
    two_thirds = 2 * len(patches) // 3
    settings = {"hidden": list(hidden), "epochs": epochs, "batch_size": 32, "lr": 0.1, "optimizer": "sgd", "seed": 0}
    settings |= {"target": target, "balance": False, "data": {"train": two_thirds}, "class_names": patches.class_names}
    dataset = Dataset(patches[:two_thirds], patches[two_thirds:], generator=generator)
    run = train_run(dataset, settings, lambda epochs: islice(epochs, stop_after))
    for network in (run.before, run.after):
        network.layers = [activation() if isinstance(layer, ReLU) else layer for layer in network.layers]
    run.__post_init__()
    return run


def generated(n=300, seed=0, **settings):
    """Patches of a generator, and the generator."""
    generator = PatchGenerator(**settings)
    return generator.sample(n, np.random.default_rng(seed)), generator


def own_patches(n=150, side=6, names=MARKUP, seed=0, shape=None):
    """Patches as from a user's files: no kinds, and pixels with all their decimals."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(len(names), size=n)
    rows, columns = shape or (side, side)
    return Patches(rng.normal(0.5, 0.2, (n, rows * columns)) + 0.2 * labels[:, None], labels, None, names, shape)
