"""The gradient check: it accepts what is right, and each deliberate fault makes it fail."""

import numpy as np
import pytest

from edge_demo.gradient_check import check_gradient
from edge_demo.network import Dense, ReLU, build_network
from edge_demo.softmax import SoftmaxCrossEntropy


def make(hidden=(5, 3), classes=2, seed=0):
    """A network with random parameters, and a batch for it."""
    rng = np.random.default_rng(seed)
    network = build_network(25, hidden, classes, rng)
    network.parameters = rng.normal(0, 0.4, network.parameters.shape)
    return network, rng.normal(0.5, 0.3, (10, 25)), rng.integers(classes, size=10)


@pytest.mark.parametrize("classes", [2, 7])
@pytest.mark.parametrize("hidden", [[], [4], [5, 3]])
def test_a_right_gradient_passes_and_the_parameters_stay_as_they_were(hidden, classes):
    network, pixels, labels = make(hidden, classes)
    network.parameters[0] *= 1e-6  # moving it there and back would round
    before = network.parameters.tobytes()
    error = check_gradient(network, pixels, labels)
    assert isinstance(error, float)
    assert 0 < error < 1e-5
    assert network.parameters.tobytes() == before


def multiplied(name, factor):
    """A Dense.backward that leaves a wrong multiple of its gradient."""

    def fault(right):
        def backward(layer, grad_output):
            grad_input = right(layer, grad_output)
            getattr(layer, name)[:] *= factor
            return grad_input

        return backward

    return fault


def transposed(right):
    """A Dense.backward that writes its weight gradient column by column."""

    def backward(layer, grad_output):
        grad_input = right(layer, grad_output)
        layer.grad_weights[:] = layer.grad_weights.copy().reshape(layer.grad_weights.shape[::-1]).T
        return grad_input

    return backward


FAULTS = {
    "bias_gradient_zero": (Dense, "backward", multiplied("grad_bias", 0.0)),
    "bias_gradient_a_mean": (Dense, "backward", multiplied("grad_bias", 0.1)),
    "weight_gradient_scaled": (Dense, "backward", multiplied("grad_weights", 1.1)),
    "weight_gradient_negated": (Dense, "backward", multiplied("grad_weights", -1.0)),
    "weight_gradient_transposed": (Dense, "backward", transposed),
    "input_gradient_negated": (Dense, "backward", lambda right: lambda layer, grad: -right(layer, grad)),
    "relu_mask_all_ones": (ReLU, "backward", lambda right: lambda layer, grad: grad),
    "loss_halved": (SoftmaxCrossEntropy, "forward", lambda right: lambda output, *batch: right(output, *batch) / 2),
    "loss_summed": (SoftmaxCrossEntropy, "forward", lambda right: lambda output, *batch: right(output, *batch) * 10),
    "gradient_not_divided": (SoftmaxCrossEntropy, "backward", lambda right: lambda output: right(output) * 10),
}


@pytest.mark.parametrize(("owner", "method", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_deliberate_fault_is_found(monkeypatch, owner, method, fault):
    monkeypatch.setattr(owner, method, fault(getattr(owner, method)))
    network, pixels, labels = make()
    before = network.parameters.tobytes()
    assert check_gradient(network, pixels, labels) > 1e-2
    assert network.parameters.tobytes() == before


def test_only_the_parameters_asked_for_are_checked(monkeypatch):
    network, pixels, labels = make(hidden=[])  # (26, 2): the last two parameters are the biases
    monkeypatch.setattr(Dense, "backward", multiplied("grad_bias", 0.0)(Dense.backward))
    assert check_gradient(network, pixels, labels, indexes=range(50)) < 1e-5
    assert check_gradient(network, pixels, labels, indexes=np.array([3, 51])) > 1e-2


def near_kinks(distances, seed=0):
    """A network whose hidden unit j receives distances[j] from patch j, and a batch for it."""
    network, pixels, labels = make(hidden=[len(distances)], seed=seed)
    _, dense, _, _ = network.layers
    for unit, distance in enumerate(distances):
        dense.bias[unit] += distance - dense.forward(pixels - 0.5)[unit, unit]
    inputs = dense.forward(pixels - 0.5)
    np.testing.assert_allclose(inputs.diagonal(), distances, atol=1e-14)
    return network, pixels, labels


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("distances", [(5e-6, -5e-6), (8e-5, -9e-6), (-3e-7, 3e-7), (1e-5, 1e-5)], ids=str)
def test_a_step_across_a_kink_of_relu_is_no_false_alarm(monkeypatch, distances, seed):
    network, pixels, labels = near_kinks(distances, seed)
    assert check_gradient(network, pixels, labels) < 1e-5
    owner, method, fault = FAULTS["relu_mask_all_ones"]
    monkeypatch.setattr(owner, method, fault(getattr(owner, method)))
    assert check_gradient(network, pixels, labels) > 1e-2  # nor is a fault excused


def test_an_input_of_exactly_zero_is_no_false_alarm():
    network = build_network(25, [4], 2, np.random.default_rng(0))  # biases are zero
    pixels, labels = np.full((6, 25), 0.5), np.array([0, 1, 1, 1, 0, 1])
    assert not network.layers[1].forward(pixels - 0.5).any()
    assert check_gradient(network, pixels, labels) < 1e-5


@pytest.mark.parametrize("shift", [-3.0, 3.0])
def test_at_a_kink_a_slope_beyond_those_of_both_sides_is_found(monkeypatch, shift):
    right = Dense.backward

    def backward(layer, grad_output):
        grad_input = right(layer, grad_output)
        layer.grad_bias += shift * (len(layer.weights) == 25)
        return grad_input

    monkeypatch.setattr(Dense, "backward", backward)
    network = build_network(25, [4], 2, np.random.default_rng(0))
    assert check_gradient(network, np.full((6, 25), 0.5), [0, 1, 1, 1, 0, 1]) > 1e-2


@pytest.mark.parametrize("fault", [fault for name, fault in FAULTS.items() if name != "relu_mask_all_ones"])
def test_a_fault_is_found_beside_an_input_of_exactly_zero(monkeypatch, fault):
    network, pixels, labels = make(hidden=[4])
    network.layers[1].bias[0] = 0
    pixels[0] = 0.5
    assert check_gradient(network, pixels, labels) < 1e-5
    owner, method, wrong = fault
    monkeypatch.setattr(owner, method, wrong(getattr(owner, method)))
    assert check_gradient(network, pixels, labels) > 1e-2
