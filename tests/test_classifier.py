"""EdgeClassifier: scikit-learn's own checks, its tools around it, and the same network as train.py's inside."""

import io

import joblib
import numpy as np
import pytest
from conftest import ROOT
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import parametrize_with_checks

from edge_demo.classifier import EdgeClassifier
from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import load_dataset
from edge_demo.datasets.patches import KIND_NAMES
from edge_demo.network import build_network
from edge_demo.optimizers import OPTIMIZERS, SGD
from edge_demo.softmax import softmax
from edge_demo.training import TrainingDiverged, train

PATCHES = PatchGenerator().sample(600, np.random.default_rng(0))
NAMES = np.array(KIND_NAMES)[PATCHES.kinds]


def quick(**settings):
    return EdgeClassifier(**{"epochs": 5, "random_state": 0} | settings)


def assert_same_weights(model, other):
    for array, expected in zip(model.network_.parameters, other.network_.parameters, strict=True):
        np.testing.assert_array_equal(array, expected)


@parametrize_with_checks([EdgeClassifier()])
def test_every_check_of_scikit_learn_passes(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("y", "classes"), [(PATCHES.labels, 2), (NAMES, 7), (np.arange(600) % 23 * 10, 23)])
def test_probabilities_are_the_softmax_of_the_decision_function_exactly(y, classes):
    model = quick().fit(PATCHES.pixels, y)
    decision = model.decision_function(PATCHES.pixels)
    assert decision.shape == ((600,) if classes == 2 else (600, classes))
    logits = np.stack([np.zeros(600), decision], axis=1) if classes == 2 else decision
    np.testing.assert_array_equal(model.predict_proba(PATCHES.pixels), softmax(logits))
    np.testing.assert_allclose(np.exp(model.predict_log_proba(PATCHES.pixels)), softmax(logits), rtol=1e-12)
    np.testing.assert_array_equal(model.predict(PATCHES.pixels), model.classes_[logits.argmax(axis=1)])
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    assert model.n_features_in_ == 25
    assert len(model.loss_curve_) == model.n_iter_ == 5


def test_without_standardize_the_weights_are_those_of_train():
    dataset = load_dataset(ROOT / "data")
    rng = np.random.default_rng(3)
    network = build_network(25, [16], 2, rng)
    history = train(network, dataset.train, epochs=2, batch_size=32, optimizer=SGD(0.2), rng=rng)
    model = EdgeClassifier(epochs=2, standardize=False, random_state=3).fit(dataset.train.pixels, dataset.train.labels)
    for array, expected in zip(model.network_.parameters, network.parameters, strict=True):
        np.testing.assert_array_equal(array, expected)
    assert model.loss_curve_ == history.train_loss[1:]
    assert model.loss_curve_[-1] == pytest.approx(
        log_loss(dataset.train.labels, model.predict_proba(dataset.train.pixels)), rel=1e-9
    )


def test_a_pickle_comes_back_whole_small_and_able_to_train_on():
    model = quick().fit(PATCHES.pixels, NAMES)
    expected = model.predict_proba(PATCHES.pixels)
    file = io.BytesIO()
    joblib.dump(model, file)
    assert file.tell() < 40_000  # the weights, and no patches that the layers have seen
    file.seek(0)
    again = joblib.load(file)
    np.testing.assert_array_equal(again.predict_proba(PATCHES.pixels), expected)
    for copy in (model, again):
        copy.partial_fit(PATCHES.pixels, NAMES)
    assert_same_weights(again, model)
    assert not np.array_equal(again.predict_proba(PATCHES.pixels), expected)


def test_calls_of_partial_fit_are_the_epochs_of_fit():
    fitted = quick(epochs=3).fit(PATCHES.pixels, NAMES)
    streamed = quick()
    for _ in range(3):
        streamed.partial_fit(PATCHES.pixels, NAMES, classes=KIND_NAMES)
    assert_same_weights(streamed, fitted)
    assert streamed.loss_curve_ == fitted.loss_curve_


def test_a_first_call_without_a_spread_is_refused_with_the_way_round():
    with pytest.raises(ValueError, match="standardize=False"):
        quick().partial_fit(PATCHES.pixels[:1], [0], classes=[0, 1])
    model = quick(standardize=False).partial_fit(PATCHES.pixels[:1], [0], classes=[0, 1])
    assert model.n_iter_ == 1


def test_an_optimizer_has_its_usual_rate_unless_one_is_given():
    for name, (_, usual) in OPTIMIZERS.items():
        assert_same_weights(
            quick(optimizer=name).fit(PATCHES.pixels, NAMES),
            quick(optimizer=name, learning_rate=usual).fit(PATCHES.pixels, NAMES),
        )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"optimizer": "adagrad"}, "optimizer"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"epochs": 1.5}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_by_name(settings, words):
    with pytest.raises(ValueError, match=words):
        quick(**settings).fit(PATCHES.pixels, NAMES)


def test_other_mistakes_are_named_too():
    with pytest.raises(ValueError, match="classes"):
        quick().partial_fit(PATCHES.pixels, NAMES)
    with pytest.raises(TrainingDiverged):
        quick(learning_rate=1e200).fit(PATCHES.pixels, NAMES)


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_features_of_any_scale_are_learned_alike(scale):
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(60, 4))
    labels = (pixels[:, 0] > 0).astype(int)
    plain, scaled = (quick().fit(pixels * by, labels) for by in (1.0, scale))
    np.testing.assert_allclose(scaled.predict_proba(pixels * scale), plain.predict_proba(pixels), rtol=1e-6)
