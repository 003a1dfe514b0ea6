"""What the demo's speed is held against: the floor of NumPy itself, scikit-learn, PyTorch, and plain Python.

Each makes one training step of the same network, 25-16-2 unless told otherwise, on the same patches.
"""

import importlib.util
import math
import random
import warnings
from itertools import pairwise

import numpy as np


def missing(*modules):
    """The modules that are not installed."""
    return [name for name in modules if importlib.util.find_spec(name) is None]


class Floor:
    """The matrix products of a training step and nothing else, with preallocated outputs: five for two layers.

    For each layer i: inputs[i] (n, inputs), weights[i] (inputs, outputs), errors[i] (n, outputs), the gradient of the
    loss with respect to its outputs. forward[i], grad_weights[i] and grad_inputs[i] are what the products give. The
    pixels need no gradient, so there is no grad_inputs[0].
    """

    def __init__(self, sizes, batch, rng):
        pairs = list(pairwise(sizes))
        self.weights = [rng.normal(size=pair) for pair in pairs]
        self.inputs = [rng.normal(size=(batch, size)) for size in sizes[:-1]]
        self.errors = [rng.normal(size=(batch, size)) for size in sizes[1:]]
        self.forward = [np.empty((batch, size)) for size in sizes[1:]]
        self.grad_weights = [np.empty(pair) for pair in pairs]
        self.grad_inputs = [np.empty((batch, size)) for size in sizes[:-1]]
        self.products = [(x, w, out) for x, w, out in zip(self.inputs, self.weights, self.forward, strict=True)]
        for i in reversed(range(len(pairs))):
            self.products.append((self.inputs[i].T, self.errors[i], self.grad_weights[i]))
            if i:
                self.products.append((self.errors[i], self.weights[i].T, self.grad_inputs[i]))

    def __call__(self):
        dot = np.dot
        for a, b, out in self.products:
            dot(a, b, out)


def scikit_learn_fit(pixels, labels, hidden, batch, optimizer, epochs):
    """A function that fits MLPClassifier for so many epochs of plain steps, without momentum, penalty or early stop."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        hidden, solver=optimizer, alpha=0.0, batch_size=batch, learning_rate_init=1e-3, momentum=0.0,
        max_iter=epochs, tol=0.0, n_iter_no_change=10**6, random_state=0,
    )  # fmt: skip

    def fit():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(pixels, labels)

    return fit


def torch_step(pixels, labels, hidden, classes, optimizer):
    """A function that makes one eager PyTorch step in float64 on a ready batch, on one thread."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    sizes = [pixels.shape[1], *hidden]
    layers = [part for a, b in pairwise(sizes) for part in (torch.nn.Linear(a, b), torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], classes)).double()
    loss_function = torch.nn.CrossEntropyLoss()
    optimizer = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer](model.parameters(), lr=1e-3)
    x, y = torch.from_numpy(pixels), torch.from_numpy(labels)

    def step():
        optimizer.zero_grad()
        loss_function(model(x), y).backward()
        optimizer.step()

    return step


class Value:
    """A number that remembers how it was computed, as in micrograd: enough of it for a small ReLU network."""

    __slots__ = ("data", "grad", "parents")

    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents  # parents: pairs of a Value and a derivative

    def __add__(self, other):
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def relu(self):
        return Value(max(self.data, 0.0), ((self, float(self.data > 0)),))

    def exp(self):
        e = math.exp(self.data)
        return Value(e, ((self, e),))

    def log(self):
        return Value(math.log(self.data), ((self, 1.0 / self.data),))

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            value, done = stack.pop()
            if done:
                order.append(value)
            elif id(value) not in seen:
                seen.add(id(value))
                stack.append((value, True))
                stack += [(parent, False) for parent, _ in value.parents]
        self.grad = 1.0
        for value in reversed(order):
            for parent, derivative in value.parents:
                parent.grad += derivative * value.grad


def per_value_step(sizes, rate=1e-3):
    """A function that makes a step on one patch, number by number; a batch of n takes n times as long."""
    draw = random.Random(0)
    layers = [
        [[Value(draw.gauss(0, 0.3)) for _ in range(inputs + 1)] for _ in range(outputs)]
        for inputs, outputs in pairwise(sizes)
    ]
    pixels = [Value(draw.random()) for _ in range(sizes[0])]
    minus = Value(-1.0)

    def step():
        values = pixels
        for depth, layer in enumerate(layers):
            outputs = []
            for *weights, bias in layer:
                total = bias
                for weight, value in zip(weights, values, strict=True):
                    total = total + weight * value
                outputs.append(total if depth == len(layers) - 1 else total.relu())
            values = outputs
        total = values[0].exp()
        for value in values[1:]:
            total = total + value.exp()
        loss = total.log() + minus * values[0]
        loss.backward()
        for layer in layers:
            for unit in layer:
                for weight in unit:
                    weight.data -= rate * weight.grad
                    weight.grad = 0.0

    return step
