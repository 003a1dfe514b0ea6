"""The checks: what is right passes all of them, each deliberate fault is named by the one that is made for it."""

from types import SimpleNamespace

import numpy as np
import pytest
from explorer_runs import Tanh
from recipes import namespace

from edge_demo import checks, network, optimizers, softmax
from edge_demo.checks import check_gradient, check_network, check_training
from edge_demo.datasets.generator import PatchGenerator
from edge_demo.network import Center, Dense, Network, ReLU, build_network
from edge_demo.optimizers import SGD
from edge_demo.training import History

RIGHT, WRONG = 1e-4, 1e-3  # errors of a right and of a wrong gradient
OF_RECIPES = SimpleNamespace(**namespace(network))
LeakyReLU, PReLU, Dropout = OF_RECIPES.LeakyReLU, OF_RECIPES.PReLU, OF_RECIPES.Dropout
LayerNorm, BatchNorm, Residual = OF_RECIPES.LayerNorm, OF_RECIPES.BatchNorm, OF_RECIPES.Residual
Conv2D, Flatten = OF_RECIPES.Conv2D, OF_RECIPES.Flatten


class Sigmoid:
    def forward(self, inputs):
        self.outputs = 1.0 / (1.0 + np.exp(-inputs))
        return self.outputs

    def backward(self, grad_output):
        return grad_output * self.outputs * (1.0 - self.outputs)


class Abs:
    def forward(self, inputs):
        self.signs = np.sign(inputs)
        return np.abs(inputs)

    def backward(self, grad_output):
        return grad_output * self.signs


def zeros(layer):
    layer.weights[...] = 0.0
    return layer


HIDDEN = {  # what may stand between Center and the last Dense of 16 inputs
    "Tanh": lambda inputs, rng: [Dense(inputs, 16, rng), Tanh()],
    "LeakyReLU": lambda inputs, rng: [Dense(inputs, 16, rng), LeakyReLU()],
    "PReLU": lambda inputs, rng: [Dense(inputs, 16, rng), PReLU()],
    "Dropout": lambda inputs, rng: [Dense(inputs, 16, rng), ReLU(), Dropout(0.5, rng)],
    "LayerNorm": lambda inputs, rng: [Dense(inputs, 16, rng), LayerNorm(16), ReLU()],
    "BatchNorm": lambda inputs, rng: [Dense(inputs, 16, rng), BatchNorm(16), ReLU()],
    "Residual": lambda inputs, rng: [Dense(inputs, 16, rng), Residual([ReLU(), zeros(Dense(16, 16, rng))])],
    "Network": lambda inputs, rng: [Network([Dense(inputs, 8, rng), Network([ReLU()])]), Dense(8, 16, rng), ReLU()],
    "sigmoids": lambda inputs, rng: [Dense(inputs, 16, rng), Sigmoid(), Dense(16, 16, rng), Sigmoid()],
    "one unit": lambda inputs, rng: [Dense(inputs, 1, rng), ReLU(), Dense(1, 16, rng)],
    "convolution": lambda inputs, rng: [
        Conv2D(int(inputs**0.5), 3, 4, rng), Abs(), Flatten(), Dense(4 * (int(inputs**0.5) - 2) ** 2, 16, rng), ReLU()
    ],
}  # fmt: skip


def patches(classes=2, n=1000, noise=0.1):
    """Of two classes the demo's own, of more 8×8 images in which another band is bright."""
    rng = np.random.default_rng(1)
    if classes == 2:
        return PatchGenerator(noise).sample(n, rng)
    labels = rng.integers(classes, size=n)
    images = rng.uniform(0.0, 0.3, (n, 8, 8))
    images[np.arange(n), labels % 8, :] += 0.5
    return SimpleNamespace(pixels=images.reshape(n, 64), labels=labels)


def few_of_one_class():
    every = patches(2, 1500)
    return every[np.sort([*np.flatnonzero(every.labels == 0)[:30], *np.flatnonzero(every.labels == 1)])]


def failed(findings):
    return {finding.name: finding.text for finding in findings if not finding.passed}


DATA = {"two classes": patches(), "eight classes": patches(8), "few of one class": few_of_one_class()}


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("number", range(len(HIDDEN)), ids=HIDDEN)
def test_a_right_network_passes_all_checks(number, zero):
    """Each on two of the three sets of patches, once with a last layer that begins at 0."""
    data = [*DATA.values()][(number + zero) % len(DATA)]
    rng = np.random.default_rng(number)
    inputs, last = data.pixels.shape[1], Dense(16, data.labels.max() + 1, rng)
    hidden = [*HIDDEN.values()][number](inputs, rng)
    sound = Network([Center(0.5), *hidden, zeros(last) if zero else last])
    assert failed(check_network(sound, data, SGD(0.1))) == {}


