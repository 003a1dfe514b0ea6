"""The network: formulas written out anew, numeric derivatives with random upstream gradients, threads and files."""

import copy
import math
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
import scipy.special

from edge_demo.checks import check_gradient
from edge_demo.datasets.patches import Patches
from edge_demo.network import Center, Dense, ReLU, build_network
from edge_demo.optimizers import SGD
from edge_demo.training import train


class Tanh:  # all that a user writes for another activation
    def forward(self, inputs):
        self.outputs = np.tanh(inputs)
        return self.outputs

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
def test_pixels_of_another_width_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(n, 25\), not \(" + str(shape)[1:-1]):
        make().logits(np.zeros(shape))


# ------------------------------------------------------------------------------------------------ gradients

LAYERS = [Center(0.5), Dense(4, 3, np.random.default_rng(9)), ReLU(), Tanh(), LeakyReLU()]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_backward_is_the_derivative_of_forward_for_a_random_upstream_gradient(layer):
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(5, 4))
    upstream = rng.normal(size=layer.forward(inputs).shape)
    moved = [(inputs, layer.backward(upstream))]
    if isinstance(layer, Dense):
        moved += [(layer.weights, layer.grad_weights), (layer.bias, layer.grad_bias)]
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


def test_a_linear_network_has_the_gradient_of_the_closed_form():
    network, (pixels, labels) = make(hidden=(), classes=3), batch(20, 3)
    weights, bias = network.parameters
    error = scipy.special.softmax((pixels - 0.5) @ weights + bias, axis=1) - np.eye(3)[labels]
    grad_weights, grad_bias = network.gradient(pixels, labels)
    np.testing.assert_allclose(grad_weights, (pixels - 0.5).T @ error / 20, atol=1e-14)
    np.testing.assert_allclose(grad_bias, error.mean(axis=0), atol=1e-14)


def test_loss_and_gradient_of_a_batch_are_the_weighted_mean_over_its_patches():
    network, (pixels, labels), weights = make(), batch(4), np.array([2.0, 0.0, 1.0, 0.5])
    singles = [(pixels[i : i + 1], labels[i : i + 1]) for i in range(4)]
    for given, factors in (([], np.ones(4)), ([weights], weights)):
        each = [factor * network.loss(*single) for factor, single in zip(factors, singles, strict=True)]
        assert network.loss(pixels, labels, *given) == pytest.approx(np.mean(each), rel=1e-12)
        parts = [network.gradient(*single) for single in singles]
        for i, array in enumerate(network.gradient(pixels, labels, *given)):
            expected = np.mean([factor * part[i] for factor, part in zip(factors, parts, strict=True)], axis=0)
            np.testing.assert_allclose(array, expected, atol=1e-15)


def test_a_gradient_is_not_changed_by_the_next_one():
    network = make()
    first = network.gradient(*batch(seed=1))
    kept = copy.deepcopy(first)
    assert not np.array_equal(network.gradient(*batch(seed=2))[0], kept[0])
    assert_same(first, kept)


@pytest.mark.parametrize("activation", [Tanh, LeakyReLU])
def test_a_layer_of_ones_own_needs_no_more_than_forward_and_backward(activation, tmp_path):
    network, other = make(activation=activation), make(seed=5, activation=activation)
    assert check_gradient(network, *batch()) < 1e-4
    losses = train(
        network, Patches(*batch(40)), epochs=3, batch_size=8, optimizer=SGD(0.2), rng=np.random.default_rng(0)
    ).train_loss
    assert losses[-1] < losses[0]
    network.save(tmp_path / "own.npz")
    other.load(tmp_path / "own.npz")
    np.testing.assert_array_equal(other.logits(batch()[0]), network.logits(batch()[0]))


# ------------------------------------------------------------------------------------------------ threads


class SlowTanh(Tanh):
    """Leaves other threads time between noting its outputs and returning them."""

    def forward(self, inputs):
        self.outputs = np.tanh(inputs)
        time.sleep(1e-4)
        return self.outputs


@pytest.mark.parametrize("activation", [ReLU, SlowTanh])
def test_four_threads_at_once_get_the_right_rows(activation):
    network = make(hidden=(32, 16), activation=activation)
    questions = [batch(300, seed=seed)[0] for seed in range(20)]
    expected = [network.logits(pixels) for pixels in questions]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(network.logits, questions * 10))
    assert_same(answers, expected * 10)


def test_asking_between_a_forward_and_its_backward_does_not_disturb_the_gradient():
    network, (pixels, labels) = make(activation=Tanh), batch()
    expected = copy.deepcopy(network.gradient(pixels, labels))
    network.layers[2].backward = lambda grad: (
        network.logits(batch(seed=9)[0]) is None or Tanh.backward(network.layers[2], grad)
    )
    assert_same(network.gradient(pixels, labels), expected)


