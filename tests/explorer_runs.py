"""Small runs for the tests of the explorer, with what a user's own data may bring."""

from copy import deepcopy

import numpy as np

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.patches import Patches
from edge_demo.network import ReLU, build_network
from edge_demo.optimizers import SGD
from edge_demo.runs.run import Run, copies, kept_epochs
from edge_demo.training import train

MARKUP = ("</script><script>window.bad = 1</script>", "<!-- <b>bold</b>", "&amp; \"one\" 'two' $3$ `${4}`")


class Tanh:
    """The README's example of another activation."""

    def forward(self, inputs):
        self.outputs = np.tanh(inputs)
        return self.outputs

    def backward(self, grad_output):
        return grad_output * (1.0 - self.outputs**2)


def make_run(
    patches, *, hidden=(6,), epochs=2, generator=None, target="label", seed=0, activation=ReLU, stop_after=None
):
    """A short training on the first two thirds of some Patches; the rest are its test patches.

    stop_after: the epoch after which it is interrupted.
    """
    rng = np.random.default_rng(seed)
    two_thirds = 2 * len(patches) // 3
    learned, test = patches[:two_thirds], patches[two_thirds:]
    network = build_network(patches.pixels.shape[1], hidden, len(patches.class_names), rng)
    network.layers = [activation() if isinstance(layer, ReLU) else layer for layer in network.layers]
    before, snapshots = deepcopy(network), {}

    def keeping(passed):
        for epoch in passed:
            if epoch == stop_after:
                return
            snapshots.update({epoch: copies(network)} if epoch in kept_epochs(epochs) else {})
            yield epoch

    history = train(
        network, learned, epochs=epochs, batch_size=32, optimizer=SGD(0.1), rng=rng, test=test, progress=keeping
    )
    snapshots[history.epoch[-1]] = copies(network)

    settings = {"hidden": list(hidden), "epochs": epochs, "batch_size": 32, "lr": 0.1, "optimizer": "sgd", "seed": seed}
    settings |= {
        "target": target,
        "balance": False,
        "data": {"train": two_thirds},
        "class_names": patches.class_names,
    }
    return Run(settings, before, network, history, test, generator, snapshots, interrupted_at=stop_after)


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