@pytest.mark.parametrize("name", namespace(optimizers)["OPTIMIZERS"])
@pytest.mark.parametrize("hidden", [[], [16], [64, 32], [2]], ids=str)
def test_what_the_flags_build_passes_all_checks(hidden, name):
    sound = build_network(25, hidden, 2, np.random.default_rng(0))
    assert failed(check_network(sound, DATA["two classes"], optimizers.make_optimizer(name))) == {}


# Each fault below is a part of a network that stands in for the right one.
class InPlace(Center):
    def forward(self, inputs):
        inputs -= self.value
        return inputs


class AlwaysOn(Dropout):
    training = property(lambda layer: True, lambda layer, value: None)


class NobodysNumbers(Dropout):
    def forward(self, inputs):
        self.rng = np.random.default_rng()
        return super().forward(inputs)


class Transposed(Dense):
    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        self.grad_weights = self.grad_weights.T
        return grad_input


class NoBias(Dense):
    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        self.grad_bias *= 0.0
        return grad_input


class TwiceInTheLastRow(Dense):
    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        self.grad_weights[-1] *= 2.0
        return grad_input


class Accumulating(Dense):
    def backward(self, grad_output):
        former = getattr(self, "grad_bias", 0.0)
        grad_input = super().backward(grad_output)
        self.grad_bias += former
        return grad_input


class NoMask(ReLU):
    def backward(self, grad_output):
        return grad_output


class DropoutWithoutMask(Dropout):
    def backward(self, grad_output):
        return grad_output


class StoredOnce(Tanh):
    def forward(self, inputs):
        outputs = np.tanh(inputs)
        self.outputs = getattr(self, "outputs", outputs)
        return outputs


class OneWrongUnit(ReLU):
    """The unit with the largest gradient, since a dead one is right whatever its factor is."""

    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        grad_input[:, np.abs(grad_input).sum(axis=0).argmax()] *= 1.1
        return grad_input


class Hiding:
    def __init__(self, *inner):
        self.inner = inner

    def forward(self, inputs):
        return Network(self.inner).forward(inputs)

    def backward(self, grad_output):
        return Network(self.inner).backward(grad_output)


class PlainSlope(PReLU):
    learned = ()

    def __init__(self):
        self.slope = 0.25


class NotSaved(BatchNorm):
    saved = ()


class OfTheBatch(ReLU):
    def forward(self, inputs):
        return super().forward(inputs - inputs.mean(axis=0))

    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        return grad_input - grad_input.mean(axis=0)


class Softmax:
    def forward(self, inputs):
        exponentials = np.exp(inputs - inputs.max(axis=1, keepdims=True))
        self.outputs = exponentials / exponentials.sum(axis=1, keepdims=True)
        return self.outputs

    def backward(self, grad_output):
        return self.outputs * (grad_output - (grad_output * self.outputs).sum(axis=1, keepdims=True))


class Blind:
    """Keeps so little of the pixels that nothing tells them apart."""

    def forward(self, inputs):
        return 0.5 + 1e-6 * inputs

    def backward(self, grad_output):
        return 1e-6 * grad_output


class NewArrays(SGD):
    def step(self, parameters, gradients):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter = parameter - self.learning_rate * gradient


def filled(layer, weights, bias=0.0):
    layer.weights[...], layer.bias[...] = weights, bias
    return layer


def with_hidden(*layers):
    return lambda rng: [Center(0.5), Dense(25, 16, rng), *layers, Dense(16, 2, rng)]


def with_first(make):
    return lambda rng: [Center(0.5), make(rng), ReLU(), Dense(16, 2, rng)]


def deep_sigmoids(rng):
    hidden = [layer for _ in range(8) for layer in (Sigmoid(), Dense(3, 3, rng))]
    return [Dense(25, 3, rng), *hidden, Dense(3, 2, rng)]


