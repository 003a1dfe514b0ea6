"""Optimizers: how a gradient changes the parameters.

Both work on one flat vector, in place. Any object with step(parameters, gradient) and a learning_rate will do.
"""

import numpy as np


class SGD:
    """Stochastic gradient descent: a step downhill, with momentum along a decaying sum of past gradients."""

    def __init__(self, learning_rate, momentum=0.0):
        self.learning_rate, self.momentum, self.velocity = learning_rate, momentum, 0.0

    def step(self, parameters, gradient):
        self.velocity = self.momentum * self.velocity + gradient if self.momentum else gradient
        parameters -= self.learning_rate * self.velocity


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1): a step size of its own for each parameter."""

    def __init__(self, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.steps, self.mean, self.mean_square = 0, 0.0, 0.0

    def step(self, parameters, gradient):
        self.steps += 1
        self.mean = self.beta1 * self.mean + (1 - self.beta1) * gradient
        self.mean_square = self.beta2 * self.mean_square + (1 - self.beta2) * gradient**2
        unbias = np.sqrt(1 - self.beta2**self.steps)  # both averages start at 0, which these two numbers undo
        rate = self.learning_rate * unbias / (1 - self.beta1**self.steps)
        parameters -= rate * self.mean / (np.sqrt(self.mean_square) + self.epsilon * unbias)
