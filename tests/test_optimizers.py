"""Optimizers against the papers' formulas, one Python float at a time, alone and in a whole training."""

import math

import numpy as np
import pytest

from edge_demo.network import build_network
from edge_demo.optimizers import SGD, Adam
from edge_demo.patches import Patches
from edge_demo.training import train


class ScalarMomentum:
    """v = momentum v + g; x = x - rate v, for lists of floats."""

    def __init__(self, rate, momentum):
        self.rate, self.momentum, self.velocity = rate, momentum, {}

    def step(self, values, gradient):
        for i, g in enumerate(gradient):
            self.velocity[i] = self.momentum * self.velocity.get(i, 0.0) + g
            values[i] -= self.rate * self.velocity[i]


class ScalarAdam:
    """Kingma and Ba 2015 in the rearranged form at the end of their section 2, with epsilon scaled to match."""

    def __init__(self, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.rate, self.beta1, self.beta2, self.epsilon = rate, beta1, beta2, epsilon
        self.t, self.m, self.v = 0, {}, {}

    def step(self, values, gradient):
        self.t += 1
        root = math.sqrt(1 - self.beta2**self.t)
        for i, g in enumerate(gradient):
            self.m[i] = self.beta1 * self.m.get(i, 0.0) + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v.get(i, 0.0) + (1 - self.beta2) * g * g
            rate = self.rate * root / (1 - self.beta1**self.t)
            values[i] -= rate * self.m[i] / (math.sqrt(self.v[i]) + self.epsilon * root)


PAIRS = {
    "sgd": (lambda: SGD(0.1), lambda: ScalarMomentum(0.1, 0.0)),
    "momentum": (lambda: SGD(0.05, momentum=0.9), lambda: ScalarMomentum(0.05, 0.9)),
    "adam": (lambda: Adam(0.01), lambda: ScalarAdam(0.01)),
    "adam_own_settings": (lambda: Adam(0.02, 0.7, 0.95, 1e-4), lambda: ScalarAdam(0.02, 0.7, 0.95, 1e-4)),
}


@pytest.mark.parametrize(("optimizer", "scalar"), PAIRS.values(), ids=PAIRS)
def test_two_hundred_steps_equal_those_of_the_scalar_formulas(optimizer, scalar):
    rng = np.random.default_rng(0)
    optimizer, scalar = optimizer(), scalar()
    around = np.zeros(10)
    parameters = around[1:-1]  # a view, as the layers hold them
    values, gradient = parameters.tolist(), np.empty(8)
    for _ in range(200):
        drawn = rng.normal(size=8) * 10.0 ** np.arange(-8, 0)
        gradient[:] = drawn  # the same array at each step: an optimizer must not keep it
        optimizer.step(parameters, gradient)
        np.testing.assert_array_equal(gradient, drawn)
        scalar.step(values, drawn.tolist())
    np.testing.assert_allclose(parameters, values, rtol=1e-12, atol=1e-16)
    assert np.all(parameters != 0)
    assert around[1:-1].tolist() == parameters.tolist()
    assert around[[0, -1]].tolist() == [0, 0]


def gradient_by_patches(values, patches, hidden, classes):
    """Gradient of the mean cross-entropy of a one-hidden-layer network, patch by patch and weight by weight."""
    first = np.array(values[: 26 * hidden]).reshape(26, hidden)
    second = np.array(values[26 * hidden :]).reshape(hidden + 1, classes)
    total_first, total_second = np.zeros_like(first), np.zeros_like(second)
    for pixels, label in zip(patches.pixels, patches.labels, strict=True):
        inputs = [*(pixels - 0.5), 1.0]
        sums = [math.fsum(inputs[i] * first[i, j] for i in range(26)) for j in range(hidden)]
        active = [*(s if s > 0 else 0.0 for s in sums), 1.0]
        logits = [math.fsum(active[j] * second[j, k] for j in range(hidden + 1)) for k in range(classes)]
        for k in range(classes):
            slope = 1 / math.fsum(math.exp(z - logits[k]) for z in logits) - (k == label)
            for j in range(hidden + 1):
                total_second[j, k] += active[j] * slope
            for j in (j for j in range(hidden) if sums[j] > 0):
                total_first[:, j] += slope * second[j, k] * np.array(inputs)
    return (np.concatenate([total_first.ravel(), total_second.ravel()]) / len(patches)).tolist()


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_the_weights_after_two_hundred_batches_equal_those_of_another_implementation(name):
    optimizer, scalar = (make() for make in PAIRS[name])
    rng = np.random.default_rng(1)
    patches = Patches(rng.normal(0.5, 0.3, (18, 25)), rng.integers(2, size=18))
    network = build_network(25, [3], 2, rng)
    values = network.parameters.tolist()
    start = network.parameters.copy()
    train(network, patches, epochs=50, batch_size=5, optimizer=optimizer, rng=np.random.default_rng(2))
    rng = np.random.default_rng(2)
    for _ in range(50):
        order = rng.permutation(18)
        for batch in (order[:5], order[5:10], order[10:15], order[15:]):
            scalar.step(values, gradient_by_patches(values, patches[batch], 3, 2))
    np.testing.assert_allclose(network.parameters, values, rtol=0, atol=1e-9)
    assert np.abs(network.parameters - start).max() > 0.1
