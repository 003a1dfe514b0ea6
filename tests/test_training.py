"""Training: what is recorded, what each batch holds, and what happens when it diverges."""

import contextlib
import csv
import math
import os
import platform
import random
import subprocess
import sys
import warnings
from threading import Event

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from edge_demo.network import Dense, Network, build_network
from edge_demo.optimizers import SGD, Adam
from edge_demo.patches import Patches
from edge_demo.resuming import ResumableHistory, snapshot_steps, train_until
from edge_demo.training import History, TrainingDiverged, train


def easy(n=60, seed=0):
    """Dark patches against bright ones."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    return Patches(rng.normal(0.3, 0.05, (n, 25)) + 0.4 * labels[:, None], labels)


def fit(epochs=3, optimizer=None, hidden=(4,), test=None, seed=1, batch_size=16, patches=None):
    network = build_network(25, hidden, 2, np.random.default_rng(seed))
    history = train(
        network,
        patches or easy(),
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer or SGD(0.1),
        rng=np.random.default_rng(seed),
        test=test,
    )
    return network, history


@pytest.mark.parametrize("epochs", [0, 1, 3])
def test_what_is_recorded_last_is_the_loss_and_accuracy_of_the_network_on_the_whole_sets(epochs):
    test = easy(30, seed=5)
    network, history = fit(epochs, test=test)
    assert history.epoch == list(range(epochs + 1))
    assert {len(values) for values in vars(history).values()} == {epochs + 1}
    for patches, losses, accuracies in (
        (easy(), history.train_loss, history.train_accuracy),
        (test, history.test_loss, history.test_accuracy),
    ):
        probabilities = network.probabilities(patches.pixels)
        assert losses[-1] == pytest.approx(log_loss(patches.labels, probabilities), rel=1e-12)
        assert accuracies[-1] == accuracy_score(patches.labels, probabilities.argmax(axis=1))


def test_entry_zero_is_the_untrained_network_and_a_short_run_is_the_beginning_of_a_long_one():
    untrained = build_network(25, (4,), 2, np.random.default_rng(1))
    network, history = fit(epochs=0)
    np.testing.assert_array_equal(network.parameters, untrained.parameters)
    expected = log_loss(easy().labels, untrained.probabilities(easy().pixels))
    assert history.train_loss == [pytest.approx(expected, rel=1e-12)]
    longer = fit(epochs=4)[1].train_loss
    assert fit(epochs=2)[1].train_loss == longer[:3]
    assert longer[0] == history.train_loss[0]
    assert longer == sorted(longer, reverse=True)


class SpyNetwork(Network):
    """A network that notes each batch whose gradient is asked for."""

    def gradient(self, pixels, labels):
        self.batches.append((pixels[:, 0].tolist(), labels.tolist()))
        self.last_gradient = super().gradient(pixels, labels)
        return self.last_gradient


class SpyOptimizer:
    """An optimizer that steps nowhere, and checks what it is given."""

    learning_rate, steps = 1.0, 0

    def __init__(self, network):
        self.network = network

    def step(self, parameters, gradient):
        assert parameters is self.network.parameters
        np.testing.assert_array_equal(gradient, self.network.last_gradient)
        self.steps += 1


@pytest.mark.parametrize(("batch_size", "sizes"), [(4, [4, 4, 3]), (11, [11]), (99, [11]), (1, [1] * 11)])
def test_every_epoch_uses_each_patch_once_in_a_new_order(batch_size, sizes):
    numbers, rng = np.arange(11), np.random.default_rng(0)
    network, patches = SpyNetwork([Dense(25, 2)], rng), Patches(numbers[:, None] * np.ones(25), numbers % 2)
    network.batches, optimizer = [], SpyOptimizer(network)
    train(network, patches, epochs=5, batch_size=batch_size, optimizer=optimizer, rng=rng)
    assert [len(pixels) for pixels, _ in network.batches] == sizes * 5
    assert all([number % 2 for number in pixels] == labels for pixels, labels in network.batches)
    flat = [number for pixels, _ in network.batches for number in pixels]
    orders = [tuple(flat[i : i + 11]) for i in range(0, 55, 11)]
    assert all(sorted(order) == numbers.tolist() for order in orders)
    assert len({*orders, tuple(numbers)}) == 6
    assert optimizer.steps == len(sizes) * 5


def test_the_same_seed_gives_the_same_result_and_nothing_else_is_touched(capsys):
    patches = easy()
    pixels, labels, state = patches.pixels.copy(), patches.labels.copy(), random.getstate()
    legacy = np.random.get_state()[1].tolist()  # noqa: NPY002
    first, same, other = (fit(patches=patches, seed=seed, test=patches) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0].parameters, same[0].parameters)
    assert vars(first[1]) == vars(same[1])
    assert vars(first[1]) != vars(other[1])
    np.testing.assert_array_equal(patches.pixels, pixels)
    np.testing.assert_array_equal(patches.labels, labels)
    assert random.getstate() == state
    assert np.random.get_state()[1].tolist() == legacy  # noqa: NPY002
    assert capsys.readouterr() == ("", "")


def test_without_a_test_set_its_columns_hold_none():
    _, history = fit(epochs=2)
    assert history.test_loss == history.test_accuracy == [None, None, None]


@pytest.mark.parametrize("hidden", [(), (4,)])
def test_probabilities_on_an_easy_problem_rise_above_what_softmax_applied_twice_could_give(hidden):
    network, history = fit(epochs=60, optimizer=Adam(0.03), hidden=hidden)
    true_class = network.probabilities(easy().pixels)[np.arange(60), easy().labels]
    assert true_class.min() > 0.99 > np.e / (np.e + 1)  # softmax of [1, 0]
    assert history.train_accuracy[-1] == 1


@pytest.mark.parametrize(("batch_size", "where"), [(16, "epoch 1, batch 2"), (60, "epoch 1, batch 1")])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_divergence_says_where_and_what_to_try_and_warns_of_nothing(batch_size, where, momentum):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TrainingDiverged, match=where) as caught:
            fit(optimizer=SGD(1e200, momentum), batch_size=batch_size)
    assert "at learning rate 1e+200" in str(caught.value)
    assert "try a learning rate of 1e+199" in str(caught.value)
    assert isinstance(caught.value, ValueError)


class Leap:
    """An optimizer that ends at logits which are finite, while their difference is not."""

    learning_rate = 1.0

    def step(self, parameters, gradient):
        parameters[:] = 0.0
        parameters[-2:] = 1.5e308, -1.5e308  # the biases of the last layer


def test_an_infinite_loss_of_finite_logits_is_divergence_too():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TrainingDiverged, match="epoch 1"):
            fit(epochs=1, optimizer=Leap(), batch_size=60)


@pytest.mark.parametrize("optimizer", [SGD, Adam])
@pytest.mark.parametrize("hidden", [(), (4,), (5, 3)])
def test_no_loss_in_a_history_is_infinite(hidden, optimizer):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rate in (1e20, 1e102, 1e150, 1e300, 1e307, 1e308):
            with contextlib.suppress(TrainingDiverged):
                _, history = fit(epochs=4, optimizer=optimizer(rate), hidden=hidden, test=easy(30, seed=5))
                assert all(map(math.isfinite, history.train_loss + history.test_loss))


@pytest.mark.parametrize(("epochs", "batch_size"), [(-1, 16), (3, 0), (3, -2)])
def test_impossible_settings_are_refused(epochs, batch_size):
    with pytest.raises(ValueError, match=f"{epochs} and {batch_size}"):
        fit(epochs, batch_size=batch_size)


@pytest.mark.parametrize("test", [None, easy(30, seed=5)])
def test_a_history_comes_back_from_its_file_exactly(tmp_path, test):
    _, history = fit(test=test)
    history.to_csv(tmp_path / "history.csv")
    with open(tmp_path / "history.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(vars(History()))
    for name, values in vars(history).items():
        assert [float(row[name]) if row[name] else None for row in rows] == values


def test_snapshots_are_the_parameters_after_so_many_steps_and_change_nothing_else():
    network, history = fit(epochs=3, hidden=[4])  # 60 patches in batches of 16: 4 steps an epoch
    kept, rng, snapshots = build_network(25, [4], 2, np.random.default_rng(1)), np.random.default_rng(1), {}
    settings = {"epochs": 3, "batch_size": 16, "optimizer": SGD(0.1), "rng": rng, "test": None}
    same = ResumableHistory(settings["optimizer"], rng)
    train_until(Event(), kept, easy(), history=same, snapshots=snapshots, **settings)
    np.testing.assert_array_equal(kept.parameters, network.parameters)
    assert vars(same) == vars(history)
    assert list(snapshots) == snapshot_steps(3, 4) == [0, 1, 3, 4, 8, 12]
    np.testing.assert_array_equal(snapshots[0], build_network(25, [4], 2, np.random.default_rng(1)).parameters)
    np.testing.assert_array_equal(snapshots[4], fit(epochs=1, hidden=[4])[0].parameters)
    np.testing.assert_array_equal(snapshots[12], network.parameters)
    assert len({tuple(parameters) for parameters in snapshots.values()}) == 6


@pytest.mark.parametrize(("epochs", "batches"), [(40, 125), (200, 42), (7, 1), (1000, 63)])
def test_a_longer_training_keeps_the_same_snapshots_and_its_own_end(epochs, batches):
    short, long = set(snapshot_steps(epochs, batches)), set(snapshot_steps(3 * epochs, batches))
    assert {0, epochs * batches} <= short
    assert short - {epochs * batches} == {step for step in long if step < epochs * batches}
    assert len(snapshot_steps(40, 125)) < 25


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other systems' malloc has rules of its own")
def test_the_memory_of_large_batches_is_not_fetched_anew_in_each_step():
    program = """
import resource
import numpy as np
from edge_demo.generator import PatchGenerator
from edge_demo.network import build_network
from edge_demo.optimizers import SGD
from edge_demo.training import train
rng = np.random.default_rng(0)
patches, network = PatchGenerator().sample(4000, rng), build_network(25, [16], 2, rng)
settings = {"batch_size": 2000, "optimizer": SGD(0.1), "rng": rng}
train(network, patches, epochs=3, **settings)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
train(network, patches, epochs=50, **settings)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 100)
"""
    usual = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=usual)
    assert float(done.stdout) < 30  # pages a step, of 4 kB; the arrays of a step are 1.8 MB
