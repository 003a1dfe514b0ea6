"""Optimizers: how the slopes of the loss change the parameters.

Any object with step(parameters, gradients) and a learning_rate will do; step changes the parameters in place. To try
your own, write its class here and give it a line in OPTIMIZERS.
"""

import numpy as np


class SGD:
    """Stochastic gradient descent: a step downhill, with momentum along a decaying sum of past gradients."""

    def __init__(self, learning_rate, momentum=0.0):
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocities = None

    def step(self, parameters, gradients):
        if self.velocities is None:
            self.velocities = [np.zeros_like(parameter) for parameter in parameters]

        for parameter, gradient, velocity in zip(parameters, gradients, self.velocities, strict=True):
            velocity[...] = self.momentum * velocity + gradient
            parameter -= self.learning_rate * velocity


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1): a step size of its own for each parameter."""

    def __init__(self, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.steps = 0
        self.means = None

    def step(self, parameters, gradients):
        if self.means is None:
            self.means = [np.zeros_like(parameter) for parameter in parameters]
            self.squares = [np.zeros_like(parameter) for parameter in parameters]
        self.steps += 1
        # both averages begin at 0, which dividing by these two undoes
        mean_share = 1 - self.beta1**self.steps
        square_share = 1 - self.beta2**self.steps

        for parameter, gradient, mean, square in zip(parameters, gradients, self.means, self.squares, strict=True):
            mean[...] = self.beta1 * mean + (1 - self.beta1) * gradient
            square[...] = self.beta2 * square + (1 - self.beta2) * gradient**2
            parameter -= self.learning_rate * (mean / mean_share) / (np.sqrt(square / square_share) + self.epsilon)


def momentum(learning_rate):
    return SGD(learning_rate, momentum=0.9)


OPTIMIZERS = {  # the name that flags and runs use: how it is made of a learning rate, and its usual one on patches
    "sgd": (SGD, 0.2),
    "momentum": (momentum, 0.02),
    "adam": (Adam, 0.003),
}


def make_optimizer(name, learning_rate=None):
    """The optimizer of a name in OPTIMIZERS, at a learning rate or its usual one."""
    make, usual = OPTIMIZERS[name]
    return make(usual if learning_rate is None else learning_rate)
