"""Training: what is recorded, what each batch holds, and what happens when it diverges."""

import contextlib
import math
import pickle
import random
import warnings
from dataclasses import asdict

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

import edge_demo.network
import edge_demo.softmax
from edge_demo.datasets.patches import Patches
from edge_demo.network import Dense, Network, build_network
from edge_demo.optimizers import SGD, Adam
from edge_demo.training import History, TrainingDiverged, train, train_epoch


def easy(n=60, seed=0):
    """Dark patches against bright ones."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    return Patches(rng.normal(0.3, 0.05, (n, 25)) + 0.4 * labels[:, None], labels)


def fit(epochs=3, *, optimizer=None, hidden=(4,), test=None, seed=1, batch_size=16, patches=None, **options):
    network = build_network(25, hidden, 2, np.random.default_rng(seed))
    history = train(
        network,
        patches or easy(),
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer or SGD(0.1),
        rng=np.random.default_rng(seed),
        test=test,
        **options,
    )
    return network, history


def assert_same(network, other):
    for array, expected in zip(network.parameters, other.parameters, strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("epochs", [0, 1, 3])
def test_what_is_recorded_last_is_the_loss_and_accuracy_of_the_network_on_the_whole_sets(epochs):
    test = easy(30, seed=5)
    network, history = fit(epochs, test=test)
    assert history.epoch == list(range(epochs + 1))
    assert {len(values) for values in asdict(history).values()} == {epochs + 1}
    for patches, losses, accuracies in (
        (easy(), history.train_loss, history.train_accuracy),
        (test, history.test_loss, history.test_accuracy),
    ):
        probabilities = network.probabilities(patches.pixels)
        assert losses[-1] == pytest.approx(log_loss(patches.labels, probabilities), rel=1e-12)
        assert accuracies[-1] == accuracy_score(patches.labels, probabilities.argmax(axis=1))


def test_without_a_test_set_its_columns_hold_none():
    _, history = fit(epochs=2)
    assert history.test_loss == history.test_accuracy == [None, None, None]


def test_entry_zero_is_the_untrained_network_and_a_short_training_is_the_beginning_of_a_long_one():
    untrained = build_network(25, (4,), 2, np.random.default_rng(1))
    network, history = fit(epochs=0)
    assert_same(network, untrained)
    assert history.train_loss == [pytest.approx(log_loss(easy().labels, untrained.probabilities(easy().pixels)))]
    assert fit(epochs=2)[1].train_loss == fit(epochs=4)[1].train_loss[:3]


def test_a_loop_of_ones_own_over_train_epoch_is_train():
    network, history = fit(epochs=3)
    own, rng, recorded = build_network(25, (4,), 2, np.random.default_rng(1)), np.random.default_rng(1), History()
    recorded.record(own, easy())
    for _ in range(3):
        train_epoch(own, easy(), batch_size=16, optimizer=SGD(0.1), rng=rng)
        recorded.record(own, easy())
    assert_same(own, network)
    assert recorded == history


def test_progress_sees_each_epoch_once_it_is_done_and_ends_training_where_it_stops():
    seen = []

    def three_of(epochs):
        for epoch in epochs:
            if epoch == 3:
                return
            yield epoch
            seen.append(epoch)

    network, history = fit(epochs=9, progress=three_of)
    assert seen == [0, 1, 2]
    assert history.epoch == [0, 1, 2, 3]
    assert_same(network, fit(epochs=3)[0])


def test_the_history_holds_minus_log_p_whatever_loss_is_made_small(monkeypatch):
    for name, factor in (("cross_entropy", 3.0), ("cross_entropy_gradient", 3.0)):
        original = getattr(edge_demo.softmax, name)
        monkeypatch.setattr(edge_demo.network, name, lambda *given, f=original, by=factor: by * f(*given))
    network, history = fit(epochs=2, test=easy(30, seed=5))
    assert network.loss(easy().pixels, easy().labels) == pytest.approx(3 * history.train_loss[-1])
    assert history.train_loss[-1] == pytest.approx(log_loss(easy().labels, network.probabilities(easy().pixels)))


def test_pixels_that_are_no_numbers_are_named_as_the_cause():
    patches = easy()
    patches.pixels[3, 4] = np.nan
    with pytest.raises(ValueError, match="pixels must be finite") as caught:
        fit(patches=patches)
    assert not isinstance(caught.value, TrainingDiverged)


class SpyNetwork(Network):
    """A network that notes each batch whose gradient is asked for."""

    def gradient(self, pixels, labels):
        self.batches.append((pixels[:, 0].tolist(), labels.tolist()))
        return super().gradient(pixels, labels)


@pytest.mark.parametrize(("batch_size", "sizes"), [(4, [4, 4, 3]), (11, [11]), (99, [11]), (1, [1] * 11)])
def test_every_epoch_uses_each_patch_once_in_a_new_order_with_its_label(batch_size, sizes):
    numbers, rng = np.arange(11), np.random.default_rng(0)
    network, patches = SpyNetwork([Dense(25, 2, rng)]), Patches(numbers[:, None] * np.ones(25), numbers % 2)
    network.batches = []
    train(network, patches, epochs=5, batch_size=batch_size, optimizer=SGD(1e-6), rng=rng)
    assert [len(pixels) for pixels, _ in network.batches] == sizes * 5
    for pixels, labels in network.batches:
        assert [number % 2 for number in pixels] == labels
    flat = [number for pixels, _ in network.batches for number in pixels]
    orders = [tuple(flat[i : i + 11]) for i in range(0, 55, 11)]
    assert all(sorted(order) == numbers.tolist() for order in orders)
    assert len({*orders, tuple(numbers)}) == 6


def test_the_same_seed_gives_the_same_result_and_nothing_else_is_touched(capsys):
    patches = easy()
    pixels, labels, state = patches.pixels.copy(), patches.labels.copy(), random.getstate()
    legacy = np.random.get_state()[1].tolist()  # noqa: NPY002
    first, same, other = (fit(patches=patches, seed=seed, test=patches) for seed in (1, 1, 2))
    assert_same(first[0], same[0])
    assert first[1] == same[1] != other[1]
    np.testing.assert_array_equal(patches.pixels, pixels)
    np.testing.assert_array_equal(patches.labels, labels)
    assert random.getstate() == state
    assert np.random.get_state()[1].tolist() == legacy  # noqa: NPY002
    assert capsys.readouterr() == ("", "")


@pytest.mark.shipped
@pytest.mark.parametrize(("batch_size", "where"), [(16, "at learning rate 1e.200"), (60, "in epoch 1")])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_divergence_says_where_and_what_to_try_and_warns_of_nothing(batch_size, where, momentum):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TrainingDiverged, match=f"diverged {where}: .* ten times smaller") as diverged:
            fit(optimizer=SGD(1e200, momentum), batch_size=batch_size)
    assert str(pickle.loads(pickle.dumps(diverged.value))) == str(diverged.value)  # as it comes from another process


@pytest.mark.shipped
def test_divergence_on_pixels_that_are_not_scaled_says_so():
    patches = easy()
    patches.pixels = patches.pixels * 1e6
    with pytest.raises(TrainingDiverged, match=r"pixels reach \d{6}: bring them to 0 to 1"):
        fit(patches=patches)


@pytest.mark.parametrize("optimizer", [SGD, Adam])
@pytest.mark.parametrize("hidden", [(), (4,), (5, 3)])
def test_no_loss_in_a_history_is_infinite_or_useless(hidden, optimizer):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rate in (1e20, 1e102, 1e150, 1e300, 1e307, 1e308):
            with contextlib.suppress(TrainingDiverged):
                _, history = fit(epochs=4, optimizer=optimizer(rate), hidden=hidden, test=easy(30, seed=5))
                assert all(map(math.isfinite, history.test_loss))
                assert max(history.train_loss) < 1e4


@pytest.mark.parametrize(("epochs", "batch_size"), [(-1, 16), (3, 0), (3, -2)])
def test_impossible_settings_are_refused(epochs, batch_size):
    with pytest.raises(ValueError, match=f"{epochs} and {batch_size}"):
        fit(epochs, batch_size=batch_size)
