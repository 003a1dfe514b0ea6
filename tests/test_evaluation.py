"""Scores and parts of the loss held against scikit-learn, SciPy, plain loops and the generator's known truth."""

import math

import numpy as np
import pytest
from scipy.special import log_softmax, rel_entr, softmax, xlogy
from scipy.stats import t as student
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    classification_report,
    confusion_matrix,
    log_loss,
)

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.patches import Patches
from edge_demo.evaluation import (
    NoTemperature,
    accuracy,
    against_truth,
    baselines,
    bootstrap_interval,
    brier_score,
    class_margins,
    class_scores,
    difference,
    differences_from,
    distance_to_truth,
    each_patch,
    equal_mass_bins,
    expected_calibration_error,
    fit_temperature,
    guessers_interval,
    guessing,
    kind_scores,
    loss_parts,
    probability_text,
    scores,
    stratified_halves,
    try_temperature,
)
from edge_demo.figures.confusion import confusion
from edge_demo.network import build_network
from edge_demo.optimizers import make_optimizer
from edge_demo.softmax import cross_entropy
from edge_demo.training import train

classes_2_3_7 = pytest.mark.parametrize("classes", [2, 3, 7])


def guesses(n, classes, seed=0, sharpness=1.5):
    """Log probabilities (n, classes) and labels (n,) that follow them loosely."""
    rng = np.random.default_rng(seed)
    log_p = log_softmax(rng.normal(0, sharpness, (n, classes)), axis=1)
    return log_p, draw(log_softmax(log_p / 2, axis=1), rng)


def draw(log_p, rng):
    """A label for each row of log probabilities (Gumbel's way)."""
    return (log_p + rng.gumbel(size=log_p.shape)).argmax(axis=1)


