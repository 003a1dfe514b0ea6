"""The network: formulas written out anew, numeric derivatives with random upstream gradients, own layers, threads."""

import copy
import math
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
import scipy.special

from edge_demo.checks import check_gradient
from edge_demo.datasets.patches import Patches
from edge_demo.network import Center, Dense, Network, ReLU, build_network
from edge_demo.optimizers import SGD
from edge_demo.training import train


class Tanh:  # all that a user writes for another activation
    def forward(self, inputs):
        outputs = np.tanh(inputs)
        self.outputs = outputs
        return outputs

    def backward(self, grad_output):
        return grad_output * (1 - self.outputs**2)


class LeakyReLU:
    def forward(self, inputs):
        self.slope = np.where(inputs > 0, 1.0, 0.01)
        return inputs * self.slope

    def backward(self, grad_output):
        return grad_output * self.slope


def make(hidden=(5, 3), classes=2, seed=0, activation=ReLU):
    """A network of 25 inputs with random parameters, biases too."""
    rng = np.random.default_rng(seed)
    network = build_network(25, hidden, classes, rng)
    for parameter in network.parameters:
        parameter[:] = rng.normal(0, 0.5, parameter.shape)
    network.layers = [activation() if isinstance(layer, ReLU) else layer for layer in network.layers]
    return network


def batch(n=6, classes=2, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(0.5, 0.4, (n, 25)), rng.integers(classes, size=n)


def dense_layers(network):
    return [layer for layer in network.layers if isinstance(layer, Dense)]


def assert_same(arrays, expected):
    for array, other in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, other)


# ------------------------------------------------------------------------------------------------ values


@pytest.mark.shipped
@pytest.mark.parametrize("hidden", [[], [4], [5, 3]], ids=str)
def test_build_network_makes_the_layers_it_describes(hidden):
    network = build_network(25, hidden, 7, np.random.default_rng(0))
    assert [type(layer) for layer in network.layers] == [Center, *[Dense, ReLU] * len(hidden), Dense]
    assert [layer.weights.shape for layer in dense_layers(network)] == list(pairwise([25, *hidden, 7]))
    assert [layer.bias.shape for layer in dense_layers(network)] == [(size,) for size in [*hidden, 7]]


def test_initial_weights_have_the_variance_of_he_and_biases_are_zero():
    layer = Dense(400, 300, np.random.default_rng(3))
    assert not layer.bias.any()
    assert layer.weights.var() == pytest.approx(2 / 400, rel=5 * np.sqrt(2 / layer.weights.size))
    assert abs(layer.weights.mean()) < 5 * np.sqrt(2 / 400 / layer.weights.size)


def test_the_same_seed_gives_the_same_parameters():
    first, same, other = (build_network(25, [4], 2, np.random.default_rng(seed)).parameters for seed in (0, 0, 1))
    assert_same(first, same)
    assert not np.array_equal(first[0], other[0])


@pytest.mark.shipped
@pytest.mark.parametrize("hidden", [(), (4,), (5, 3)])
def test_logits_equal_a_sum_written_out_neuron_by_neuron(hidden):
    network, (pixels, _) = make(hidden, classes=3), batch()
    for patch, logits in zip(pixels, network.logits(pixels), strict=True):
        signal = [pixel - 0.5 for pixel in patch]
        for layer in dense_layers(network):
            sums = [math.fsum([*(w * s for w, s in zip(column, signal, strict=True)), b])
                    for column, b in zip(layer.weights.T, layer.bias, strict=True)]  # fmt: skip
            signal = [max(0.0, value) for value in sums]
        np.testing.assert_allclose(logits, sums, rtol=1e-12, atol=1e-13)


def test_probabilities_are_the_softmax_of_the_logits_and_predict_takes_the_largest():
    network, (pixels, _) = make(classes=3), batch()
    logits = network.logits(pixels)
    np.testing.assert_allclose(network.probabilities(pixels), scipy.special.softmax(logits, axis=1), rtol=1e-12)
    assert network.predict(pixels).tolist() == [max(range(3), key=list(row).__getitem__) for row in logits]


def test_pixels_of_half_the_precision_are_computed_with_in_full():
    half = batch()[0].astype(np.float32)
    np.testing.assert_array_equal(make().logits(half), make().logits(half.astype(np.float64)))


@pytest.mark.parametrize("shape", [(3, 24), (25,), (3, 5, 5)], ids=str)
def test_pixels_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"25|(n, inputs)"):
        make().logits(np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("question", ["logits", "probabilities", "predict"])
def test_pixels_that_are_no_numbers_are_refused_whatever_is_asked(question, value):
    pixels = batch()[0]
    pixels[2, 3] = value
    with pytest.raises(ValueError, match="pixels must be finite"):
        getattr(make(), question)(pixels)


# ------------------------------------------------------------------------------------------------ gradients

LAYERS = [Center(0.5), Dense(4, 3, np.random.default_rng(9)), ReLU(), Tanh(), LeakyReLU()]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_backward_is_the_derivative_of_forward_for_a_random_upstream_gradient(layer):
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(5, 4))
    upstream = rng.normal(size=layer.forward(inputs).shape)
    moved = [(inputs, layer.backward(upstream))]
    moved += [(getattr(layer, name), getattr(layer, f"grad_{name}")) for name in getattr(layer, "learned", ())]
    for values, derivative in moved:
        for index in np.ndindex(values.shape):
            value, sums = values[index], []
            for step in (1e-6, -1e-6):
                values[index] = value + step
                sums.append((layer.forward(inputs) * upstream).sum())
            values[index] = value
            assert derivative[index] == pytest.approx((sums[0] - sums[1]) / 2e-6, abs=1e-7)