RNG = np.random.default_rng(5)
FAULTS = [  # the check that must name it first, words of its text, the layers
    ("input kept", "inputs - value", lambda rng: [InPlace(0.5), Dense(25, 16, rng), ReLU(), Dense(16, 2, rng)]),
    ("repeatable", "on while predicting", with_hidden(AlwaysOn(0.5, RNG))),
    ("repeatable", "a Generator of its own", with_hidden(NobodysNumbers(0.5, RNG))),
    ("gradient", "layer 2, Transposed, weights: backward leaves no", with_first(lambda rng: Transposed(25, 16, rng))),
    ("gradient", "layer 2, NoBias, bias: backward 0, finite", with_first(lambda rng: NoBias(25, 16, rng))),
    ("gradient", "layer 2, Dense", with_hidden(NoMask())),
    ("gradient", "layer 2, Dense", with_hidden(DropoutWithoutMask(0.5, RNG))),
    ("empty", "layer 2, Dense, weights", with_first(lambda rng: filled(Dense(25, 16, rng), 0.1, -50.0))),
    ("parameters", "layer 2, Hiding.inner[0].weights (25×16)", with_first(lambda rng: Hiding(Dense(25, 16, rng)))),
    ("parameters", "layer 3, PlainSlope.slope", with_hidden(PlainSlope())),
    ("parameters", "layer 3, NotSaved.moments", with_hidden(NotSaved(16))),
    ("alone", "the other patches", with_hidden(OfTheBatch())),
    ("fresh backward", "layer 2, Accumulating", with_first(lambda rng: Accumulating(25, 16, rng))),
    ("fresh backward", "layer 2, Dense", with_hidden(StoredOnce())),
    ("first loss", "weights too large", with_first(lambda rng: filled(Dense(25, 16, rng), rng.normal(0, 99, 16)))),
    ("vanishing", "of the last's", deep_sigmoids),
    ("symmetry", "layer 2, Dense", with_first(lambda rng: filled(Dense(25, 16, rng), 0.1))),
    ("outputs", "leave out its last softmax", lambda rng: [*with_hidden(ReLU())(rng), Softmax()]),
    ("by heart", "500 steps", lambda rng: [Blind(), *with_hidden(ReLU())(rng)]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "words", "layers"), FAULTS, ids=[f"{name} {words}" for name, words, _ in FAULTS])
def test_a_fault_is_named_first_by_its_check(name, words, layers):
    given = DATA["two classes"]
    faulty, pixels = Network(layers(np.random.default_rng(0))), given.pixels.copy()
    before = [array.tobytes() for array in faulty.arrays.values()]
    found = failed(check_network(faulty, given, SGD(0.2)))
    assert next(iter(found), None) == name, found
    assert words in found[name]
    assert np.array_equal(given.pixels, pixels)  # nothing was changed
    assert [array.tobytes() for array in faulty.arrays.values()] == before


@pytest.mark.parametrize(
    ("optimizer", "words"), [(SGD(1e-4), "too short"), (SGD(100.0), "too long"), (NewArrays(0.2), "in place")]
)
def test_steps_of_another_length_are_named(optimizer, words):
    found = failed(check_network(build_network(25, [16], 2, np.random.default_rng(0)), DATA["two classes"], optimizer))
    assert [*found] == ["steps"]
    assert words in found["steps"]


def test_probabilities_that_do_not_sum_to_1_are_named(monkeypatch):
    monkeypatch.setattr(network, "softmax", lambda logits: np.exp(logits) / np.exp(logits).sum(axis=0))
    found = failed(check_network(build_network(25, [16], 2, np.random.default_rng(0)), DATA["two classes"]))
    assert [*found] == ["outputs"]
    assert "wrong axis" in found["outputs"]


def test_a_loss_of_ones_own_is_told_from_the_mean_log_loss(monkeypatch):
    sound, data = build_network(25, [16], 2, np.random.default_rng(0)), DATA["two classes"]
    assert checks.is_cross_entropy(sound, data.pixels, data.labels)
    smooth = {name: namespace(softmax)[f"smooth_{name}"] for name in ("loss", "gradient")}
    monkeypatch.setattr(network, "cross_entropy", smooth["loss"])
    monkeypatch.setattr(network, "cross_entropy_gradient", smooth["gradient"])
    assert not checks.is_cross_entropy(sound, data.pixels, data.labels)
    assert failed(check_network(sound, data)) == {}


# ------------------------------------------------------------------------------------------------ the gradient check


def make(activation, units, seed, largest=1.0, dense=Dense):
    """A network with one hidden layer, and 32 random patches of pixels from 0 to largest for it."""
    rng = np.random.default_rng([seed, units])
    layers = [Center(largest / 2), dense(25, units, rng), activation(), Dense(units, 2, rng)]
    return Network(layers), rng.uniform(0.0, largest, (32, 25)), rng.integers(2, size=32)


@pytest.mark.parametrize("largest", [1.0, 255.0])
@pytest.mark.parametrize("units", [1, 3, 64])
@pytest.mark.parametrize("activation", [ReLU, LeakyReLU, Tanh, Abs])
def test_a_right_gradient_passes_and_changes_nothing(activation, units, largest):
    for seed in range(2):
        sound, pixels, labels = make(activation, units, seed, largest)
        before = [array.tobytes() for array in sound.parameters]
        error = check_gradient(sound, pixels, labels)
        assert isinstance(error, float)
        assert error < RIGHT
        assert [array.tobytes() for array in sound.parameters] == before


