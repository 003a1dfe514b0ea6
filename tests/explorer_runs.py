"""Small runs for the tests of the explorer, with what a user's own data may bring."""

from copy import deepcopy

import numpy as np

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.patches import Patches
from edge_demo.network import ReLU, build_network
from edge_demo.optimizers import SGD
from edge_demo.runs.run import Recording, Run, flat, snapshot_steps
from edge_demo.training import History, train_epoch

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
    before, history = deepcopy(network), History()

    history.record(network, learned, test)
    kept = snapshot_steps(epochs, -(-two_thirds // 32))
    recording = Recording(SGD(0.1), {0: flat(network.parameters)}, kept)
    for _ in range(epochs if stop_after is None else stop_after):
        train_epoch(network, learned, batch_size=32, optimizer=recording, rng=rng)
        history.record(network, learned, test)
    snapshots = recording.snapshots | {recording.steps: flat(network.parameters)}

    settings = {"hidden": list(hidden), "epochs": epochs, "batch_size": 32, "lr": 0.1, "optimizer": "sgd", "seed": seed}
    settings |= {
        "target": target,
        "data": {"train": two_thirds},
        "class_names": patches.class_names,
    }
    return Run(settings, before, network, history, test, generator, snapshots)


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
