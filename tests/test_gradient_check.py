"""The gradient check: what is right passes, each deliberate fault is caught, for any seed, size and activation."""

import numpy as np
import pytest

from edge_demo.checks import check_gradient
from edge_demo.network import Center, Dense, Network, ReLU, build_network
from edge_demo.softmax import SoftmaxCrossEntropy

RIGHT, WRONG = 1e-4, 1e-3  # below the one, above the other, as the docstring promises


class LeakyReLU:
    def __init__(self, slope=0.02):
        self.slope = slope

    def forward(self, inputs):
        self.slopes = np.where(inputs > 0.0, 1.0, self.slope)
        return inputs * self.slopes

    def backward(self, grad_output):
        return grad_output * self.slopes


class Tanh:
    def forward(self, inputs):
        self.outputs = np.tanh(inputs)
        return self.outputs

    def backward(self, grad_output):
        return grad_output * (1.0 - self.outputs**2)


class Abs:
    def forward(self, inputs):
        self.signs = np.sign(inputs)
        return np.abs(inputs)

    def backward(self, grad_output):
        return grad_output * self.signs


class MaxPool:
    """Of each unit and its right neighbour (at the last one: the first) the larger, so that any number will do."""

    def forward(self, inputs):
        neighbours = np.roll(inputs, -1, axis=1)
        self.own = inputs >= neighbours
        return np.maximum(inputs, neighbours)

    def backward(self, grad_output):
        return grad_output * self.own + np.roll(grad_output * ~self.own, 1, axis=1)


ACTIVATIONS = [ReLU, LeakyReLU, Tanh, Abs, MaxPool]


def make(activation, units, seed, largest=1.0, dense=Dense):
    """A network with one hidden layer, and 32 random patches of pixels from 0 to largest for it."""
    rng = np.random.default_rng([seed, units])
    layers = [Center(largest / 2), dense(25, units, rng), activation(), dense(units, 2, rng)]
    return Network(layers), rng.uniform(0.0, largest, (32, 25)), rng.integers(2, size=32)


@pytest.mark.parametrize("largest", [1.0, 255.0])
@pytest.mark.parametrize("units", [1, 3, 64, 128])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_right_gradient_passes(activation, units, largest):
    for seed in range(5):
        network, pixels, labels = make(activation, units, seed, largest)
        assert check_gradient(network, pixels, labels, most=50) < RIGHT


@pytest.mark.parametrize("largest", [1.0, 255.0])
@pytest.mark.parametrize("hidden", [[], [7], [12, 5], [5, 4, 3]], ids=str)
def test_any_number_of_layers_and_classes_passes(hidden, largest):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        network = build_network(25, hidden, 7, rng)
        pixels, labels = rng.uniform(0.0, largest, (20, 25)), rng.integers(7, size=20)
        error = check_gradient(network, pixels, labels, most=100)
        assert isinstance(error, float)
        assert error < RIGHT


@pytest.mark.parametrize("rows", [1, 32])
def test_a_network_that_is_sure_and_right_passes(rows):
    """Its loss is 0 in float64, and p - y is no more than what rounding leaves."""
    for seed in range(10):
        network, pixels, _ = make(Abs, 16, seed, largest=2550.0)
        sure = np.abs(np.diff(network.logits(pixels)))[:, 0] > 40.0
        pixels = pixels[sure][:rows]
        assert check_gradient(network, pixels, network.predict(pixels), most=50) < RIGHT


