"""Scores and parts of the loss held against scikit-learn, SciPy, plain loops and the generator's known truth."""

import math

import numpy as np
import pytest
from scipy.special import entr, log_softmax, rel_entr, softmax
from scipy.stats import t as student
from sklearn.metrics import accuracy_score, brier_score_loss, classification_report, log_loss

from edge_demo.datasets import Patches, PatchGenerator
from edge_demo.evaluation import (
    NoTemperature,
    accuracy,
    against_truth,
    baselines,
    brier_score,
    certain_sign,
    class_margins,
    class_scores,
    difference,
    differences_from,
    distance_to_truth,
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
from edge_demo.network import build_network
from edge_demo.optimizers import make_optimizer
from edge_demo.training import train

classes_2_3_7 = pytest.mark.parametrize("classes", [2, 3, 7])


def guesses(n, classes, seed=0, sharpness=1.5):
    """Log probabilities (n, classes) and labels (n,) that follow them loosely."""
    rng = np.random.default_rng(seed)
    log_p = log_softmax(rng.normal(0, sharpness, (n, classes)), axis=1)
    return log_p, (log_p / 2 + rng.gumbel(size=log_p.shape)).argmax(axis=1)


def logs(p):
    """Log probabilities (n, 2) of p (n,) of class 0."""
    with np.errstate(divide="ignore"):
        return np.log(np.stack([p, 1 - np.asarray(p)], axis=1))


# ---------------------------------------------------------------------------------- scores that need labels only


@classes_2_3_7
def test_the_scores_are_those_of_scikit_learn(classes):
    log_p, labels = guesses(101, classes)
    found, p = scores(log_p, labels), np.exp(log_p)
    squared = sum((p[i, k] - (k == labels[i])) ** 2 for i in range(101) for k in range(classes)) / 101
    assert found["accuracy"] == accuracy_score(labels, log_p.argmax(axis=1))
    assert found["cross_entropy"] == pytest.approx(log_loss(labels, p, labels=range(classes)), rel=1e-12)
    assert found["brier_score"] == pytest.approx(brier_score_loss(labels, p[:, 1]) if classes == 2 else squared)
    assert found["calibration_error"] == expected_calibration_error(log_p, labels)


@classes_2_3_7
def test_margins_are_log_odds(classes):
    logits, labels = np.random.default_rng(0).normal(0, 3, (40, classes)), np.arange(40) % classes
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


@pytest.mark.parametrize("present", [(0, 1, 2, 3), (0, 2)])
def test_recall_and_precision_of_each_class_are_those_of_scikit_learns_report(present):
    rng = np.random.default_rng(len(present))
    labels, log_p, names = rng.choice(present, size=60), np.log(rng.dirichlet(np.ones(4), 60)), [*"abcd"]
    log_p[:, 3] = -np.inf  # is never predicted
    found, predicted = class_scores(log_p, labels, names), log_p.argmax(axis=1)
    every = {"labels": range(4), "target_names": names, "output_dict": True, "zero_division": 0}
    report = classification_report(labels, predicted, **every)
    for name in names:
        row = report[name]
        expected = {"recall": row["recall"], "precision": row["precision"], "patches": row["support"]}
        assert found["classes"][name] == pytest.approx(expected)
    assert found["balanced_accuracy"] == pytest.approx(np.mean([report[names[k]]["recall"] for k in present]))


def test_what_each_kind_reaches_is_the_mean_over_its_patches():
    log_p, labels = guesses(60, 2)
    kinds = np.arange(60) % 3 * 2
    found = kind_scores({"after": log_p}, labels, kinds, "abcde")
    assert list(found) == ["a", "c", "e"]
    for k, row in zip((0, 2, 4), found.values(), strict=True):
        expected = scores(log_p[kinds == k], labels[kinds == k])
        assert row["patches"] == 20
        assert row["after"] == pytest.approx({name: expected[name] for name in ("accuracy", "cross_entropy")})


@pytest.mark.parametrize(("p", "text"), [(0.0049, "<0.01"), (0.006, "0.01"), (0.5, "0.50"), (1.0, ">0.99")])
def test_no_probability_is_shown_as_0_or_1(p, text):
    assert probability_text(p) == text


# ------------------------------------------------------------------------------------------- bins and calibration


def test_equal_values_share_the_bin_of_their_middle_rank_whatever_the_order_of_the_rows():
    assert equal_mass_bins([0.0, 1.0, 1.0, 1.0, 1.0, 1.0], 2).tolist() == [0, 1, 1, 1, 1, 1]
    assert equal_mass_bins([0.0, 0.0, 0.0, 0.0, 0.0, 1.0], 2).tolist() == [0, 0, 0, 0, 0, 1]
    rng = np.random.default_rng(0)
    values = rng.choice([0.0, 0.1, 0.1, 0.5, 0.9, 1.0], size=100)
    order = rng.permutation(100)
    np.testing.assert_array_equal(equal_mass_bins(values[order], 15), equal_mass_bins(values, 15)[order])


@pytest.mark.parametrize(("n", "bins"), [(300, 15), (300, 1), (12, 12), (90, 2)])
@classes_2_3_7
def test_the_calibration_error_equals_a_loop_over_bins(classes, n, bins):
    log_p, labels = guesses(n, classes)
    rated = sorted((max(row), row.index(max(row)) == label) for row, label in zip(log_p.tolist(), labels, strict=True))
    size, expected = n // bins, 0.0
    for start in range(0, n, size):
        gap = sum(math.exp(log_p) - right for log_p, right in rated[start : start + size])
        expected += abs(gap) / n
    assert expected_calibration_error(log_p, labels, bins) == pytest.approx(expected, rel=1e-12)


# ----------------------------------------------------------------------------------------- where the loss comes from


@pytest.fixture(scope="module")
def two_networks():
    """Log probabilities of 200,000 patches by a network after 40 and after 200 epochs, and their exact ones."""
    generator, rng = PatchGenerator(), np.random.default_rng(0)
    few, network = generator.sample(1_000, rng), build_network(25, [16], 2, rng)
    pixels, learned = generator.sample(200_000, rng).pixels, {}
    for epochs in (40, 160):
        train(network, few, epochs=epochs, batch_size=32, optimizer=make_optimizer("sgd"), rng=rng)
        learned[epochs] = log_softmax(network.logits(pixels), axis=1)
    return learned, generator.log_posterior(pixels)


@pytest.mark.parametrize("epochs", [40, 160])
def test_the_calibration_of_fewer_patches_is_that_of_200_000(two_networks, epochs):
    learned, truth = two_networks[0][epochs], two_networks[1]
    many = loss_parts(learned, truth).calibration
    assert loss_parts(learned[:50_000], truth[:50_000]).calibration == pytest.approx(many, abs=0.002)
    draws = (slice(start, start + 2_000) for start in range(0, len(truth), 2_000))
    found = [loss_parts(learned[rows], truth[rows]).calibration for rows in draws]
    assert np.mean(found) == pytest.approx(many, abs=0.002)


def test_the_parts_of_a_discrete_example_are_the_exact_sums():
    cells = {0.1: [0.0, 0.05, 0.2], 0.4: [0.1, 0.9], 0.8: [0.8], 0.97: [1.0, 0.5]}  # the exact p's behind each q
    q, p, c = np.array([(q, p, np.mean(truths)) for q, truths in cells.items() for p in truths]).T
    bayes, grouping, calibration = (
        (part(*a) + part(*(1 - np.array(a)))).mean()
        for part, a in ((entr, [p]), (rel_entr, [p, c]), (rel_entr, [c, q]))
    )
    order = np.random.default_rng(0).permutation(5_000 * len(p)) % len(p)
    found = loss_parts(logs(q)[order], logs(p)[order])
    assert found.bayes == pytest.approx(bayes, abs=1e-12)
    assert found.excess == pytest.approx(grouping + calibration, abs=1e-12)
    assert found.grouping == pytest.approx(grouping, abs=2e-5)
    assert found.calibration == pytest.approx(calibration, abs=2e-5)


@classes_2_3_7
def test_what_is_above_the_floor_is_the_divergence_and_the_floor_is_the_one_that_is_known(classes):
    (log_q, _), (truth, _) = guesses(800, classes), guesses(800, classes, seed=1, sharpness=4)
    parts = loss_parts(log_q, truth)
    assert parts.bayes == pytest.approx(entr(np.exp(truth)).sum() / 800, rel=1e-12)
    assert parts.excess == pytest.approx(rel_entr(np.exp(truth), np.exp(log_q)).sum() / 800, rel=1e-12)
    known = loss_parts(log_q, truth, floor=0.1)
    assert (known.bayes, known.excess) == (0.1, parts.excess)
    exact = loss_parts(truth, truth)
    if classes == 2:
        assert parts.grouping + parts.calibration == pytest.approx(parts.excess, abs=1e-12)
        assert exact.grouping == exact.calibration == 0
    else:
        assert parts.grouping is parts.calibration is exact.grouping is None


def test_each_prediction_has_its_row_with_the_error_of_what_is_above_the_floor(two_networks):
    learned, truth = two_networks[0][40][:20_000], two_networks[1][:20_000]
    row = against_truth({"after": learned}, truth, 0.18)["after"]
    assert row.items() >= distance_to_truth(learned, truth).items()
    assert (row["bayes"], row["grouping"]) == (0.18, loss_parts(learned, truth).grouping)
    parts = [loss_parts(learned[k::20], truth[k::20]).excess for k in range(20)]
    assert row["error"] == pytest.approx(1.96 * np.std(parts) / np.sqrt(20), rel=0.5)


def test_impossible_classes_cost_nothing_where_they_are_known_and_all_where_they_are_not():
    certain = logs([0.0, 1.0, 0.0, 1.0])
    known = loss_parts(certain, certain)
    assert (known.bayes, known.grouping, known.calibration) == (0, 0, 0)
    assert loss_parts(certain[::-1], certain).excess == math.inf


@classes_2_3_7
def test_the_distance_is_total_variation_also_on_patches_of_which_no_class_is_sure(classes):
    (log_p, _), (truth, _) = guesses(80, classes), guesses(80, classes, seed=1, sharpness=3)
    each = np.maximum(np.exp(log_p) - np.exp(truth), 0).sum(axis=1)
    ambiguous = [max(row) < 0.95 for row in np.exp(truth)]
    found = distance_to_truth(log_p, truth)
    assert found["mean_absolute_error"] == pytest.approx(each.mean(), rel=1e-12)
    assert found["ambiguous_error"] == pytest.approx(each[ambiguous].mean(), rel=1e-12)
    assert found["kl_divergence"] == pytest.approx(loss_parts(log_p, truth).excess, rel=1e-12)
    assert distance_to_truth(logs([0.5]), logs([0.04]))["ambiguous_error"] is None


# --------------------------------------------------------------------------------------------------- temperature


@classes_2_3_7
def test_the_fitted_temperature_is_the_best(classes):
    logits, labels = guesses(200, classes)
    temperature = fit_temperature(logits, labels)
    best = log_loss(labels, softmax(logits / temperature, axis=1), labels=range(classes))
    for other in (0.02, 0.99 * temperature, 1.01 * temperature, 50):
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
    fit_on, rest = halves = stratified_halves(labels, np.random.default_rng(0))
    found = try_temperature(log_p, labels, halves)
    assert found["temperature"] == fit_temperature(log_p[fit_on], labels[fit_on])
    assert found["without"] == scores(log_p[rest], labels[rest])
    cooled = log_softmax(log_p[rest] / found["temperature"], axis=1)
    assert found["with"] == pytest.approx(scores(cooled, labels[rest]))


@pytest.mark.parametrize("counts", [(500, 500), (990, 10), (7, 4, 1), (2, 1)])
def test_halves_have_half_of_every_class_though_the_rows_are_sorted_by_class(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    halves = stratified_halves(labels, np.random.default_rng(0))
    assert sorted(np.concatenate(halves)) == list(range(len(labels)))
    first, second = (np.bincount(labels[half], minlength=len(counts)) for half in halves)
    assert np.abs(first - second).max() <= 1


# ------------------------------------------------------------------------------------------- others, and differences


def test_a_guesser_names_the_most_frequent_class_of_training_and_loses_the_entropy_of_its_shares():
    labels = np.repeat([0, 1], [90, 10])
    found = scores(guessing([90, 10], 100), labels)
    assert found["accuracy"] == 0.9
    assert found["cross_entropy"] == pytest.approx(entr([0.9, 0.1]).sum(), rel=1e-12)
    assert scores(guessing([3, 0], 1), np.array([1]))["cross_entropy"] == math.inf


@pytest.mark.parametrize("n", [1, 5, 20, 300])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_the_interval_of_guessers_holds_95_percent_of_the_binomial_and_no_more_than_needed(n, share):
    def up_to(k):
        return sum(math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k + 1))

    first, last = (round(end * n) for end in guessers_interval(share, n))
    assert up_to(last - 1) < 0.975 <= up_to(last) + 1e-12
    assert up_to(first - 1) < 0.025


@pytest.mark.parametrize(("m", "n"), [(4, 3), (2, 2)])
def test_between_groups_the_interval_is_welchs_over_the_seeds(m, n):
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(0.3, 0.05, (m, 50)), rng.normal(0.2, 0.02, (n, 50))
    a, b = ours.mean(axis=1), theirs.mean(axis=1)
    errors = a.var(ddof=1) / m, b.var(ddof=1) / n
    freedom = sum(errors) ** 2 / (errors[0] ** 2 / (m - 1) + errors[1] ** 2 / (n - 1))
    half, middle = student.ppf(0.975, freedom) * np.sqrt(sum(errors)), a.mean() - b.mean()
    found = difference(ours, theirs, rng)
    assert found == pytest.approx({"mean": middle, "low": middle - half, "high": middle + half})
    assert difference(np.ones((2, 5)), np.zeros((2, 5)), rng) == {"mean": 1, "low": 1, "high": 1}


def test_a_run_beside_a_group_is_judged_by_where_another_seed_would_lie():
    rng, inside = np.random.default_rng(0), 0
    for _ in range(4000):
        values = rng.normal(1.0, 0.2, (6, 1))
        row = difference(values[5:], values[:5], rng)
        inside += row["low"] <= 0 <= row["high"]
    assert 0.94 < inside / 4000 < 0.96


def test_a_sign_is_certain_where_the_interval_leaves_out_zero():
    ends = [(0.1, 1), (-1, -0.1), (0, 1), (-1, 0), (-1, 1)]
    assert [certain_sign({"low": low, "high": high}) for low, high in ends] == [1, -1, 0, 0, 0]


def test_between_single_trainings_the_interval_is_that_of_the_patches():
    (log_p, labels), rng = guesses(500, 3), np.random.default_rng(0)
    other = log_softmax(log_p / 3, axis=1)
    found = differences_from(log_p, {"other": other, "never": guessing([1, 0, 0], 500)}, labels, rng)
    each = (other - log_p)[np.arange(500), labels]
    error, row = each.std() / np.sqrt(500), found["other"]["cross_entropy"]
    assert row["mean"] == pytest.approx(each.mean(), abs=1e-12)
    assert row["low"] == pytest.approx(each.mean() - 1.96 * error, abs=0.4 * error)
    assert row["high"] == pytest.approx(each.mean() + 1.96 * error, abs=0.4 * error)
    assert found["never"].keys() == {"accuracy"}  # the other's loss is infinite


# scikit-learn 1.6 passes SciPy an option that newer SciPy deprecates
@pytest.mark.filterwarnings("ignore:.*L-BFGS-B solver are deprecated:DeprecationWarning")
def test_baselines_put_the_classes_into_their_columns_and_know_of_one_that_training_never_showed():
    rng = np.random.default_rng(14)
    labels = rng.choice([0, 2, 3], size=300)
    pixels = rng.normal(0, 0.1, (300, 4)) + np.eye(4)[labels]
    easy = Patches(pixels, labels, class_names=("a", "never", "c", "d"))
    found = baselines(easy, [8], 40, seed=0)
    assert list(found) == ["linear", "scikit-learn MLP"]
    for predict in found.values():
        log_p = predict(1e3 * easy.pixels)  # so sure that scikit-learn's own probabilities are 0
        assert np.isfinite(log_p).all()
        assert accuracy(log_p, labels) > 0.95
        assert log_p[:, 1].max() < -30