def test_at_zero_a_relu_passes_nothing_back():
    layer = ReLU()
    layer.forward(np.array([[-1.0, 0.0, 1.0]]))
    assert layer.backward(np.ones((1, 3))).tolist() == [[0, 0, 1]]


def test_loss_and_gradient_of_a_batch_are_the_mean_over_its_patches():
    network, (pixels, labels) = make(), batch(4)
    singles = [(pixels[i : i + 1], labels[i : i + 1]) for i in range(4)]
    assert network.loss(pixels, labels) == pytest.approx(np.mean([network.loss(*s) for s in singles]), rel=1e-12)
    parts = [network.gradient(*single) for single in singles]
    for i, array in enumerate(network.gradient(pixels, labels)):
        np.testing.assert_allclose(array, np.mean([part[i] for part in parts], axis=0), atol=1e-15)


def test_a_gradient_is_not_changed_by_the_next_one():
    network = make()
    first = network.gradient(*batch(seed=1))
    kept = copy.deepcopy(first)
    assert not np.array_equal(network.gradient(*batch(seed=2))[0], kept[0])
    assert_same(first, kept)


# ------------------------------------------------------------------------------------------------ layers of one's own


class Scale:
    """Learns one number, of shape (1,), and keeps how often it was asked for one while gradients are computed."""

    learned, saved = ("factor",), ("count",)

    def __init__(self):
        self.training = True  # as a careless layer begins: a Network takes it back
        self.factor, self.count = np.array([1.5]), np.zeros(())

    def forward(self, inputs):
        self.inputs = inputs
        self.count += self.training
        return self.factor * inputs

    def backward(self, grad_output):
        self.grad_factor = np.array([(grad_output * self.inputs).sum()])
        return self.factor * grad_output


class Residual:
    """inputs + what the layers inside make of them."""

    def __init__(self, *layers):
        self.inside = Network(layers)
        self.layers = self.inside.layers

    def forward(self, inputs):
        return inputs + self.inside.forward(inputs)

    def backward(self, grad_output):
        return grad_output + self.inside.backward(grad_output)


def own_network():
    rng = np.random.default_rng(0)
    inside = Residual(Dense(25, 25, rng), Residual(Scale(), Tanh()))
    return Network([Center(0.5), Network([LeakyReLU(), inside]), Scale(), Dense(25, 2, rng)])


def test_arrays_are_found_at_any_depth_and_named_by_place():
    network = own_network()
    inside = network.layers[1].layers[1].layers
    assert {name: array.shape for name, array in network.arrays.items()} == {
        "2.2.1.weights": (25, 25),
        "2.2.1.bias": (25,),
        "2.2.2.1.factor": (1,),
        "2.2.2.1.count": (),
        "3.factor": (1,),
        "3.count": (),
        "4.weights": (25, 2),
        "4.bias": (2,),
    }
    assert network.arrays["2.2.2.1.factor"] is inside[1].layers[0].factor
    learned = [array for name, array in network.arrays.items() if not name.endswith("count")]
    assert all(a is b for a, b in zip(network.parameters, learned, strict=True))


def test_layers_of_any_depth_are_trained_by_the_slopes_that_their_backward_leaves():
    network = own_network()
    assert check_gradient(network, *batch()) < 1e-6
    before = copy.deepcopy(network.parameters)
    rng = np.random.default_rng(0)
    losses = train(network, Patches(*batch(40)), epochs=9, batch_size=8, optimizer=SGD(0.05), rng=rng).train_loss
    assert losses[-1] < losses[0]
    assert all((array != other).any() for array, other in zip(network.parameters, before, strict=True))


def test_training_is_true_while_gradients_are_computed_and_false_otherwise_also_after_an_error():
    network, (pixels, labels) = own_network(), batch()
    scales = network.layers[2], network.layers[1].layers[1].layers[1].layers[0]
    network.logits(pixels)
    network.gradient(pixels, labels)
    network.loss(pixels, labels)
    assert [scale.count for scale in scales] == [1, 1]
    network.layers[0].backward = None
    with pytest.raises(TypeError):
        network.gradient(pixels, labels)
    assert [scale.training for scale in scales] == [False, False]


# ------------------------------------------------------------------------------------------------ threads


class SlowTanh(Tanh):
    """Leaves other threads time between noting its outputs and returning them."""

    def forward(self, inputs):
        outputs = np.tanh(inputs)
        self.outputs = outputs
        time.sleep(1e-4)
        return outputs


@pytest.mark.parametrize("activation", [ReLU, SlowTanh])
def test_four_threads_at_once_get_the_right_rows(activation):
    network = make(hidden=(32, 16), activation=activation)
    questions = [batch(300, seed=seed)[0] for seed in range(20)]
    expected = [network.logits(pixels) for pixels in questions]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(network.logits, questions * 10))
    assert_same(answers, expected * 10)
