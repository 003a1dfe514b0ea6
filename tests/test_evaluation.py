"""Scores held against scikit-learn, SciPy, plain loops and the generator, whose truth is known."""

import functools
import json
import math

import numpy as np
import pytest
import sklearn.neural_network
from scipy.special import log_softmax, rel_entr, softmax
from sklearn.metrics import accuracy_score, brier_score_loss, confusion_matrix, log_loss

from edge_demo.evaluation import (
    accuracy,
    baselines,
    bootstrap_interval,
    brier_score,
    calibration_noise_floor,
    distance_to_truth,
    evaluate,
    expected_calibration_error,
    fit_temperature,
    reliability_points,
    scores,
)
from edge_demo.figures.confusion import confusion
from edge_demo.generator import PatchGenerator
from edge_demo.patches import Patches
from edge_demo.runs import load_run
from edge_demo.softmax import cross_entropy

HAZY = PatchGenerator(noise=0.3)
classes_2_3_7 = pytest.mark.parametrize("classes", [2, 3, 7])


def guesses(n, classes, seed=0, sharpness=1.5):
    """Log probabilities (n, classes) and labels (n,) that follow them loosely."""
    rng = np.random.default_rng(seed)
    log_p = log_softmax(rng.normal(0, sharpness, (n, classes)), axis=1)
    return log_p, draw(log_softmax(log_p / 2, axis=1), rng)


def draw(log_p, rng):
    """A label for each row of log probabilities (Gumbel's way)."""
    return (log_p + rng.gumbel(size=log_p.shape)).argmax(axis=1)


def log_of(*rows):
    return np.log(np.array(rows))


# --- scores that need labels only


@classes_2_3_7
def test_accuracy_equals_that_of_scikit_learn(classes):
    log_p, labels = guesses(101, classes)
    assert accuracy(log_p, labels) == accuracy_score(labels, log_p.argmax(axis=1))
    assert 0.3 < accuracy(log_p, labels) < 1
    assert accuracy(log_p, log_p.argmax(axis=1)) == 1
    assert accuracy(log_p, (log_p.argmax(axis=1) + 1) % classes) == 0


def test_the_brier_score_of_two_classes_equals_that_of_scikit_learn():
    log_p, labels = guesses(101, 2)
    assert brier_score(log_p, labels) == pytest.approx(brier_score_loss(labels, np.exp(log_p[:, 1])), rel=1e-12)
    sure = log_softmax([[1e3, -1e3], [-1e3, 1e3]], axis=1)
    assert (brier_score(sure, np.array([0, 1])), brier_score(sure, np.array([1, 0]))) == (0, 1)


@pytest.mark.parametrize("classes", [3, 7])
def test_the_brier_score_of_more_classes_is_the_summed_squared_error(classes):
    log_p, labels = guesses(53, classes)
    total = 0.0
    for row, label in zip(np.exp(log_p), labels, strict=True):
        for k, p in enumerate(row):
            total += (p - (k == label)) ** 2
    assert brier_score(log_p, labels) == pytest.approx(total / 53, rel=1e-12)


@classes_2_3_7
def test_the_scores_are_the_single_functions_and_the_log_loss(classes):
    log_p, labels = guesses(60, classes)
    found = scores(log_p, labels)
    assert found == {
        "accuracy": accuracy(log_p, labels),
        "cross_entropy": pytest.approx(log_loss(labels, np.exp(log_p), labels=range(classes)), rel=1e-12),
        "brier_score": brier_score(log_p, labels),
        "calibration_error": expected_calibration_error(log_p, labels),
    }
    assert all(type(value) is float for value in found.values())


def test_scores_leave_their_inputs_alone():
    log_p, labels = guesses(40, 3)
    copies = log_p.copy(), labels.copy()
    log_p.flags.writeable = labels.flags.writeable = False
    scores(log_p, labels)
    distance_to_truth(log_p, log_p)
    fit_temperature(log_p, labels)
    calibration_noise_floor(log_p, np.random.default_rng(0), draws=2)
    np.testing.assert_array_equal(log_p, copies[0])
    np.testing.assert_array_equal(labels, copies[1])