@pytest.mark.parametrize("size", [1e3, 1e5])
def test_large_logits_that_nearly_agree_pass(size):
    """Their loss is small, but its digits are those that the logits leave."""
    for seed in range(10):
        network, pixels, labels = make(Tanh, 16, seed)
        network.layers[-1].bias += size
        assert check_gradient(network, pixels, labels, most=50) < RIGHT


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("layers", [1, 2])
def test_patches_exactly_at_every_kink_are_no_false_alarm(activation, layers):
    """Mid-grey patches and biases of 0: each unit of each layer receives exactly 0, and each slope is right."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        hidden = [layer for _ in range(layers) for layer in (Dense(25, 25, rng), activation())]
        network = Network([Center(0.5), *hidden, Dense(25, 2, rng)])
        assert not network.logits(np.full((1, 25), 0.5)).any()
        pixels, labels = rng.uniform(0.0, 1.0, (12, 25)), rng.integers(2, size=12)
        pixels[:9] = 0.5
        assert check_gradient(network, pixels, labels, most=25) < RIGHT


# Each fault below is a part of a network that stands in for the right one.
class TwiceTheWeights(Dense):
    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        self.grad_weights *= 2.0
        return grad_input


class NoBias(Dense):
    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        self.grad_bias *= 0.0
        return grad_input


class TransposedGradient(Dense):
    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        self.grad_weights = self.grad_weights.T
        return grad_input


class ReadColumnByColumn(Dense):
    def backward(self, grad_output):
        super().backward(grad_output)
        return grad_output @ self.weights.reshape(self.weights.shape[::-1])


class NegativeInput(Dense):
    def backward(self, grad_output):
        return -super().backward(grad_output)


class WrongInTheLastRow(Dense):
    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        self.grad_weights[-1] *= 2.0
        return grad_input


class NotANumber(Dense):
    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        self.grad_bias[0] = np.nan
        return grad_input


class AlwaysOn(ReLU):
    def backward(self, grad_output):
        return grad_output


class HalfTheSlope(LeakyReLU):
    def backward(self, grad_output):
        return np.where(self.slopes == 1.0, grad_output, 0.01 * grad_output)


class OneWrongUnit(ReLU):
    """The unit with the largest gradient, since a dead one is right whatever its factor is."""

    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        grad_input[:, np.abs(grad_input).sum(axis=0).argmax()] *= 1.1
        return grad_input


@pytest.mark.parametrize("largest", [1.0, 255.0])
@pytest.mark.parametrize("units", [2, 64, 128])
@pytest.mark.parametrize(
    ("activation", "dense"),
    [
        (LeakyReLU, TwiceTheWeights),
        (LeakyReLU, NoBias),
        (LeakyReLU, TransposedGradient),
        (LeakyReLU, ReadColumnByColumn),
        (LeakyReLU, NegativeInput),
        (LeakyReLU, NotANumber),
        (AlwaysOn, Dense),
        (HalfTheSlope, Dense),
    ],
    ids=lambda part: part.__name__,
)
def test_a_wrong_gradient_is_caught(activation, dense, units, largest):
    for seed in range(3):
        network, pixels, labels = make(activation, units, seed, largest, dense)
        assert check_gradient(network, pixels, labels, most=10) > WRONG


@pytest.mark.parametrize("largest", [1.0, 255.0])
@pytest.mark.parametrize("units", [1, 64, 128])
def test_one_wrong_unit_is_caught(units, largest):
    for seed in range(2):
        network, pixels, labels = make(OneWrongUnit, units, seed, largest)
        assert check_gradient(network, pixels, labels, most=128) > WRONG


LOSS_FAULTS = {
    "gradient not divided by n": ("backward", lambda right: lambda output: right(output) * 32),
    "gradient of the other sign": ("backward", lambda right: lambda output: -right(output)),
    "loss halved": ("forward", lambda right: lambda output, *batch: right(output, *batch) / 2),
}


@pytest.mark.parametrize("largest", [1.0, 255.0])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("method", "fault"), LOSS_FAULTS.values(), ids=LOSS_FAULTS)
def test_a_loss_and_a_gradient_that_differ_are_caught(monkeypatch, method, fault, activation, largest):
    monkeypatch.setattr(SoftmaxCrossEntropy, method, fault(getattr(SoftmaxCrossEntropy, method)))
    for units in (1, 64):
        network, pixels, labels = make(activation, units, 0, largest)
        assert check_gradient(network, pixels, labels, most=10) > WRONG


@pytest.mark.parametrize("dense", [Dense, TwiceTheWeights])
def test_the_network_stays_as_it_was(dense):
    network, pixels, labels = make(ReLU, 8, 0, dense=dense)
    network.parameters[0][0] = 1e-20  # moving it there and back would round it to 0
    arrays, before = network.parameters, [array.tobytes() for array in network.parameters]
    check_gradient(network, pixels, labels)
    assert [array.tobytes() for array in network.parameters] == before
    assert all(now is then for now, then in zip(network.parameters, arrays, strict=True))


def test_at_most_so_many_values_of_each_array_are_checked(monkeypatch):
    right, moved = Network.loss, set()
    network, pixels, labels = make(Tanh, 16, 0)

    def loss(network, pixels, labels):
        moved.add(tuple(array.tobytes() for array in network.parameters))
        return right(network, pixels, labels)

    monkeypatch.setattr(Network, "loss", loss)
    check_gradient(network, pixels, labels, most=3)
    (rest,) = [place for place in moved if all(sum(map(bytes.__ne__, place, other)) <= 1 for other in moved)]
    for number, count in enumerate([3, 3, 3, 2]):  # the last bias has two values
        places = {place[number] for place in moved} - {rest[number]}
        values = np.array([np.frombuffer(place) for place in places])
        assert np.count_nonzero((values != np.frombuffer(rest[number])).any(axis=0)) == count


def test_the_values_that_are_checked_lie_all_over_an_array():
    network, pixels, labels = make(ReLU, 64, 0, dense=WrongInTheLastRow)
    assert check_gradient(network, pixels, labels, most=200) > WRONG
