"""The network: pixels in, logits out. This is the file to edit first.

A layer is any object with forward(inputs) and backward(grad_output). To try another activation, write its class
below ReLU and put it into build_network. A layer that learns has weights and a bias too, as Dense has.
"""

import io
from copy import copy

import numpy as np

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
    """inputs @ weights + bias: every output is a weighted sum of all inputs.

    The weights are drawn from rng as by He et al. 2015: a variance of 2 / inputs keeps the signal's size through
    Dense and ReLU. The bias begins at 0.
    """

    def __init__(self, inputs, outputs, rng):
        self.weights = rng.normal(0.0, np.sqrt(2.0 / inputs), (inputs, outputs))
        self.bias = np.zeros(outputs)

    def forward(self, inputs):
        if inputs.ndim != 2 or inputs.shape[1] != len(self.weights):
            raise ValueError(f"Dense{self.weights.shape} needs an array (n, {len(self.weights)}), not {inputs.shape}")
        self.inputs = inputs
        outputs = inputs @ self.weights  # (n, inputs) -> (n, outputs)
        outputs += self.bias
        return outputs

    def backward(self, grad_output):
        self.grad_weights = self.inputs.T @ grad_output
        self.grad_bias = grad_output.sum(axis=0)
        return grad_output @ self.weights.T  # (n, outputs) -> (n, inputs)

    def __setattr__(self, name, value):
        """New weights, or a new bias, take effect as float64. Raises ValueError where their shape is another."""
        if name in ("weights", "bias"):
            value = np.array(value, dtype=np.float64)
            former = getattr(self, name, value)
            if value.shape != former.shape:
                raise ValueError(f"{name} must be of shape {former.shape}, as before, not {value.shape}")
        super().__setattr__(name, value)


class ReLU:
    """max(0, x): without it, two Dense layers would be no more than one."""

    def forward(self, inputs):
        self.inputs = inputs
        return np.maximum(inputs, 0.0)

    def backward(self, grad_output):
        return grad_output * (self.inputs > 0.0)


class Network:
    """Layers that turn pixels (n, inputs) into logits (n, classes)."""

    def __init__(self, layers):
        self.layers = list(layers)

    def logits(self, pixels):
        """Raw scores, (n, classes), any real number.

        Copies of the layers compute them: what a forward notes down for its backward stays in the copy, so that
        several threads can ask the same network at once.
        """
        activations = np.asarray(pixels, dtype=np.float64)
        for layer in self.layers:
            activations = copy(layer).forward(activations)
        return activations

    def probabilities(self, pixels):
        """Softmax of the logits, (n, classes)."""
        return softmax(self.logits(pixels))

    def predict(self, pixels):
        """The class with the largest logit, (n,) integers."""
        return self.logits(pixels).argmax(axis=1)

    def loss(self, pixels, labels, weights=None):
        """Mean cross-entropy in nats, a float; weights (n,), where given, multiply each patch's part."""
        return SoftmaxCrossEntropy().forward(self.logits(pixels), labels, weights)

    def gradient(self, pixels, labels, weights=None):
        """Gradient of loss(pixels, labels, weights), by backpropagation: an array for each one in parameters."""
        activations = np.asarray(pixels, dtype=np.float64)
        for layer in self.layers:
            activations = layer.forward(activations)

        output = SoftmaxCrossEntropy()
        output.forward(activations, labels, weights)

        grad = output.backward()
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

        return [array for layer in self._learning_layers() for array in (layer.grad_weights, layer.grad_bias)]

    @property
    def parameters(self):
        """The layers' own weights and biases, a list of arrays in the layers' order: changing one changes the layer."""
        return [array for layer in self._learning_layers() for array in (layer.weights, layer.bias)]

    def _learning_layers(self):
        return [layer for layer in self.layers if hasattr(layer, "weights")]

    def save(self, path):
        """Writes an .npz file of the parameters, named weights1, bias1, weights2, … in the layers' order."""
        archive = io.BytesIO()  # in memory first, so that a full disk is one plain error
        np.savez(archive, **dict(zip(self._names(), self.parameters, strict=True)))
        with open(path, "wb") as file:
            file.write(archive.getbuffer())

    def load(self, path):
        """Reads what save wrote. Raises ValueError, naming both shapes, if the file holds another network."""
        try:
            with np.load(path, allow_pickle=False) as file:
                found = {name: file[name] for name in file.files}
        except OSError:
            raise
        except Exception as error:  # a damaged archive fails in a dozen ways
            raise ValueError(f"{path} is not an .npz file that Network.save wrote") from error
        expected = dict(zip(self._names(), self.parameters, strict=True))
        shapes = [{name: array.shape for name, array in arrays.items()} for arrays in (found, expected)]
        if shapes[0] != shapes[1]:
            raise ValueError(f"{path} holds arrays of shapes {shapes[0]}, but this network has {shapes[1]}")
        if not all(array.dtype.kind in "fiu" and np.isfinite(array).all() for array in found.values()):
            raise ValueError(f"{path} holds a weight that is not a finite number")
        for name, array in expected.items():
            array[:] = found[name]

    def _names(self):
        learning = range(1, len(self._learning_layers()) + 1)
        return [f"{what}{number}" for number in learning for what in ("weights", "bias")]


def build_network(inputs, hidden, classes, rng):
    """Center, then a Dense and a ReLU for each size in the list hidden (none for []), then a Dense to the logits."""
    layers = [Center(0.5)]
    for size in hidden:
        layers += [Dense(inputs, size, rng), ReLU()]
        inputs = size
    return Network([*layers, Dense(inputs, classes, rng)])