# --- calibration


def calibration_error_in_a_loop(log_p, labels, bins):
    """For a number of patches that the bins divide evenly."""
    rated = sorted((max(row), row.index(max(row)) == label) for row, label in zip(log_p.tolist(), labels, strict=True))
    size, total = len(rated) // bins, 0.0
    for start in range(0, len(rated), size):
        members = rated[start : start + size]
        confidence = sum(math.exp(log_p) for log_p, _ in members) / size
        share_right = sum(right for _, right in members) / size
        total += abs(confidence - share_right) / bins
    return total


@pytest.mark.parametrize(("n", "bins"), [(300, 15), (300, 1), (300, 10), (12, 12), (90, 2)])
@classes_2_3_7
def test_the_calibration_error_equals_a_loop_over_bins(classes, n, bins):
    log_p, labels = guesses(n, classes)
    expected = calibration_error_in_a_loop(log_p, labels, bins)
    assert expected > 0
    assert expected_calibration_error(log_p, labels, bins) == pytest.approx(expected, rel=1e-12)


def test_the_calibration_error_has_15_bins():
    log_p, labels = guesses(300, 2)
    assert expected_calibration_error(log_p, labels) == expected_calibration_error(log_p, labels, 15)


@pytest.mark.parametrize("n", [1, 7, 15, 16, 44, 1000])
def test_confident_errors_are_the_worst_and_confident_truths_the_best(n):
    wrong = np.arange(n) % 2
    sure = log_softmax(1e3 * np.eye(2)[1 - wrong], axis=1)
    assert expected_calibration_error(sure, wrong) == 1
    assert expected_calibration_error(sure, 1 - wrong) == 0


def test_confidence_that_equals_the_share_of_hits_in_each_bin_is_perfect():
    confident, unsure = log_of([0.9, 0.04, 0.06]), log_of([0.2, 0.2, 0.6])
    log_p = np.vstack([np.tile(confident, (10, 1)), np.tile(unsure, (10, 1))])
    labels = np.array([0] * 9 + [2] + [2] * 6 + [0, 1, 1, 0])  # 9 of 10 and 6 of 10 are right
    assert expected_calibration_error(log_p, labels, bins=2) == pytest.approx(0, abs=1e-12)
    assert expected_calibration_error(log_p, labels, bins=1) == pytest.approx(0, abs=1e-12)
    labels[[0, 1, 10, 11]] = 1  # now 7 of 10 and 4 of 10
    assert expected_calibration_error(log_p, labels, bins=2) == pytest.approx(0.2, abs=1e-12)


def test_over_and_underconfidence_do_not_cancel_across_bins():
    log_p = log_of(*[[0.9, 0.1]] * 4, *[[0.3, 0.7]] * 4)
    labels = np.array([0, 0, 1, 1, 1, 1, 1, 1])  # 0.9 is right in 2 of 4, 0.7 in 4 of 4
    assert expected_calibration_error(log_p, labels, bins=2) == pytest.approx((0.4 + 0.3) / 2, rel=1e-12)
    assert expected_calibration_error(log_p, labels, bins=1) == pytest.approx(0.8 - 0.75, rel=1e-12)


def test_with_fewer_patches_than_bins_each_is_a_bin():
    log_p, labels = log_of([0.9, 0.1], [0.4, 0.6], [0.2, 0.8]), np.array([0, 0, 1])
    assert expected_calibration_error(log_p, labels) == pytest.approx((0.1 + 0.6 + 0.2) / 3, rel=1e-12)


@pytest.mark.parametrize("n", [300, 307])
def test_the_order_of_the_patches_does_not_matter(n):
    log_p, labels = guesses(n, 3)
    assert len(set(log_p.max(axis=1))) == n
    order = np.random.default_rng(1).permutation(n)
    for function in (accuracy, brier_score, expected_calibration_error, cross_entropy, fit_temperature):
        assert function(log_p[order], labels[order]) == pytest.approx(function(log_p, labels), rel=1e-6)


