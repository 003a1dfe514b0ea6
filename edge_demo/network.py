"""The network: pixels in, logits out. This is the file to edit first.

A layer is any object with forward(inputs) and backward(grad_output). To try another activation, write its class
below ReLU and put it into build_network. All weights live in one flat vector, of which each Dense layer holds views.
"""

import numpy as np

from edge_demo.files import load_blocks, save_blocks
from edge_demo.softmax import SoftmaxCrossEntropy, softmax


class Center:
    """Subtracts a constant, so that mid-grey pixels become 0: the first Dense layer then learns faster."""

    def __init__(self, value):
        self.value = value

    def forward(self, inputs):
        return inputs - self.value

    def backward(self, grad_output):
        return grad_output


class Dense:
    """inputs @ weights + bias: every output is a weighted sum of all inputs."""

    passes_down = True  # False in a network's first layer: the pixels below it need no gradient

    def __init__(self, inputs, outputs):
        self.parameter_shape = (inputs + 1, outputs)  # the last row is the bias: weights of an input of 1
        self.bind(np.zeros(self.parameter_shape), np.zeros(self.parameter_shape))
        self.inputs_and_1 = np.ones((0, inputs + 1))

    def bind(self, parameters, gradient):
        """Takes its part of the network's flat vectors, both (inputs + 1, outputs), as views."""
        self.parameters, self.weights, self.bias = parameters, parameters[:-1], parameters[-1]
        self.gradient, self.grad_weights, self.grad_bias = gradient, gradient[:-1], gradient[-1]

    def initialize(self, rng):
        """He et al. 2015: a variance of 2 / inputs keeps the signal's size through Dense and ReLU. Bias 0."""
        self.weights[:] = rng.normal(0.0, np.sqrt(2.0 / len(self.weights)), self.weights.shape)

    def forward(self, inputs):
        if inputs.ndim != 2 or inputs.shape[1] != len(self.weights):
            raise ValueError(f"Dense{self.weights.shape} needs an array (n, {len(self.weights)}), not {inputs.shape}")
        if len(inputs) != len(self.inputs_and_1):
            self.inputs_and_1 = np.ones((len(inputs), len(self.parameters)))
        self.inputs_and_1[:, :-1] = inputs
        return np.dot(self.inputs_and_1, self.parameters)  # (n, inputs + 1) -> (n, outputs)

    def backward(self, grad_output):
        np.dot(self.inputs_and_1.T, grad_output, out=self.gradient)
        return np.dot(grad_output, self.weights.T) if self.passes_down else 0.0  # (n, outputs) -> (n, inputs)


class ReLU:
    """max(0, x), as x times 1 or 0: without it, two Dense layers would be no more than one."""

    def forward(self, inputs):
        self.mask = (inputs > 0.0).astype(np.float64)
        return inputs * self.mask

    def backward(self, grad_output):
        return grad_output * self.mask


class Network:
    """Layers that turn pixels (n, inputs) into logits (n, classes); rng draws their initial weights."""

    def __init__(self, layers, rng):
        self.layers, self.output = list(layers), SoftmaxCrossEntropy()
        self._trainable = [layer for layer in self.layers if hasattr(layer, "parameter_shape")]
        self._parameters = np.zeros(sum(np.prod(layer.parameter_shape) for layer in self._trainable))
        self._bind()
        for layer in self._trainable:
            layer.initialize(rng)

    def logits(self, pixels):
        """Raw scores, (n, classes), any real number; computed in blocks, whose activations stay in the cache."""
        return np.concatenate([self._forward(pixels[i : i + 512]) for i in range(0, len(pixels) or 1, 512)])

    def _forward(self, pixels):
        activations = np.asarray(pixels, dtype=np.float64)
        for layer in self.layers:
            activations = layer.forward(activations)
        return activations

    def probabilities(self, pixels):
        """Softmax of the logits, (n, classes)."""
        return softmax(self.logits(pixels))

    def predict(self, pixels):
        """The class with the largest logit, (n,) integers."""
        return self.logits(pixels).argmax(axis=1)

    def loss(self, pixels, labels, weights=None):
        """Mean cross-entropy in nats, a float; weights (n,), where given, multiply each patch's part."""
        return self.output.forward(self.logits(pixels), labels, weights)

    def gradient(self, pixels, labels, weights=None):
        """Gradient of loss(pixels, labels, weights) for every parameter, a new flat vector like parameters."""
        self.batch_loss = self.output.forward(self._forward(pixels), labels, weights)
        grad = self.output.backward()
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return self._gradient.copy()

    @property
    def parameters(self):
        """All weights and biases as one flat float64 vector; the layers hold views of it."""
        return self._parameters

    @parameters.setter
    def parameters(self, values):
        self._parameters[:] = values

    def _blocks(self, flat):
        """A flat vector cut into a view for each trainable layer."""
        shapes = [layer.parameter_shape for layer in self._trainable]
        parts = np.split(flat, np.cumsum([np.prod(shape) for shape in shapes]))
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=False)]

    def _bind(self):
        self._gradient = np.zeros_like(self._parameters)
        for layer, *views in zip(self._trainable, *map(self._blocks, (self._parameters, self._gradient)), strict=True):
            layer.bind(*views)
            layer.passes_down = layer is not self._trainable[0]

    def __setstate__(self, state):  # copied or unpickled arrays are no longer views
        self.__dict__.update(state)
        self._bind()

    def save(self, path):
        """Writes an .npz file of one array a layer, (inputs + 1, outputs), the bias as its last row."""
        save_blocks(path, self._blocks(self.parameters))

    def load(self, path):
        """Reads what save wrote. Raises ValueError, naming both shapes, if the file holds another network."""
        load_blocks(path, self._blocks(self.parameters))


def build_network(inputs, hidden, classes, rng):
    """Center, then a Dense and a ReLU for each size in the list hidden (none for []), then a Dense to the logits."""
    layers = [Center(0.5)]
    for size in hidden:
        layers += [Dense(inputs, size), ReLU()]
        inputs = size
    return Network([*layers, Dense(inputs, classes)], rng)
