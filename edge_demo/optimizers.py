"""Optimizers: how a gradient changes the parameters.

Both lists, of parameters and of their gradient, hold an array for each of the network's weights and biases; the
parameters are changed in place. Any object with step(parameters, gradient) and a learning_rate will do.
"""

import numpy as np


class SGD:
    """Stochastic gradient descent: a step downhill, with momentum along a decaying sum of past gradients."""

    def __init__(self, learning_rate, momentum=0.0):
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = []  # with momentum: that sum, an array for each parameter

    def step(self, parameters, gradient):
        direction = gradient
        if self.momentum:
            former = self.velocity or [0.0] * len(gradient)
            self.velocity = [self.momentum * v + grad for v, grad in zip(former, gradient, strict=True)]
            direction = self.velocity

        for parameter, slope in zip(parameters, direction, strict=True):
            parameter -= self.learning_rate * slope


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1): a step size of its own for each parameter."""

    def __init__(self, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.steps = 0
        self.mean = []
        self.mean_square = []

    def step(self, parameters, gradient):
        if not self.mean:
            self.mean = [np.zeros_like(parameter) for parameter in parameters]
            self.mean_square = [np.zeros_like(parameter) for parameter in parameters]
        self.steps += 1
        unbias_mean = 1 - self.beta1**self.steps  # both averages start at 0, which these two numbers undo
        unbias_square = 1 - self.beta2**self.steps

        for parameter, grad, mean, mean_square in zip(parameters, gradient, self.mean, self.mean_square, strict=True):
            mean *= self.beta1
            mean += (1 - self.beta1) * grad
            mean_square *= self.beta2
            mean_square += (1 - self.beta2) * grad**2
            step = (mean / unbias_mean) / (np.sqrt(mean_square / unbias_square) + self.epsilon)
            parameter -= self.learning_rate * step


def make_optimizer(name, learning_rate):
    """The optimizer of a name that flags and runs use: "sgd", "momentum" (SGD with a momentum of 0.9) or "adam"."""
    if name == "adam":
        return Adam(learning_rate)
    return SGD(learning_rate, momentum=0.9 if name == "momentum" else 0.0)