# A single patch with confidence q is off by 1 - q where it is right, and by q where it is not: 2q(1 - q) on average.
@pytest.mark.parametrize("row", [[0.7, 0.3], [0.3, 0.7], [0.7, 0.2, 0.1], [0.1, 0.7, 0.2], [0.2, 0.1, 0.7]], ids=str)
def test_the_noise_floor_of_a_single_patch_is_known(row):
    draws = 3_000
    floor = calibration_noise_floor(log_of(row), np.random.default_rng(0), draws)
    deviation = 0.4 * math.sqrt(0.7 * 0.3 / draws)  # the error is 0.3 or 0.7
    assert floor == pytest.approx(2 * 0.7 * 0.3, abs=5 * deviation)


@pytest.mark.parametrize("target", ["label", "kind"])
def test_the_noise_floor_is_what_the_exact_posterior_shows_on_patches_of_the_generator(target):
    rng, n, sets = np.random.default_rng(1), 150, 80
    shown, floors = [], []
    for _ in range(sets):
        drawn = HAZY.sample(n, rng)
        log_p = HAZY.log_posterior(drawn.pixels, target)
        labels = drawn.labels if target == "label" else drawn.kinds
        shown.append(calibration_error_in_a_loop(log_p, labels, 15))
        floors.append(calibration_noise_floor(log_p, rng, draws=5))
    error = math.hypot(np.std(shown), np.std(floors)) / math.sqrt(sets)
    assert np.mean(floors) == pytest.approx(np.mean(shown), abs=4 * error)
    assert error < 0.05 * np.mean(shown)


def test_the_noise_floor_falls_as_one_over_the_square_root_of_the_number_of_patches():
    log_p = np.tile(log_of([0.7, 0.3]), (9600, 1))
    floors = [calibration_noise_floor(log_p[:n], np.random.default_rng(2)) for n in (600, 2400, 9600)]
    assert floors[0] / floors[1] == pytest.approx(2, rel=0.15)
    assert floors[1] / floors[2] == pytest.approx(2, rel=0.15)


def test_the_noise_floor_depends_on_the_given_generator_only():
    log_p, _ = guesses(100, 3)
    first, same, other = (calibration_noise_floor(log_p, np.random.default_rng(seed), draws=3) for seed in (0, 0, 1))
    assert first == same != other


# --- distance to the truth


@classes_2_3_7
def test_the_distance_is_total_variation_and_the_divergence_of_scipy(classes):
    log_p, truth = guesses(80, classes)[0], guesses(80, classes, seed=1)[0]
    p, p_true = np.exp(log_p), np.exp(truth)
    assert distance_to_truth(log_p, truth) == {
        "mean_absolute_error": pytest.approx(np.maximum(p - p_true, 0).sum() / 80, rel=1e-12),
        "kl_divergence": pytest.approx(rel_entr(p_true, p).sum() / 80, rel=1e-12),
    }


def test_for_two_classes_the_distance_is_the_mean_difference_of_the_probabilities_of_edge():
    log_p, truth = guesses(80, 2)[0], guesses(80, 2, seed=1)[0]
    expected = np.abs(np.exp(log_p[:, 0]) - np.exp(truth[:, 0])).mean()
    assert distance_to_truth(log_p, truth)["mean_absolute_error"] == pytest.approx(expected, rel=1e-12)


@classes_2_3_7
def test_the_distance_is_zero_for_the_truth_and_never_negative(classes):
    truth, _ = guesses(80, classes, sharpness=800)  # with probabilities that are 0 in float64
    assert np.exp(truth).min() == 0
    assert distance_to_truth(truth, truth) == {"mean_absolute_error": 0, "kl_divergence": 0}
    for seed in range(20):
        near = log_softmax(truth + np.random.default_rng(seed).normal(0, 1e-5, truth.shape), axis=1)
        distance = distance_to_truth(near, truth)
        assert distance["mean_absolute_error"] >= 0
        assert distance["kl_divergence"] >= -1e-14