def logs(p):
    """Log probabilities (n, 2) of p (n,) of class 0."""
    p = np.asarray(p, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.log(np.stack([p, 1 - p], axis=1))


# ---------------------------------------------------------------------------------- scores that need labels only


@classes_2_3_7
def test_the_scores_are_those_of_scikit_learn(classes):
    log_p, labels = guesses(101, classes)
    found = scores(log_p, labels)
    assert list(found) == ["accuracy", "cross_entropy", "brier_score", "calibration_error"]
    assert found["accuracy"] == accuracy_score(labels, log_p.argmax(axis=1))
    assert found["cross_entropy"] == pytest.approx(log_loss(labels, np.exp(log_p), labels=range(classes)), rel=1e-12)
    assert all(type(value) is float for value in found.values())


def test_the_brier_score_of_two_classes_is_that_of_scikit_learn_and_of_more_the_summed_squared_error():
    log_p, labels = guesses(101, 2)
    assert brier_score(log_p, labels) == pytest.approx(brier_score_loss(labels, np.exp(log_p[:, 1])), rel=1e-12)
    log_p, labels = guesses(53, 5)
    total = sum((math.exp(log_p[i, k]) - (k == labels[i])) ** 2 for i in range(53) for k in range(5))
    assert brier_score(log_p, labels) == pytest.approx(total / 53, rel=1e-12)


@classes_2_3_7
def test_margins_are_log_odds(classes):
    logits = np.random.default_rng(0).normal(0, 3, (40, classes))
    labels = np.arange(40) % classes
    p = softmax(logits, axis=1)[np.arange(40), labels]
    np.testing.assert_allclose(class_margins(logits, labels), np.log(p / (1 - p)), rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(class_margins(logits, 1), class_margins(logits, np.ones(40, dtype=int)))


@pytest.mark.parametrize("labels", [[[0], [1], [2]], [0, 1, -1], [1, 2, 3], [0, 1], [0.5, 1, 2]])
@pytest.mark.parametrize(
    "judge",
    [
        accuracy,
        brier_score,
        class_margins,
        each_patch,
        expected_calibration_error,
        fit_temperature,
        scores,
        lambda log_p, labels: class_scores(log_p, labels, "abc"),
        lambda log_p, labels: kind_scores({"after": log_p}, labels, labels, "abc"),
        lambda log_p, labels: differences_from(log_p, {"other": log_p}, labels, np.random.default_rng(0)),
    ],
)
def test_labels_of_another_shape_or_range_are_refused(judge, labels):
    with pytest.raises(ValueError, match="labels"):
        judge(guesses(3, 3)[0], np.array(labels))


# ------------------------------------------------------------------------------------------- bins and calibration


@pytest.mark.parametrize(("n", "bins"), [(300, 15), (307, 15), (12, 12), (7, 15), (1, 15)])
def test_bins_of_different_values_hold_equally_many_in_the_order_of_the_values(n, bins):
    values = np.random.default_rng(n).permutation(n) ** 3.0
    bin_of = equal_mass_bins(values, bins)
    assert (np.diff(bin_of[np.argsort(values)]) >= 0).all()
    counts = np.bincount(bin_of)
    counts = counts[counts > 0]
    assert len(counts) == min(n, bins)
    assert counts.max() - counts.min() <= 1


def test_equal_values_share_a_bin_whatever_the_order_of_the_rows():
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.choice([0.0, 0.1, 0.1, 0.5, 0.5, 0.9, 1e-9, 1.0], size=rng.integers(1, 200))
        bin_of = equal_mass_bins(values, 15)
        for value in np.unique(values):
            assert len(set(bin_of[values == value])) == 1
        order = rng.permutation(len(values))
        np.testing.assert_array_equal(equal_mass_bins(values[order], 15), bin_of[order])


def test_a_constant_half_that_is_right_half_of_the_time_has_no_calibration_error_in_any_order():
    log_p, labels = logs(np.full(1000, 0.5)), np.repeat([0, 1], 500)
    assert expected_calibration_error(log_p, labels) == pytest.approx(0, abs=1e-12)
    assert expected_calibration_error(log_p, labels[::-1]) == pytest.approx(0, abs=1e-12)
    assert expected_calibration_error(log_p, np.tile([0, 1], 500)) == pytest.approx(0, abs=1e-12)


def calibration_error_in_a_loop(log_p, labels, bins):
    """For a number of patches, of different confidence, that the bins divide evenly."""
    rated = sorted((max(row), row.index(max(row)) == label) for row, label in zip(log_p.tolist(), labels, strict=True))
    size, total = len(rated) // bins, 0.0
    for start in range(0, len(rated), size):
        members = rated[start : start + size]
        confidence = sum(math.exp(log_p) for log_p, _ in members) / size
        share_right = sum(right for _, right in members) / size
        total += abs(confidence - share_right) / bins
    return total


@pytest.mark.parametrize(("n", "bins"), [(300, 15), (300, 1), (12, 12), (90, 2)])
@classes_2_3_7
def test_the_calibration_error_equals_a_loop_over_bins(classes, n, bins):
    log_p, labels = guesses(n, classes)
    expected = calibration_error_in_a_loop(log_p, labels, bins)
    assert expected > 0
    assert expected_calibration_error(log_p, labels, bins) == pytest.approx(expected, rel=1e-12)


# ----------------------------------------------------------------------------------------- where the loss comes from


@pytest.fixture(scope="module")
def drawn():
    """(learned, exact): log probabilities of 40,000 patches; the learned ones are too sure, and of blurred pixels."""
    generator, rng = PatchGenerator(), np.random.default_rng(1)
    pixels = generator.sample(40_000, rng).pixels
    blurred = pixels + rng.normal(0, 0.1, pixels.shape)
    return log_softmax(1.7 * generator.log_posterior(blurred), axis=1), generator.log_posterior(pixels)


def entropy(p):
    return -sum(x * math.log(x) for x in (p, 1 - p) if x > 0)


def test_the_parts_of_a_discrete_example_are_the_exact_sums():
    cells = {
        0.1: [0.0, 0.05, 0.2],
        0.4: [0.1, 0.9],
        0.8: [0.8],
        0.97: [1.0, 0.5],
    }  # the exact p's behind each learned q
    learned = [q for q, truths in cells.items() for _ in truths]
    exact = [p for truths in cells.values() for p in truths]
    n = len(exact)
    bayes = sum(entropy(p) for p in exact) / n
    grouping = sum(len(truths) * entropy(sum(truths) / len(truths)) for truths in cells.values()) / n - bayes
    loss = -sum(p * math.log(q) + (1 - p) * math.log(1 - q) for q, p in zip(learned, exact, strict=True)) / n

    order = np.random.default_rng(0).permutation(5_000 * n) % n
    found = loss_parts(logs(learned)[order], logs(exact)[order])
    assert found.bayes == pytest.approx(bayes, abs=1e-12)
    assert found.grouping == pytest.approx(grouping, abs=2e-5)
    assert found.calibration == pytest.approx(loss - bayes - grouping, abs=2e-5)
    assert found.excess == pytest.approx(loss - bayes, abs=1e-12)


@pytest.mark.parametrize("sharpness", [0.01, 1.0, 100.0])
def test_the_parts_add_up_to_the_expected_cross_entropy(sharpness):
    log_q, truth = guesses(3000, 2, sharpness=sharpness)[0], guesses(3000, 2, seed=1, sharpness=4)[0]
    expected = -(np.exp(truth) * log_q).sum(axis=1).mean()
    parts = loss_parts(log_q, truth)
    assert parts.bayes + parts.grouping + parts.calibration == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert parts.bayes + parts.excess == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert parts.bayes == pytest.approx(-xlogy(np.exp(truth), np.exp(truth)).sum(axis=1).mean(), abs=1e-12)


@pytest.mark.parametrize("name", ["temperature 5", "temperature 0.2", "cube", "shift"])
def test_a_monotone_map_leaves_the_grouping_as_it_is(drawn, name):
    learned, truth = drawn
    log_odds = learned[:, 0] - learned[:, 1]
    maps = {
        "temperature 5": log_odds / 5,
        "temperature 0.2": log_odds / 0.2,
        "cube": log_odds**3,
        "shift": log_odds + 3,
    }
    mapped = log_softmax(np.stack([maps[name], np.zeros(len(log_odds))], axis=1), axis=1)
    before, after = loss_parts(learned, truth), loss_parts(mapped, truth)
    assert after.grouping == pytest.approx(before.grouping, abs=1e-12)
    assert abs(after.calibration - before.calibration) > 0.001


@pytest.fixture(scope="module")
def two_networks():
    """Log probabilities of 200,000 patches by a network after 40 and after 200 epochs, and their exact ones."""
    generator, rng = PatchGenerator(), np.random.default_rng(0)
    few, network = generator.sample(1_000, rng), build_network(25, [16], 2, rng)
    pixels = generator.sample(200_000, rng).pixels
    logits = {}
    for epochs in (40, 160):
        optimizer = make_optimizer("sgd")
        train(network, few, epochs=epochs, batch_size=32, optimizer=optimizer, rng=rng)
        logits[epochs] = log_softmax(network.logits(pixels), axis=1)
    return logits, generator.log_posterior(pixels)


@pytest.mark.parametrize("epochs", [40, 160])
def test_the_calibration_of_few_patches_is_that_of_very_many_on_average(two_networks, epochs):
    logits, truth = two_networks[0][epochs], two_networks[1]
    many = calibration_by_finer_means(logits, truth)
    assert loss_parts(logits[:50_000], truth[:50_000]).calibration == pytest.approx(many, abs=0.002)
    draws = [slice(start, start + 2_000) for start in range(0, len(truth), 2_000)]
    found = [loss_parts(logits[rows], truth[rows]).calibration for rows in draws]
    assert np.mean(found) == pytest.approx(many, abs=0.002)


def calibration_by_finer_means(logits, truth):
    """E[KL(c ‖ q)]; c: the mean exact p of the 200 patches with the nearest q on either side, itself left out."""
    order = np.argsort(logits[:, 0] - logits[:, 1])
    p, log_q = np.exp(truth[order, 0]), logits[order]
    sums = np.concatenate([[0], np.cumsum(p)])
    first = np.clip(np.arange(len(p)) - 200, 0, None)
    last = np.clip(np.arange(len(p)) + 201, None, len(p))
    c = (sums[last] - sums[first] - p) / (last - first - 1)
    losses = xlogy(p, c) + xlogy(1 - p, 1 - c) - p * log_q[:, 0] - (1 - p) * log_q[:, 1]
    return losses.mean()


def test_the_exact_posterior_has_neither_grouping_nor_calibration_loss(drawn):
    parts = loss_parts(drawn[1], drawn[1], floor=0.1)
    assert (parts.bayes, parts.grouping, parts.calibration, parts.excess) == (0.1, 0, 0, 0)


def test_each_prediction_has_its_row_with_the_error_of_what_is_above_the_floor(drawn):
    learned, truth = drawn
    rows = against_truth({"learned": learned, "exact": truth}, truth, 0.18)
    parts = loss_parts(learned, truth)
    assert rows["learned"].items() >= distance_to_truth(learned, truth).items()
    assert (rows["learned"]["bayes"], rows["learned"]["grouping"]) == (0.18, parts.grouping)
    halves = [loss_parts(learned[half::20], truth[half::20]).excess for half in range(20)]
    assert rows["learned"]["error"] == pytest.approx(1.96 * np.std(halves, ddof=1) / np.sqrt(20), rel=0.5)
    assert rows["exact"]["error"] == 0


def test_impossible_classes_cost_nothing_where_they_are_known_and_all_where_they_are_not():
    certain = logs([0.0, 1.0, 0.0, 1.0])
    known = loss_parts(certain, certain)
    assert (known.bayes, known.grouping, known.calibration) == (0, 0, 0)
    assert loss_parts(certain[::-1], certain).excess == math.inf


@pytest.mark.parametrize("classes", [3, 7])
def test_of_more_than_two_classes_floor_and_excess_are_told_and_nothing_is_guessed(classes):
    log_q, truth = guesses(80, classes)[0], guesses(80, classes, seed=1)[0]
    parts = loss_parts(log_q, truth)
    assert parts.grouping is parts.calibration is None
    assert parts.bayes == pytest.approx(-xlogy(np.exp(truth), np.exp(truth)).sum() / 80, rel=1e-12)
    assert parts.excess == pytest.approx(rel_entr(np.exp(truth), np.exp(log_q)).sum() / 80, rel=1e-12)


# ------------------------------------------------------------------------------------------- distance to the truth


@classes_2_3_7
def test_the_distance_is_total_variation_and_the_divergence_of_scipy(classes):
    log_p, truth = guesses(80, classes)[0], guesses(80, classes, seed=1, sharpness=3)[0]
    p, p_true = np.exp(log_p), np.exp(truth)
    each = np.maximum(p - p_true, 0).sum(axis=1)
    ambiguous = [max(row) < 0.95 for row in p_true]
    assert 0 < sum(ambiguous) < 80
    assert distance_to_truth(log_p, truth) == {
        "mean_absolute_error": pytest.approx(each.mean(), rel=1e-12),
        "ambiguous_error": pytest.approx(each[ambiguous].mean(), rel=1e-12),
        "kl_divergence": pytest.approx(rel_entr(p_true, p).sum() / 80, rel=1e-12),
    }


def test_a_patch_of_two_classes_is_ambiguous_where_its_exact_p_is_between_5_and_95_percent():
    learned, exact = logs([0.5] * 4), logs([0.04, 0.06, 0.94, 0.96])
    assert distance_to_truth(learned, exact)["ambiguous_error"] == pytest.approx(0.44)
    assert distance_to_truth(learned[[0, 3]], exact[[0, 3]])["ambiguous_error"] is None


# --------------------------------------------------------------------------------------------------- temperature


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


@pytest.mark.parametrize(
    ("logits", "words"),
    [
        (0.1 * np.eye(2)[[0, 1] * 20], "every patch is classified right"),
        (10 * np.eye(2)[[1, 0] * 20], "say nothing that the labels confirm"),
        (np.full((40, 2), 3.0), "logits of all classes are equal"),
        (np.tile([[5.0, 0.0]], (40, 1)), "say nothing that the labels confirm"),
    ],
)
def test_where_no_temperature_is_best_none_is_shown_and_the_reason_is_said(logits, words):
    with pytest.raises(NoTemperature, match=words):
        fit_temperature(logits, np.arange(40) % 2)


@classes_2_3_7
def test_a_class_that_is_ruled_out_counts_as_if_it_were_not_there(classes):
    logits, labels = guesses(200, classes)
    more = np.insert(logits, 1, -np.inf, axis=1)
    assert fit_temperature(more, labels + (labels >= 1)) == pytest.approx(fit_temperature(logits, labels), rel=1e-9)
    with pytest.raises(NoTemperature, match="ruled out"):
        fit_temperature(more, np.ones(200, dtype=int))


def test_a_temperature_is_tried_on_the_half_on_which_it_was_not_fitted():
    log_p, labels = guesses(400, 2)
    halves = stratified_halves(labels, np.random.default_rng(0))
    found, t = try_temperature(log_p, labels, halves), fit_temperature(log_p[halves[0]], labels[halves[0]])
    rest = log_p[halves[1]]
    assert found["temperature"] == t
    assert found["without"] == scores(rest, labels[halves[1]])
    assert found["with"] == pytest.approx(scores(log_softmax(rest / t, axis=1), labels[halves[1]]))
    right = try_temperature(np.log(np.eye(2) * 0.8 + 0.1)[labels], labels, halves)
    assert right["temperature"] is None
    assert "classified right" in right["note"]


@pytest.mark.parametrize("counts", [(500, 500), (990, 10), (7, 4, 1), (2, 1)])
def test_halves_have_half_of_every_class_though_the_rows_are_sorted_by_class(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    first, second = stratified_halves(labels, np.random.default_rng(0))
    assert sorted([*first, *second]) == list(range(len(labels)))
    for k in range(len(counts)):
        assert abs((labels[first] == k).sum() - (labels[second] == k).sum()) <= 1
    assert abs(len(first) - len(second)) <= 1


# ------------------------------------------------------------------------------------------------------ guessing


def test_a_guesser_names_the_most_frequent_class_of_training_and_loses_the_entropy_of_its_shares():
    counts, labels = [90, 10], np.repeat([0, 1], [90, 10])
    log_p = guessing(counts, 100)
    assert accuracy(log_p, labels) == 0.9
    assert cross_entropy(log_p, labels) == pytest.approx(entropy(0.9), rel=1e-12)
    assert accuracy(guessing(counts, 4), np.array([1, 1, 1, 0])) == 0.25  # the most frequent class of training
    assert cross_entropy(guessing([3, 0], 1), np.array([1])) == math.inf


@pytest.mark.parametrize("n", [1, 2, 5, 20, 300])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_the_interval_of_guessers_holds_95_percent_of_the_binomial_and_stays_within_0_and_1(n, share):
    def up_to(k):
        return sum(math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k + 1))

    low, high = guessers_interval(share, n)
    assert 0 <= low <= high <= 1
    first, last = round(low * n), round(high * n)
    assert up_to(last) >= 0.975 - 1e-12
    assert up_to(first - 1) < 0.025  # of fewer than low
    assert up_to(last - 1) < 0.975  # no higher than needed


# ------------------------------------------------------------------------------------------- bootstrap and baselines


def test_the_bootstrap_interval_covers_the_true_mean_as_often_as_it_says():
    rng, runs = np.random.default_rng(5), 400
    covered = 0
    for _ in range(runs):
        low, high = bootstrap_interval(rng.normal(0.3, 2, 100), rng, resamples=300)
        covered += low <= 0.3 <= high
    assert abs(covered - 0.95 * runs) < 4 * math.sqrt(runs * 0.95 * 0.05)


def test_between_groups_the_interval_is_welchs_over_the_seeds():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(0.3, 0.05, (4, 50)), rng.normal(0.2, 0.02, (3, 50))
    a, b = ours.mean(axis=1), theirs.mean(axis=1)
    errors = [x.var(ddof=1) / len(x) for x in (a, b)]
    freedom = sum(errors) ** 2 / sum(error**2 / (len(x) - 1) for error, x in zip(errors, (a, b), strict=True))
    half = student.ppf(0.975, freedom) * np.sqrt(sum(errors))
    middle = a.mean() - b.mean()
    found = difference(ours, theirs, rng)
    assert found == pytest.approx({"mean": middle, "low": middle - half, "high": middle + half})


def test_a_run_beside_a_group_is_judged_by_where_another_seed_would_lie():
    rng, inside = np.random.default_rng(0), 0
    for _ in range(400):
        values = rng.normal(1.0, 0.2, (6, 1))
        row = difference(values[5:], values[:5], rng)
        inside += row["low"] <= 0 <= row["high"]
    assert 0.92 < inside / 400 < 0.98


def test_between_single_trainings_the_interval_is_that_of_the_patches():
    rng = np.random.default_rng(0)
    log_p, labels = guesses(500, 3)
    other = log_softmax(log_p / 3, axis=1)
    found = differences_from(log_p, {"other": other, "never": guessing([1, 0, 0], 500)}, labels, rng)
    each = other[np.arange(500), labels] - log_p[np.arange(500), labels]
    error, row = each.std() / np.sqrt(500), found["other"]["cross_entropy"]
    assert row["mean"] == pytest.approx(each.mean(), abs=1e-12)
    for end, sign in (("low", -1), ("high", 1)):
        assert row[end] == pytest.approx(each.mean() + sign * 1.96 * error, abs=0.4 * error)
    assert found["never"].keys() == {"accuracy"}  # the other's loss is infinite


# scikit-learn 1.6 passes SciPy an option that newer SciPy deprecates
old_option = pytest.mark.filterwarnings("ignore:.*L-BFGS-B solver are deprecated:DeprecationWarning")


@old_option
def test_a_linear_model_stays_at_chance_where_the_other_baseline_learns():
    few, fresh = (PatchGenerator().sample(n, np.random.default_rng(n)) for n in (2_000, 10_000))
    predictors = baselines(few, [8], 15, seed=0)
    assert list(predictors) == ["linear", "scikit-learn MLP"]
    reached = {name: accuracy(predict(fresh.pixels), fresh.labels) for name, predict in predictors.items()}
    assert reached["linear"] == pytest.approx(0.5, abs=0.03)
    assert reached["scikit-learn MLP"] > 0.7


@old_option
def test_baselines_put_the_classes_into_their_columns_and_know_of_one_that_training_never_showed():
    rng = np.random.default_rng(14)
    labels = rng.choice([0, 2, 3], size=300)
    pixels = rng.normal(0, 0.1, (300, 4)) + np.eye(4)[labels]
    easy = Patches(pixels, labels, class_names=("a", "never", "c", "d"))
    for predict in baselines(easy, [8], 40, seed=0).values():
        log_p = predict(1e3 * easy.pixels)  # so sure that scikit-learn's own probabilities are 0
        assert log_p.shape == (300, 4)
        assert np.isfinite(log_p).all()
        assert accuracy(log_p, labels) > 0.95
        assert log_p[:, 1].max() < -30


# ------------------------------------------------------------------------------------------------------- figures


@pytest.mark.parametrize("classes", [2, 7, 50])
def test_the_figure_of_confusions_shows_the_shares_of_scikit_learn(classes):
    rng = np.random.default_rng(classes)
    labels, before = rng.integers(classes, size=(2, 300))
    after = np.where(rng.random(300) < 0.8, labels, classes - 1)
    figure = confusion(labels, before, after, [f"class {k}" for k in range(classes)])
    for panel, predicted in zip(figure.axes[:2], (before, after), strict=True):
        shares = confusion_matrix(labels, predicted, labels=range(classes), normalize="true")
        np.testing.assert_allclose(panel.images[0].get_array(), shares, rtol=1e-12)
        numbers = {text.get_position(): text.get_text() for text in panel.texts}
        expected = {(k, row): f"{100 * share:.0f}" for (row, k), share in np.ndenumerate(shares)}
        assert numbers == (expected if classes < 50 else {})  # for which there is no room
    balanced = [f"{100 * balanced_accuracy_score(labels, predicted):.0f} %" for predicted in (before, after)]
    assert "{} of a class before training, {} after".format(*balanced) in figure.get_suptitle()


@pytest.mark.parametrize("present", [(0, 1, 2, 3), (0, 2)])
def test_recall_and_precision_of_each_class_are_those_of_scikit_learns_report(present):
    rng = np.random.default_rng(len(present))
    labels, log_p = rng.choice(present, size=60), np.log(rng.dirichlet(np.ones(4), 60))
    log_p[:, 3] = -np.inf  # is never predicted
    found, names = class_scores(log_p, labels, [*"abcd"]), [*"abcd"]
    predicted = log_p.argmax(axis=1)
    report = classification_report(
        labels, predicted, labels=range(4), target_names=names, output_dict=True, zero_division=0
    )
    for name in names:
        assert found["classes"][name]["recall"] == pytest.approx(report[name]["recall"])
        assert found["classes"][name]["precision"] == pytest.approx(report[name]["precision"])
        assert found["classes"][name]["patches"] == report[name]["support"]
    assert found["balanced_accuracy"] == pytest.approx(np.mean([report[names[k]]["recall"] for k in present]))


def test_what_each_kind_reaches_is_the_mean_over_its_patches():
    log_p, labels = guesses(60, 2)
    kinds = np.arange(60) % 3 * 2
    found = kind_scores({"after": log_p}, labels, kinds, "abcde")
    assert list(found) == ["a", "c", "e"]
    for k, row in zip((0, 2, 4), found.values(), strict=True):
        rows = kinds == k
        reached = {
            "accuracy": accuracy(log_p[rows], labels[rows]),
            "cross_entropy": log_loss(labels[rows], np.exp(log_p[rows])),
        }
        assert row == {"patches": 20, "after": pytest.approx(reached)}


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0001, "<0.01"), (0.0049, "<0.01"), (0.006, "0.01"), (0.5, "0.50"), (0.996, ">0.99"), (1.0, ">0.99")],
)
def test_no_probability_is_shown_as_0_or_1(p, text):
    assert probability_text(p) == text
