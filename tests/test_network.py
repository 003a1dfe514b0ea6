"""The network: formulas written out anew, numeric derivatives with random upstream gradients, views and files."""

import copy
import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
import scipy.special

from edge_demo.gradient_check import check_gradient
from edge_demo.network import Center, Dense, Network, ReLU, build_network


def make(hidden=(5, 3), classes=2, seed=0, inputs=25):
    """A network with random parameters, biases too."""
    rng = np.random.default_rng(seed)
    network = build_network(inputs, hidden, classes, rng)
    network.parameters = rng.normal(0, 0.5, network.parameters.shape)
    return network


def batch(n=6, classes=2, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(0.5, 0.4, (n, 25)), rng.integers(classes, size=n)


class Tanh:  # all that a user writes for another activation
    def forward(self, inputs):
        self.outputs = np.tanh(inputs)
        return self.outputs

    def backward(self, grad_output):
        return grad_output * (1 - self.outputs**2)


@pytest.mark.parametrize(
    ("hidden", "classes", "kinds"),
    [
        ([], 2, [Center, Dense]),
        ([4], 2, [Center, Dense, ReLU, Dense]),
        ([5, 3], 7, [Center, Dense, ReLU, Dense, ReLU, Dense]),
    ],
)
def test_build_network_makes_the_layers_it_describes(hidden, classes, kinds):
    network = build_network(25, hidden, classes, np.random.default_rng(0))
    assert [type(layer) for layer in network.layers] == kinds
    sizes = [25, *hidden, classes]
    dense = [layer for layer in network.layers if isinstance(layer, Dense)]
    assert [layer.weights.shape for layer in dense] == list(pairwise(sizes))
    assert [layer.bias.shape for layer in dense] == [(size,) for size in sizes[1:]]
    assert network.logits(np.zeros((3, 25))).shape == (3, classes)


@pytest.mark.parametrize("hidden", [(), (4,), (5, 3)])
def test_logits_equal_a_sum_written_out_neuron_by_neuron(hidden):
    network, (pixels, _) = make(hidden, classes=3), batch()
    dense = [layer for layer in network.layers if isinstance(layer, Dense)]
    for patch, logits in zip(pixels, network.logits(pixels), strict=True):
        signal = [pixel - 0.5 for pixel in patch]
        for layer in dense:
            sums = [math.fsum([*(w * s for w, s in zip(column, signal, strict=True)), b])
                    for column, b in zip(layer.weights.T, layer.bias, strict=True)]  # fmt: skip
            signal = [max(0.0, value) for value in sums]
        np.testing.assert_allclose(logits, sums, rtol=1e-12, atol=1e-13)


def test_probabilities_are_the_softmax_of_the_logits_and_predict_takes_the_largest():
    network, (pixels, _) = make(classes=3), batch()
    logits = network.logits(pixels)
    np.testing.assert_allclose(network.probabilities(pixels), scipy.special.softmax(logits, axis=1), rtol=1e-12)
    assert network.predict(pixels).tolist() == [max(range(3), key=list(row).__getitem__) for row in logits]


@pytest.mark.parametrize("layer", [Center(0.5), Dense(4, 3), ReLU(), Tanh()], ids=lambda layer: type(layer).__name__)
def test_backward_is_the_derivative_of_forward_for_a_random_upstream_gradient(layer):
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(5, 4))
    moved = {"inputs": (inputs, None)}
    if isinstance(layer, Dense):
        layer.bind(rng.normal(size=(5, 3)), np.full((5, 3), 99.0))
        moved |= {"weights": (layer.weights, layer.grad_weights), "bias": (layer.bias, layer.grad_bias)}
    upstream = rng.normal(size=layer.forward(inputs).shape)
    moved["inputs"] = (inputs, layer.backward(upstream))
    for values, derivative in moved.values():
        for index in np.ndindex(values.shape):
            value, sums = values[index], []
            for step in (1e-6, -1e-6):
                values[index] = value + step
                sums.append((layer.forward(inputs) * upstream).sum())
            values[index] = value
            assert derivative[index] == pytest.approx((sums[0] - sums[1]) / 2e-6, abs=1e-7)


def test_a_linear_network_has_the_gradient_of_the_closed_form():
    network, (pixels, labels) = make(hidden=(), classes=3), batch(20, 3)
    inputs = np.hstack([pixels - 0.5, np.ones((20, 1))])  # the bias is the last row of the weights
    error = scipy.special.softmax(inputs @ network.parameters.reshape(26, 3), axis=1) - np.eye(3)[labels]
    np.testing.assert_allclose(network.gradient(pixels, labels), (inputs.T @ error / 20).ravel(), atol=1e-14)


def test_the_gradient_of_a_batch_is_the_mean_over_its_patches():
    network, (pixels, labels) = make(), batch(7)
    single = [network.gradient(pixels[i : i + 1], labels[i : i + 1]) for i in range(7)]
    np.testing.assert_allclose(network.gradient(pixels, labels), np.mean(single, axis=0), atol=1e-15)


def test_every_gradient_is_an_array_of_its_own():
    network = make()
    first = network.gradient(*batch(seed=1))
    kept = first.copy()
    second = network.gradient(*batch(seed=2))
    np.testing.assert_array_equal(first, kept)
    assert not np.array_equal(first, second)
    assert first.shape == network.parameters.shape


def through_pickle(network):
    return pickle.loads(pickle.dumps(network))