def test_a_confident_error_costs_its_distance_in_nats():
    distance = distance_to_truth(log_softmax([[0.0, -900.0]], axis=1), log_softmax([[-900.0, 0.0]], axis=1))
    assert distance == {"mean_absolute_error": pytest.approx(1), "kl_divergence": pytest.approx(900)}


# --- temperature


@pytest.mark.parametrize("temperature", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("classes", [2, 7])
def test_the_temperature_that_made_the_labels_is_found(classes, temperature):
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 3, (20_000, classes))
    found = fit_temperature(logits, draw(log_softmax(logits / temperature, axis=1), rng))
    assert found == pytest.approx(temperature, rel=0.07)


@classes_2_3_7
def test_the_fitted_temperature_is_the_best(classes):
    logits, labels = guesses(200, classes)
    temperature = fit_temperature(logits, labels)
    best = log_loss(labels, softmax(logits / temperature, axis=1), labels=range(classes))
    for other in (0.02, 0.5 * temperature, 0.99 * temperature, 1.01 * temperature, 2 * temperature, 50):
        assert log_loss(labels, softmax(logits / other, axis=1), labels=range(classes)) > best
    # there the derivative is 0: the mean logit of the labels is the mean logit that the probabilities expect
    expected = (softmax(logits / temperature, axis=1) * logits).sum(axis=1).mean()
    assert logits[np.arange(200), labels].mean() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("factor", [0.1, 3.0, 8.0])
def test_scaled_logits_have_a_scaled_temperature_and_shifted_logits_the_same(factor):
    logits, labels = guesses(300, 3)
    temperature = fit_temperature(logits, labels)
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor * temperature, rel=1e-4)
    shifts = np.random.default_rng(4).normal(0, 5, (300, 1))
    assert fit_temperature(logits + shifts, labels) == pytest.approx(temperature, rel=1e-4)


@pytest.mark.parametrize("sharpness", [0.01, 1, 30])
@pytest.mark.parametrize("n", [1, 2, 30])
def test_a_fitted_temperature_never_harms_on_its_own_patches(n, sharpness):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        logits, labels = rng.normal(0, sharpness, (n, 3)), rng.integers(3, size=n)
        temperature = fit_temperature(logits, labels)
        assert 0.01 <= temperature <= 100
        assert cross_entropy(logits / temperature, labels) <= cross_entropy(logits, labels) + 1e-6


def test_where_no_temperature_is_best_it_stays_within_its_bounds():
    labels = np.arange(40) % 2
    right, wrong = 0.1 * np.eye(2)[labels], 10 * np.eye(2)[1 - labels]
    assert fit_temperature(right, labels) == pytest.approx(0.01, rel=1e-3)  # always right: the sharper, the better
    assert fit_temperature(wrong, labels) == pytest.approx(100, rel=1e-3)  # always wrong: the flatter, the better
    for logits in (1e4 * right, 1e4 * wrong, 0 * right):  # nothing, or almost nothing, to gain
        assert 0.01 <= fit_temperature(logits, labels) <= 100


# --- the bootstrap


def test_the_bootstrap_interval_covers_the_true_mean_as_often_as_it_says():
    rng, runs = np.random.default_rng(5), 400
    covered = 0
    for _ in range(runs):
        low, high = bootstrap_interval(rng.normal(0.3, 2, 100), rng, resamples=300)
        covered += low <= 0.3 <= high
    assert abs(covered - 0.95 * runs) < 4 * math.sqrt(runs * 0.95 * 0.05)


@pytest.mark.parametrize("n", [200, 800])
def test_the_bootstrap_interval_is_1_96_standard_errors_to_each_side(n):
    values = np.random.default_rng(6).normal(-1, 3, n)
    error = values.std() / math.sqrt(n)
    low, high = bootstrap_interval(values, np.random.default_rng(7), resamples=5_000)
    assert (values.mean() - low) / error == pytest.approx(1.96, abs=0.15)
    assert (high - values.mean()) / error == pytest.approx(1.96, abs=0.15)


