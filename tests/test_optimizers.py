"""Optimizers against the papers' formulas, one Python float at a time, alone and in a whole training."""

import math

import numpy as np
import pytest

from edge_demo.datasets.patches import Patches
from edge_demo.network import build_network
from edge_demo.optimizers import Adam, make_optimizer
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
    "sgd": (lambda: make_optimizer("sgd", 0.1), lambda: ScalarMomentum(0.1, 0.0)),
    "momentum": (lambda: make_optimizer("momentum", 0.05), lambda: ScalarMomentum(0.05, 0.9)),
    "adam": (lambda: make_optimizer("adam", 0.01), lambda: ScalarAdam(0.01)),
    "adam of other settings": (lambda: Adam(0.02, 0.7, 0.95, 1e-4), lambda: ScalarAdam(0.02, 0.7, 0.95, 1e-4)),
}
each_pair = pytest.mark.parametrize(("optimizer", "scalar"), PAIRS.values(), ids=PAIRS)


def listed(arrays):
    """All numbers of some arrays, in one list."""
    return [value for array in arrays for value in array.ravel().tolist()]


@each_pair
def test_steps_equal_those_of_the_scalar_formulas_in_place_and_leave_the_gradient_alone(optimizer, scalar):
    rng = np.random.default_rng(0)
    optimizer, scalar = optimizer(), scalar()
    parameters = [np.zeros((3, 2)), np.zeros(2)]
    own, values = list(parameters), [0.0] * 8
    gradient = [np.empty((3, 2)), np.empty(2)]  # the same arrays at each step: an optimizer must not keep them
    for _ in range(100):
        for array in gradient:
            array[:] = rng.normal(size=array.shape) * 10.0 ** rng.integers(-8, 0, array.shape)
        drawn = listed(gradient)
        optimizer.step(parameters, gradient)
        assert listed(gradient) == drawn
        scalar.step(values, drawn)
    np.testing.assert_allclose(listed(own), values, rtol=1e-12, atol=1e-16)


def gradient_by_patches(values, pixels, labels, hidden):
    """Gradient of the mean cross-entropy of a network of one hidden layer and two classes, patch by patch."""
    first, first_bias = np.reshape(values[: 25 * hidden], (25, hidden)), values[25 * hidden : 26 * hidden]
    second, second_bias = np.reshape(values[26 * hidden : 28 * hidden], (hidden, 2)), values[28 * hidden :]
    totals = np.zeros_like(first), np.zeros(hidden), np.zeros_like(second), np.zeros(2)
    for patch, label in zip(pixels, labels, strict=True):
        sums = [math.fsum([*((patch - 0.5) * first[:, j]), first_bias[j]]) for j in range(hidden)]
        active = [max(s, 0.0) for s in sums]
        logits = [math.fsum([*(active * second[:, k]), second_bias[k]]) for k in range(2)]
        for k in range(2):
            slope = 1 / math.fsum(math.exp(z - logits[k]) for z in logits) - (k == label)
            totals[3][k] += slope
            totals[2][:, k] += slope * np.array(active)
            for j in (j for j in range(hidden) if sums[j] > 0):
                totals[1][j] += slope * second[j, k]
                totals[0][:, j] += slope * second[j, k] * (patch - 0.5)
    return [value / len(labels) for value in listed(totals)]


@pytest.mark.shipped
@each_pair
def test_the_weights_after_three_hundred_batches_equal_those_of_another_implementation(optimizer, scalar):
    rng, scalar = np.random.default_rng(1), scalar()
    pixels, labels = rng.normal(0.5, 0.3, (18, 25)), rng.integers(2, size=18)
    network = build_network(25, [3], 2, rng)
    values = listed(network.parameters)
    start = np.array(values)
    settings = {"epochs": 75, "batch_size": 5, "optimizer": optimizer()}
    train(network, Patches(pixels, labels), rng=np.random.default_rng(2), **settings)

    rng = np.random.default_rng(2)
    for _ in range(75):
        order = rng.permutation(18)
        for batch in (order[:5], order[5:10], order[10:15], order[15:]):
            scalar.step(values, gradient_by_patches(values, pixels[batch], labels[batch], 3))
    np.testing.assert_allclose(listed(network.parameters), values, rtol=0, atol=1e-9)
    assert np.abs(values - start).max() > 0.1