@pytest.mark.parametrize("duplicate", [None, copy.deepcopy, through_pickle])
def test_layers_hold_views_of_the_flat_parameters(duplicate):
    original, (pixels, labels) = make(), batch()
    logits, gradient = original.logits(pixels), original.gradient(pixels, labels)
    network = duplicate(original) if duplicate else original
    np.testing.assert_array_equal(network.logits(pixels), logits)
    np.testing.assert_array_equal(network.gradient(pixels, labels), gradient)
    assert network.parameters.dtype == np.float64
    assert network.parameters.ndim == 1
    network.parameters[:] = np.arange(network.parameters.size)
    dense = [layer for layer in network.layers if isinstance(layer, Dense)]
    blocks = [np.vstack([layer.weights, layer.bias]).ravel() for layer in dense]
    np.testing.assert_array_equal(np.concatenate(blocks), np.arange(network.parameters.size))
    dense[-1].bias[-1], dense[0].weights[0, 0] = -7, -8
    assert network.parameters[[0, -1]].tolist() == [-8, -7]
    if duplicate:
        np.testing.assert_array_equal(original.logits(pixels), logits)


def test_assigned_parameters_are_copied_into_place():
    network = make()
    place, values = network.parameters, np.arange(float(network.parameters.size))
    network.parameters = values
    values[:] = -1
    assert network.parameters is place
    network.parameters -= np.ones_like(values)
    assert network.parameters is place
    np.testing.assert_array_equal(network.layers[1].weights.ravel(), np.arange(125) - 1.0)
    with pytest.raises(ValueError, match="shape"):
        network.parameters = values[1:]


def test_initial_weights_have_the_variance_of_he_and_biases_are_zero():
    first, _, second = Network([Dense(400, 300), ReLU(), Dense(300, 200)], np.random.default_rng(3)).layers
    for layer, inputs in ((first, 400), (second, 300)):
        assert not layer.bias.any()
        count = layer.weights.size
        assert layer.weights.var() == pytest.approx(2 / inputs, rel=5 * np.sqrt(2 / count))
        assert abs(layer.weights.mean()) < 5 * np.sqrt(2 / inputs / count)


def test_the_same_seed_gives_the_same_parameters():
    first, same, other = (build_network(25, [4], 2, np.random.default_rng(seed)).parameters for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("shape", [(3, 24), (25,), (3, 5, 5)])
def test_pixels_of_another_width_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(n, 25\), not \(" + str(shape)[1:-1]):
        make().logits(np.zeros(shape))


def test_a_layer_of_ones_own_works_and_passes_the_gradient_check():
    network = Network([Center(0.5), Dense(25, 4), Tanh(), Dense(4, 2)], np.random.default_rng(4))
    assert check_gradient(network, *batch()) < 1e-5


def test_a_saved_network_comes_back_exactly_and_in_the_same_bytes(tmp_path):
    network, other = make(seed=0), make(seed=1)
    network.save(tmp_path / "one.npz")
    other.load(tmp_path / "one.npz")
    np.testing.assert_array_equal(other.parameters, network.parameters)
    np.testing.assert_array_equal(other.logits(batch()[0]), network.logits(batch()[0]))
    other.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with np.load(tmp_path / "one.npz") as arrays:
        assert [array.shape for array in arrays.values()] == [(26, 5), (6, 3), (4, 2)]


def test_the_file_of_another_network_is_refused_with_both_shapes(tmp_path):
    make(hidden=(4,)).save(tmp_path / "other.npz")
    network = make(hidden=(3,))
    before = network.parameters.copy()
    with pytest.raises(ValueError, match=r"other\.npz .*\(26, 4\), \(5, 2\).*\(26, 3\), \(4, 2\)"):
        network.load(tmp_path / "other.npz")
    np.testing.assert_array_equal(network.parameters, before)


@pytest.mark.parametrize("value", ["text", 1j, None], ids=["text", "complex", "no_array"])
def test_a_file_of_anything_but_numbers_is_refused(tmp_path, value):
    network, path = make(hidden=()), tmp_path / "network.npz"
    np.savez(path, *([] if value is None else [np.full((26, 2), value)]))
    with pytest.raises(ValueError, match=r"network\.npz"):
        network.load(path)


def test_weights_reach_the_loss_and_the_gradient():
    network, rng = build_network(4, [3], 2, np.random.default_rng(1)), np.random.default_rng(2)
    pixels, labels, weights = rng.random((3, 4)), np.array([0, 1, 1]), np.array([2.0, 0.0, 1.0])
    each = [network.loss(pixels[i : i + 1], labels[i : i + 1]) for i in range(3)]
    assert network.loss(pixels, labels, weights) == pytest.approx(np.mean(weights * each), rel=1e-12)
    parts = [network.gradient(pixels[i : i + 1], labels[i : i + 1]) for i in range(3)]
    expected = np.mean(weights[:, None] * np.array(parts), axis=0)
    np.testing.assert_allclose(network.gradient(pixels, labels, weights), expected, rtol=1e-12, atol=1e-15)
    assert network.batch_loss == pytest.approx(np.mean(weights * each), rel=1e-12)


def test_pixels_of_half_the_precision_are_computed_with_in_full():
    network, pixels = build_network(4, [3], 2, np.random.default_rng(1)), np.random.default_rng(2).random((3, 4))
    half = pixels.astype(np.float32)
    np.testing.assert_array_equal(network.logits(half), network.logits(half.astype(np.float64)))


def test_at_zero_a_relu_passes_nothing_back():
    layer = ReLU()
    layer.forward(np.array([[-1.0, 0.0, 1.0]]))
    assert layer.backward(np.ones((1, 3))).tolist() == [[0, 0, 1]]
