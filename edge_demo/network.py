"""The network: pixels in, logits out. This is the file to edit first.

A layer is any object with two methods:
- forward(inputs) returns the outputs;
- backward(grad_output) gets the slope of the loss for each output, and returns it for each input.

And, if it needs them, attributes:
- learned = ("weights", "bias"): names of arrays that training changes, of any shape; backward leaves the slope of the
  loss for each of their numbers in grad_weights and grad_bias.
- saved = ("mean", "variance"): names of arrays that are kept with a run, but not trained.
- training: where a layer has it, it is True while gradients are computed, else False. A layer that draws at random, as
  Dropout does, has a Generator of its own.
- layers: a list of layers inside it; what they learn and save is found, too. A Network is such a layer itself.

To try another activation, write its class below ReLU and put it into build_network.
"""

import numpy as np

from edge_demo.softmax import cross_entropy, cross_entropy_gradient, softmax


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

    learned = ("weights", "bias")

    def __init__(self, n_inputs, n_outputs, rng):
        self.weights = rng.normal(0.0, np.sqrt(2.0 / n_inputs), (n_inputs, n_outputs))
        self.bias = np.zeros(n_outputs)

    def forward(self, inputs):
        self.inputs = inputs
        return inputs @ self.weights + self.bias  # (n, inputs) -> (n, outputs)

    def backward(self, grad_output):
        self.grad_weights = self.inputs.T @ grad_output
        self.grad_bias = grad_output.sum(axis=0)
        return grad_output @ self.weights.T  # (n, outputs) -> (n, inputs)


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
        set_training(self, False)

    def forward(self, inputs):
        for layer in self.layers:
            inputs = layer.forward(inputs)
        return inputs

    def backward(self, grad_output):
        for layer in reversed(self.layers):
            grad_output = layer.backward(grad_output)
        return grad_output

    def logits(self, pixels):
        """Raw scores, (n, classes), any real number. Raises ValueError for pixels of another shape or not finite."""
        pixels = np.asarray(pixels, dtype=np.float64)
        if pixels.ndim != 2 or not np.isfinite(pixels).all():
            raise ValueError(f"pixels must be finite numbers of shape (n, inputs); these, {pixels.shape}, are not")
        return self.forward(pixels)

    def probabilities(self, pixels):
        """Softmax of the logits, (n, classes)."""
        return softmax(self.logits(pixels))

    def predict(self, pixels):
        """The class with the largest logit, (n,) integers."""
        return self.logits(pixels).argmax(axis=1)

    def loss(self, pixels, labels):
        """Mean cross-entropy in nats, a float: what training makes small."""
        return cross_entropy(self.logits(pixels), labels)

    def gradient(self, pixels, labels):
        """The slope of the loss for every number in parameters, a list of arrays like theirs, by backpropagation."""
        set_training(self, True)
        try:
            self.backward(cross_entropy_gradient(self.logits(pixels), labels))
        finally:
            set_training(self, False)
        return [getattr(layer, f"grad_{name}") for _, layer, name in self.learned_arrays()]

    @property
    def parameters(self):
        """The layers' own learned arrays, a list in the layers' order: changing one in place changes the layer."""
        return [getattr(layer, name) for _, layer, name in self.learned_arrays()]

    @property
    def arrays(self):
        """A dict of the layers' own arrays, learned and saved, by place and name: 2.weights, or 3.1.bias in layer 3."""
        return {
            f"{place}.{name}": getattr(layer, name)
            for place, layer in inner_layers(self)
            for name in (*getattr(layer, "learned", ()), *getattr(layer, "saved", ()))
        }

    def learned_arrays(self):
        """Yields place, layer and name of each array in parameters."""
        for place, layer in inner_layers(self):
            for name in getattr(layer, "learned", ()):
                yield place, layer, name


def inner_layers(layer, place=""):
    """Yields place and layer of all layers inside a layer, at any depth: 1, 2, 3, 3.1, 3.2, 4."""
    for number, inner in enumerate(getattr(layer, "layers", ()), start=1):
        yield f"{place}{number}", inner
        yield from inner_layers(inner, f"{place}{number}.")


def set_training(network, value):
    for _, layer in inner_layers(network):
        if hasattr(layer, "training"):
            layer.training = value


def build_network(inputs, hidden, classes, rng):
    """Center, then a Dense and a ReLU for each size in the list hidden (none for []), then a Dense to the logits."""
    layers, width = [Center(0.5)], inputs
    for size in hidden:
        layers += [Dense(width, size, rng), ReLU()]
        width = size
    return Network([*layers, Dense(width, classes, rng)])