@pytest.mark.parametrize("largest", [1.0, 255.0])
@pytest.mark.parametrize("units", [2, 64, 128])
@pytest.mark.parametrize(
    ("activation", "dense"), [(OneWrongUnit, Dense), (LeakyReLU, TwiceInTheLastRow), (LeakyReLU, NoBias)]
)
def test_a_gradient_that_is_wrong_in_a_small_part_is_caught(activation, dense, units, largest):
    assert check_gradient(*make(activation, units, 0, largest, dense), most=200) > WRONG


@pytest.mark.parametrize("fault", [lambda right: 32 * right, lambda right: -right, lambda right: right / 2])
def test_a_loss_and_a_gradient_that_differ_are_caught(monkeypatch, fault):
    right = network.cross_entropy_gradient
    monkeypatch.setattr(network, "cross_entropy_gradient", lambda *batch: fault(right(*batch)))
    assert check_gradient(*make(Tanh, 16, 0)) > WRONG


def test_a_network_that_is_sure_or_has_large_logits_passes():
    """Of the one the loss is 0 in float64, of the other its digits are those that the logits leave."""
    for seed in range(10):
        sure, pixels, _ = make(Abs, 16, seed, largest=2550.0)
        assert check_gradient(sure, pixels, sure.predict(pixels)) < RIGHT
        large, pixels, labels = make(Tanh, 16, seed)
        large.layers[-1].bias += 1e3
        assert check_gradient(large, pixels, labels) < RIGHT


@pytest.mark.parametrize("activation", [ReLU, LeakyReLU, Abs])
def test_patches_exactly_at_every_kink_are_no_false_alarm(activation):
    """Mid-grey patches and biases of 0: each unit receives exactly 0, where there is no slope."""
    for seed in range(5):
        sound, pixels, labels = make(activation, 25, seed)
        pixels[:9] = 0.5
        assert not sound.logits(pixels[:9]).any()
        assert check_gradient(sound, pixels, labels) < RIGHT


# ------------------------------------------------------------------------------------------------ after training


class ReLU6(ReLU):
    def forward(self, inputs):
        return np.minimum(super().forward(inputs), 6.0)


def trained(change=lambda run, data: None, noise=0.1, layer=ReLU, epochs=20, factor=1.5):
    """Stands for a run, whose loss falls from epoch to epoch; change makes the fault."""
    rng, generator = np.random.default_rng(0), PatchGenerator(noise)
    data, test = generator.sample(1000, rng), generator.sample(1000, rng)
    before = Network([Center(0.5), Dense(25, 16, rng), layer(), Dense(16, 2, rng)])
    after = Network([Center(0.5), Dense(25, 16, rng), layer(), Dense(16, 2, rng)])
    for own, first in zip(after.parameters, before.parameters, strict=True):
        own[...] = factor * first + 0.1
    losses = np.linspace(0.7, 0.3, epochs + 1).tolist()
    history = History([*range(epochs + 1)], losses, losses, losses, [0.88] * len(losses))
    settings = {"target": "label", "balance": False}
    run = SimpleNamespace(
        settings=settings, before=before, after=after, history=history, test=test, generator=generator,
        logits={"after": after.logits(test.pixels)},
    )  # fmt: skip
    change(run, data)
    return run, data


def unmoved(run, data):
    run.after.layers[1].weights[...] = run.before.layers[1].weights


def killed(run, data):
    run.after.layers[1].bias[1:] = -50.0


def useless(run, data):
    run.history.test_loss[:] = [0.75] * 21


def swapped(run, data):
    run.history.test_accuracy[-1] = 0.12


def shuffled(run, data):
    np.random.default_rng(0).shuffle(data.labels)


def too_long(run, data):
    run.history.test_loss[:] = np.linspace(0.7, 0.3, 11).tolist() + np.linspace(0.3, 0.5, 10).tolist()


@pytest.mark.parametrize(
    ("name", "words", "change"),
    [
        ("moved", "layer 2, Dense, weights", unmoved),
        ("dead", "layer 3, ReLU: 15 of 16", killed),
        ("better", "no better than guessing's 0.69", useless),
        ("better", "swapped", swapped),
        ("labels", "of the training patches", shuffled),
        ("too long", "around epoch 10", too_long),
    ],
    ids=lambda part: part.__name__ if callable(part) else None,
)
def test_what_training_did_wrong_is_named(name, words, change):
    found = failed(check_training(*trained(change)))
    assert [*found] == [name]
    assert words in found[name]


def test_a_fault_that_shows_only_where_training_led_is_named():
    sound, data = trained(layer=ReLU6)
    assert failed(check_network(sound.before, data)) == {}
    assert [*failed(check_training(*trained(layer=ReLU6, factor=30.0)))] == ["after"]


def test_a_right_run_passes_and_one_without_epochs_is_not_judged_by_what_it_reached():
    assert failed(check_training(*trained())) == {}
    assert failed(check_training(*trained(unmoved, epochs=0))) == {}
