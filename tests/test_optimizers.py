"""Optimizers against the papers' formulas, one Python float at a time, alone and in a whole training."""

import math

import numpy as np
import pytest

from edge_demo.optimizers import Adam, make_optimizer


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