# ------------------------------------------------------------------------------------------------ parameters


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_a_copy_gives_the_same_and_shares_nothing(duplicate):
    original, (pixels, labels) = make(), batch()
    logits, gradient = original.logits(pixels), original.gradient(pixels, labels)
    network = duplicate(original)
    np.testing.assert_array_equal(network.logits(pixels), logits)
    assert_same(network.gradient(pixels, labels), gradient)
    for parameter in network.parameters:
        parameter[:] = 0
    np.testing.assert_array_equal(original.logits(pixels), logits)


def test_parameters_are_the_arrays_that_the_layers_hold():
    network = make()
    first, second, third = dense_layers(network)
    own = [first.weights, first.bias, second.weights, second.bias, third.weights, third.bias]
    assert all(a is b for a, b in zip(network.parameters, own, strict=True))


FORMS = {
    "floats": lambda array: array,
    "whole numbers": lambda array: array.round().astype(int),
    "lists": lambda array: array.tolist(),
    "half the precision": lambda array: array.astype(np.float32),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_assigned_weights_and_bias_take_effect_in_logits_training_and_file(form, tmp_path):
    network, (pixels, labels) = make(hidden=(4,)), batch(20)
    rng = np.random.default_rng(7)
    given = [form(rng.normal(0, 2, parameter.shape)) for parameter in network.parameters]
    network.layers[1].weights, network.layers[1].bias, network.layers[3].weights, network.layers[3].bias = given
    weights1, bias1, weights2, bias2 = (np.array(array, dtype=np.float64) for array in given)
    hidden = np.maximum((pixels - 0.5) @ weights1 + bias1, 0)
    np.testing.assert_allclose(network.logits(pixels), hidden @ weights2 + bias2, rtol=1e-12, atol=1e-12)

    error = scipy.special.softmax(hidden @ weights2 + bias2, axis=1) - np.eye(2)[labels]
    np.testing.assert_allclose(network.gradient(pixels, labels)[2], hidden.T @ error / 20, atol=1e-12)
    network.save(tmp_path / "assigned.npz")
    with np.load(tmp_path / "assigned.npz") as arrays:
        assert_same(arrays.values(), [weights1, bias1, weights2, bias2])

    train(network, Patches(pixels, labels), epochs=1, batch_size=20, optimizer=SGD(0.5), rng=rng)
    np.testing.assert_allclose(network.layers[3].bias, bias2 - 0.5 * error.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize(("name", "shape"), [("weights", (5, 25)), ("weights", (25,)), ("bias", (5, 1)), ("bias", ())])
def test_assigned_arrays_of_another_shape_are_refused(name, shape):
    layer = make().layers[1]
    with pytest.raises(ValueError, match=rf"{name} must be of shape .*5.* not \("):
        setattr(layer, name, np.zeros(shape))


def test_what_is_assigned_stays_the_callers_own():
    layer, weights = make().layers[1], np.ones((25, 5))
    layer.weights = weights
    layer.weights += 1
    assert weights.tolist() == np.ones((25, 5)).tolist()


# ------------------------------------------------------------------------------------------------ files


def test_a_saved_network_comes_back_exactly_and_in_the_same_bytes(tmp_path):
    network, other = make(seed=0), make(seed=1)
    network.save(tmp_path / "one.npz")
    other.load(tmp_path / "one.npz")
    assert_same(other.parameters, network.parameters)
    other.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with np.load(tmp_path / "one.npz") as arrays:
        assert list(arrays) == ["weights1", "bias1", "weights2", "bias2", "weights3", "bias3"]


def test_the_file_of_another_network_is_refused_with_both_shapes(tmp_path):
    make(hidden=(4,)).save(tmp_path / "other.npz")
    network = make(hidden=(3,))
    before = copy.deepcopy(network.parameters)
    with pytest.raises(ValueError, match=r"other\.npz .*\(25, 4\).*\(25, 3\)"):
        network.load(tmp_path / "other.npz")
    assert_same(network.parameters, before)


@pytest.mark.parametrize("value", ["text", 1j, np.nan, None])
def test_a_file_of_anything_but_finite_numbers_is_refused(tmp_path, value):
    network, path = make(hidden=()), tmp_path / "network.npz"
    arrays = {"weights1": np.full((25, 2), value), "bias1": np.zeros(2)}
    np.savez(path, **({} if value is None else arrays))
    with pytest.raises(ValueError, match=r"network\.npz"):
        network.load(path)