def test_the_bootstrap_interval_contains_the_mean_and_shrinks_as_patches_are_added():
    values = np.random.default_rng(8).exponential(size=3200)
    widths = []
    for n in (50, 200, 800, 3200):
        low, high = bootstrap_interval(values[:n], np.random.default_rng(9))
        assert low < values[:n].mean() < high
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)


def test_the_bootstrap_interval_depends_on_the_given_generator_only():
    values = np.random.default_rng(10).normal(size=60).tolist()
    first, same, other = (bootstrap_interval(values, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first == same != other
    assert bootstrap_interval([0.25] * 9, np.random.default_rng(0)) == (0.25, 0.25)


# --- baselines

# scikit-learn 1.6 passes SciPy an option that newer SciPy deprecates
old_option = pytest.mark.filterwarnings("ignore:.*L-BFGS-B solver are deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def fitted():
    return baselines(PatchGenerator().sample(2_000, np.random.default_rng(11)), [8], 15, seed=0)


@old_option
def test_a_linear_model_stays_at_chance_where_the_other_baseline_learns(fitted):
    fresh = PatchGenerator().sample(10_000, np.random.default_rng(12))
    assert list(fitted) == ["linear baseline", "scikit-learn MLP"]
    reached = {name: accuracy(predict(fresh.pixels), fresh.labels) for name, predict in fitted.items()}
    assert reached["linear baseline"] == pytest.approx(0.5, abs=0.03)
    assert reached["scikit-learn MLP"] > 0.7


@old_option
@pytest.mark.parametrize("name", ["linear baseline", "scikit-learn MLP"])
def test_baselines_give_finite_normalized_log_probabilities_however_sure_they_are(fitted, name):
    pixels = np.random.default_rng(13).normal(0.5, 0.3, (50, 25)) * np.logspace(-2, 6, 50)[:, None]
    log_p = fitted[name](pixels)
    assert log_p.shape == (50, 2)
    assert np.isfinite(log_p).all()
    assert log_p.min() < -30  # where scikit-learn's own probability is 0, or near it
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1, rtol=0, atol=1e-12)


@old_option
def test_baselines_on_an_easy_problem_put_the_classes_into_the_right_columns():
    rng = np.random.default_rng(14)
    labels = rng.integers(3, size=300)
    easy = Patches(rng.normal(0, 0.1, (300, 4)) + labels[:, None], labels, class_names=("a", "b", "c"))
    for predict in baselines(easy, [8], 40, seed=0).values():
        log_p = predict(easy.pixels)
        assert log_p.shape == (300, 3)
        assert accuracy(log_p, labels) > 0.95


@old_option
def test_the_scikit_learn_mlp_has_the_shape_epochs_and_seed_asked_for(monkeypatch):
    made = []

    class Spy(sklearn.neural_network.MLPClassifier):
        def fit(self, *arguments):
            made.append(self)
            return super().fit(*arguments)

    monkeypatch.setattr(sklearn.neural_network, "MLPClassifier", Spy)
    train_patches = PatchGenerator().sample(300, np.random.default_rng(15))
    for seed in (3, 3, 4):
        baselines(train_patches, [6, 4], 7, seed)
    assert [weights.shape for weights in made[0].coefs_] == [(25, 6), (6, 4), (4, 1)]
    assert made[0].n_iter_ == 7
    first, same, other = (model.coefs_[0].tolist() for model in made)
    assert first == same != other


# --- everything together


class Recorder:
    """A predictor that notes the pixels it is given."""

    def __init__(self, predict):
        self.predict, self.seen = predict, []

    def __call__(self, pixels):
        self.seen.append(pixels.copy())
        return self.predict(pixels)


def bent(target, temperature, shift=0.0):
    """The truth at another temperature, and of pixels that are shifted."""
    return Recorder(lambda pixels: log_softmax(HAZY.log_posterior(pixels + shift, target) / temperature, axis=1))


def evaluated(target, generator=HAZY, seed=17):
    """(predictors, test patches, results): one predictor knows little, one is too sure of itself, one is between."""
    test = HAZY.sample(601, np.random.default_rng(16))
    test = test if target == "label" else test.with_kind_labels()
    predictors = {
        "network before": bent(target, 20.0, shift=0.3),
        "network after": bent(target, 0.5),
        "baseline": bent(target, 1.0, shift=0.2),
    }
    return predictors, test, evaluate(predictors, test, np.random.default_rng(seed), generator, target, fresh=500)


evaluated_once = functools.cache(evaluated)  # for the tests that only look


LABEL_SCORES = ["accuracy", "cross_entropy", "brier_score", "calibration_error"]
DISTANCES = ["mean_absolute_error", "kl_divergence"]
NAMES = ["network before", "network after", "baseline"]
each_target = pytest.mark.parametrize("target", ["label", "kind"])
known_or_not = pytest.mark.parametrize("generator", [HAZY, None], ids=["known", "unknown"])


@each_target
def test_an_evaluation_with_a_generator_has_these_parts(target):
    predictors, _, results = evaluated_once(target, HAZY)
    assert set(results) == {"predictors", "temperature", "differences", "calibration_noise_floor", "fresh"}
    assert results["fresh"] == 500
    assert list(results["predictors"]) == [*NAMES, "exact posterior"]
    for found in results["predictors"].values():
        assert list(found) == LABEL_SCORES + DISTANCES
    assert list(results["temperature"]) == ["temperature", "fitted_on", "measured_on", "without", "with", *DISTANCES]
    assert list(predictors) == NAMES  # the caller's own dict stays as it was


@each_target
def test_without_a_generator_all_that_needs_the_truth_is_left_out(target):
    _, _, results = evaluated_once(target, None)
    assert set(results) == {"predictors", "temperature", "differences"}
    assert list(results["predictors"]) == NAMES
    assert all(list(found) == LABEL_SCORES for found in results["predictors"].values())
    assert list(results["temperature"]) == ["temperature", "fitted_on", "measured_on", "without", "with"]
    assert "exact posterior" not in {row["versus"] for row in results["differences"]}


@each_target
@known_or_not
def test_an_evaluation_comes_back_from_json_unchanged_and_the_same_seed_gives_the_same(target, generator):
    _, _, results = evaluated_once(target, generator)
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    assert evaluated(target, generator)[2] == results
    other = evaluated(target, generator, seed=18)[2]
    assert other != results
    assert other["temperature"]["temperature"] == results["temperature"]["temperature"]  # nothing is drawn for it


@each_target
@known_or_not
def test_the_scores_of_an_evaluation_are_those_of_the_single_functions_on_the_test_patches(target, generator):
    predictors, test, results = evaluated_once(target, generator)
    for name, predictor in predictors.items():
        found = {score: results["predictors"][name][score] for score in LABEL_SCORES}
        assert found == pytest.approx(scores(predictor.predict(test.pixels), test.labels), rel=1e-9)
    if generator is not None:
        found = {score: results["predictors"]["exact posterior"][score] for score in LABEL_SCORES}
        assert found == pytest.approx(scores(HAZY.log_posterior(test.pixels, target), test.labels), rel=1e-9)


@each_target
def test_the_truth_is_compared_on_as_many_fresh_patches_as_asked_for_the_same_for_all(target):
    predictors, test, results = evaluated_once(target, HAZY)
    fresh = predictors["baseline"].seen[-1]
    assert fresh.shape == (500, 25)
    assert not np.isin(fresh, test.pixels).any()
    truth = HAZY.log_posterior(fresh, target)
    assert truth.shape[1] == (2 if target == "label" else 7)
    for name, predictor in predictors.items():
        np.testing.assert_array_equal(predictor.seen[-1], fresh)
        found = {distance: results["predictors"][name][distance] for distance in DISTANCES}
        assert found == pytest.approx(distance_to_truth(predictor.predict(fresh), truth), rel=1e-9)
        assert found["kl_divergence"] > 0.01
    exact = results["predictors"]["exact posterior"]
    assert [exact[distance] for distance in DISTANCES] == pytest.approx([0, 0], abs=1e-12)
    cooled = log_softmax(predictors["network after"].predict(fresh) / results["temperature"]["temperature"], axis=1)
    found = {distance: results["temperature"][distance] for distance in DISTANCES}
    assert found == pytest.approx(distance_to_truth(cooled, truth), rel=1e-9)
    assert found["kl_divergence"] < results["predictors"]["network after"]["kl_divergence"]


def test_ten_thousand_fresh_patches_are_drawn_unless_told_otherwise():
    predictor = Recorder(lambda pixels: log_softmax(pixels[:, :2], axis=1))
    predictors = {"network before": predictor, "network after": predictor}
    results = evaluate(predictors, HAZY.sample(40, np.random.default_rng(0)), np.random.default_rng(1), HAZY)
    assert len(predictor.seen[-1]) == results["fresh"] == 10_000


@each_target
@known_or_not
def test_the_temperature_is_fitted_on_the_first_half_and_measured_on_the_second(target, generator):
    predictors, test, results = evaluated_once(target, generator)
    log_p, found = predictors["network after"].predict(test.pixels), results["temperature"]
    assert (found["fitted_on"], found["measured_on"]) == (300, 301)
    assert found["temperature"] == pytest.approx(fit_temperature(log_p[:300], test.labels[:300]), rel=1e-6)
    assert found["without"] == pytest.approx(scores(log_p[300:], test.labels[300:]), rel=1e-9)
    cooled = log_softmax(log_p[300:] / found["temperature"], axis=1)
    assert found["with"] == pytest.approx(scores(cooled, test.labels[300:]), rel=1e-9)
    assert found["temperature"] == pytest.approx(2, rel=0.25)  # which undoes what was done to the truth
    assert found["with"]["cross_entropy"] < found["without"]["cross_entropy"]


@each_target
def test_the_noise_floor_of_an_evaluation_is_that_of_as_many_test_patches(target):
    _, test, results = evaluated_once(target, HAZY)
    log_p = HAZY.log_posterior(test.pixels, target)
    expected = calibration_noise_floor(log_p, np.random.default_rng(0), draws=300)
    assert results["calibration_noise_floor"] == pytest.approx(expected, rel=0.15)


@each_target
@known_or_not
def test_differences_are_those_of_the_scores_with_an_interval_about_them(target, generator):
    predictors, test, results = evaluated_once(target, generator)
    found = {(row["score"], row["versus"]): row for row in results["differences"]}
    others = [name for name in results["predictors"] if name != "network after"]
    assert list(found) == [(score, other) for other in others for score in ("accuracy", "cross_entropy")]
    assert len(results["differences"]) == len(found)
    log_p = {name: predictor.predict(test.pixels) for name, predictor in predictors.items()}
    log_p["exact posterior"] = HAZY.log_posterior(test.pixels, target)
    rows = np.arange(len(test))
    of_each_patch = {
        "accuracy": {name: 1.0 * (values.argmax(axis=1) == test.labels) for name, values in log_p.items()},
        "cross_entropy": {name: -values[rows, test.labels] for name, values in log_p.items()},
    }
    for (score, other), row in found.items():
        assert set(row) == {"score", "versus", "mean", "low", "high"}
        mean = results["predictors"]["network after"][score] - results["predictors"][other][score]
        assert row["mean"] == pytest.approx(mean, abs=1e-12)
        error = (of_each_patch[score]["network after"] - of_each_patch[score][other]).std() / math.sqrt(len(test))
        assert row["low"] == pytest.approx(mean - 1.96 * error, abs=0.5 * error)
        assert row["high"] == pytest.approx(mean + 1.96 * error, abs=0.5 * error)


def test_patches_of_any_size_and_classes_can_be_evaluated_without_a_generator():
    rng = np.random.default_rng(19)
    test = Patches(rng.random((30, 4)), rng.integers(3, size=30), class_names=("a", "b", "c"))
    predictors = {
        "network before": lambda pixels: log_softmax(pixels[:, :3], axis=1),
        "network after": lambda pixels: log_softmax(3 * pixels[:, 1:], axis=1),
    }
    results = evaluate(predictors, test, rng)
    assert set(results["predictors"]) == set(predictors)
    json.dumps(results, allow_nan=False)


# ------------------------------------------------------------------------------------------------ reliability


@pytest.mark.parametrize("bins", [1, 4, 15])
def test_points_of_a_reliability_diagram_are_means_over_bins_of_equally_many(bins):
    rng = np.random.default_rng(bins)
    p = rng.permutation(np.linspace(0.001, 0.999, 600) ** 2)  # all different, so that bins are simply runs of the order
    is_class = rng.random(600) < p
    mean, share, patches = reliability_points(p, is_class, bins)
    order = np.argsort(p)
    np.testing.assert_allclose(mean, [part.mean() for part in np.split(p[order], bins)], rtol=1e-12)
    np.testing.assert_allclose(share, [part.mean() for part in np.split(is_class[order], bins)], rtol=1e-12)
    assert patches.tolist() == [600 // bins] * bins


def test_bins_that_share_an_edge_are_one_and_every_patch_is_in_one():
    rng = np.random.default_rng(0)
    for _ in range(50):
        p = rng.choice([0.0, 1.0, 0.2, 0.2, 0.7, 1e-9], size=rng.integers(1, 200))
        is_class = rng.random(len(p)) < 0.5
        mean, share, patches = reliability_points(p, is_class)
        assert len(mean) == len(share) == len(patches) <= len(set(p))
        assert patches.sum() == len(p)
        np.testing.assert_allclose(patches @ mean, p.sum(), rtol=1e-12)
        np.testing.assert_allclose(patches @ share, is_class.sum(), rtol=1e-12)


@pytest.mark.parametrize("fixture", ["trained", "trained_kinds"])
def test_the_diagrams_of_a_run_show_patches_on_which_no_temperature_was_fitted(request, fixture):
    run = load_run(request.getfixturevalue(fixture)[0])
    cooling, labels = run.evaluation["temperature"], run.test.labels[run.evaluation["temperature"]["fitted_on"] :]
    logits = run.after.logits(run.test.pixels)[-len(labels) :]
    names = [name for name, *_ in run.reliability]
    assert names == [
        "before training",
        "after training",
        f"after, temperature {cooling['temperature']:.2f}",
        "exact posterior",
    ]
    for _, p, (_, share, patches) in run.reliability:
        assert p.shape == labels.shape
        assert patches.sum() == len(labels)
        assert 0 <= share.min() <= share.max() <= 1
    expected = softmax(logits / cooling["temperature"], axis=1)
    _, p, (_, share, patches) = run.reliability[2]
    if len(run.test.class_names) == 2:
        np.testing.assert_allclose(p, expected[:, 0], rtol=1e-9)
        np.testing.assert_allclose(patches @ share, (labels == 0).sum())
    else:
        np.testing.assert_allclose(p, expected.max(axis=1), rtol=1e-9)
        np.testing.assert_allclose(patches @ share, (logits.argmax(axis=1) == labels).sum())


@pytest.mark.parametrize("classes", [2, 7, 50])
def test_the_figure_of_confusions_counts_them_as_scikit_learn_does(classes):
    rng = np.random.default_rng(classes)
    labels, before = rng.integers(classes, size=(2, 300))
    after = np.where(rng.random(300) < 0.8, labels, classes - 1)
    figure = confusion(labels, before, after, [f"class {k}" for k in range(classes)])
    for panel, predicted in zip(figure.axes[:2], (before, after), strict=True):
        counts = confusion_matrix(labels, predicted, labels=range(classes))
        np.testing.assert_array_equal(panel.images[0].get_array(), counts)
        numbers = {text.get_position(): text.get_text() for text in panel.texts}
        expected = {(column, row): f"{counts[row, column]:,}" for row in range(classes) for column in range(classes)}
        assert numbers == (expected if classes < 50 else {})  # for which there is no room
    assert f"{(before == labels).sum()} of 300" in figure.get_suptitle()
    assert f"{(after == labels).sum()} after" in figure.get_suptitle()
