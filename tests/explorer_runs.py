"""Small runs for the tests of the explorer, with what a user's own data may bring."""

from threading import Event

import numpy as np

from edge_demo.generator import PatchGenerator
from edge_demo.network import ReLU, build_network
from edge_demo.optimizers import SGD
from edge_demo.patches import Patches
from edge_demo.resuming import ResumableHistory, train_until
from edge_demo.runs import Run

MARKUP = ("</script><script>window.bad = 1</script>", "<!-- <b>bold</b>", "&amp; \"one\" 'two' $3$ `${4}`")


class Tanh:
    """The README's example of another activation."""

    def forward(self, inputs):
        self.outputs = np.tanh(inputs)
        return self.outputs

    def backward(self, grad_output):
        return grad_output * (1.0 - self.outputs**2)


class StopAfter(Event):
    """An Event that is set after so many steps."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def is_set(self):
        self.left -= 1
        return self.left <= 0


def make_run(
    patches, *, hidden=(6,), epochs=2, generator=None, target="label", seed=0, activation=ReLU, stop_after=10**9
):
    """A short training on the first two thirds of some Patches; the rest are its test patches."""
    rng = np.random.default_rng(seed)
    half = 2 * len(patches) // 3
    learned, test = patches[:half], patches[half:]
    network = build_network(patches.pixels.shape[1], hidden, len(patches.class_names), rng)
    before = build_network(patches.pixels.shape[1], hidden, len(patches.class_names), np.random.default_rng(0))
    before.parameters = network.parameters
    for changed in (network, before):
        changed.layers = [activation() if isinstance(layer, ReLU) else layer for layer in changed.layers]
    history, snapshots = ResumableHistory(SGD(0.1), rng), {}
    how = {"epochs": epochs, "batch_size": 32, "optimizer": history.optimizer, "rng": rng, "test": test}
    train_until(StopAfter(stop_after), network, learned, history=history, snapshots=snapshots, **how)
    settings = {"hidden": list(hidden), "epochs": epochs, "batch_size": 32, "lr": 0.1, "optimizer": "sgd", "seed": seed}
    settings |= {"target": target, "data": {"train": half}, "class_names": patches.class_names}
    return Run(settings, before, network, history, test, generator, {}, snapshots)


def generated(n=300, seed=0, **settings):
    """Patches of a generator, and the generator."""
    generator = PatchGenerator(**settings)
    return generator.sample(n, np.random.default_rng(seed)), generator


def own_patches(n=150, side=6, names=MARKUP, seed=0):
    """Patches as from a user's files: no kinds, and pixels with all their decimals."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(len(names), size=n)
    return Patches(rng.normal(0.5, 0.2, (n, side * side)) + 0.2 * labels[:, None], labels, None, names)
