"""Softmax and its loss, held against a many-digit oracle, independent formulas and numeric differences."""

import warnings
from decimal import Decimal, localcontext

import numpy as np
import pytest
import scipy.special
from sklearn.metrics import log_loss

from edge_demo.softmax import NonFiniteLogits, SoftmaxCrossEntropy, cross_entropy, log_softmax, softmax

RNG = np.random.default_rng(0)
ROWS = {
    "moderate": RNG.normal(0, 3, 7),
    "large": RNG.uniform(-1e4, 1e4, 12),
    "large_and_close": 1e4 + RNG.uniform(-1, 1, 5),
    "gaps_of_1e-12": 1 + 1e-12 * np.arange(6),
    "ties": np.array([7.0, 7.0, -3.0, 7.0]),
    "one_class": np.array([-12.5]),
    "thousand_classes": RNG.normal(0, 5, 1000),
    "thousand_ties": np.full(1000, -1e4),
    "confident": np.array([0.0, -46.0]),  # log p of the first is about -1e-20
    "confident_last": np.array([3.0, 2.0, 50.0]),
    "opposite": np.array([-1e4, 1e4, 0.0]),
    "with_minus_infinity": np.array([-np.inf, 0.3, -np.inf, 2.0]),
}


def exact(row, temperature=1.0):
    """(p, log p) of one row of logits from the definition, in 400 digits, since p may be 1e-308."""
    with localcontext() as context:
        context.prec = 400 if len(row) < 100 else 80
        scaled = [Decimal(float(z)) / Decimal(temperature) for z in row]
        exponentials = [z.exp() for z in scaled]
        total = sum(exponentials)
        log_total = total.ln()
        return np.array([float(e / total) for e in exponentials]), np.array([float(z - log_total) for z in scaled])


@pytest.mark.parametrize("temperature", [1.0, 0.3, 2.0, 7.0])
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_probabilities_and_their_logarithms_are_exact(row, temperature):
    probabilities, log_probabilities = exact(row, temperature)
    tiny = np.finfo(float).tiny  # below it, floats themselves lose digits
    np.testing.assert_allclose(softmax(row, temperature), probabilities, rtol=1e-12, atol=tiny)
    np.testing.assert_allclose(log_softmax(row, temperature), log_probabilities, rtol=1e-12, atol=tiny)


def test_the_numbers_of_the_lesson_come_out():
    assert softmax([2.5, 0.5]).round(2).tolist() == [0.88, 0.12]
    assert softmax([3.2, 1.3, 0.2]).round(2).tolist() == [0.83, 0.12, 0.04]
    assert softmax([1000, 998]).tolist() == softmax([2.5, 0.5]).tolist() == softmax([-998, -1000]).tolist()
    edge, no_edge = softmax([5, 3])
    assert edge / no_edge == pytest.approx(np.exp(5) / np.exp(3), rel=1e-14)


@pytest.mark.parametrize("function", [softmax, log_softmax])
@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3), (2, 1, 4, 3), (5, 1), (0, 3)])
def test_each_row_of_any_batch_is_treated_on_its_own(function, shape):
    logits = np.random.default_rng(1).normal(0, 4, shape)
    result = function(logits, 2.0)
    assert result.shape == shape
    assert result.dtype == np.float64
    for row, expected in zip(result.reshape(-1, shape[-1]), logits.reshape(-1, shape[-1]), strict=True):
        np.testing.assert_allclose(row, function(expected, 2.0), rtol=1e-14)
    np.testing.assert_allclose(np.exp(result).sum(-1) if function is log_softmax else result.sum(-1), 1, rtol=1e-14)


@pytest.mark.parametrize("function", [softmax, log_softmax])
def test_any_form_of_input_gives_the_same_and_is_left_alone(function):
    logits = np.random.default_rng(2).integers(-9, 9, (6, 4))
    expected = function(logits.astype(float))
    assert not np.array_equal(expected, expected.round())
    read_only = logits.astype(float)
    read_only.flags.writeable = False
    strided = np.full((12, 8), 99.0)
    strided[::2, 1::2] = logits
    forms = [logits, logits.astype(np.int8), logits.astype(np.float32), logits.astype(float), read_only]
    for form in [*forms, np.asfortranarray(logits, dtype=float), strided[::2, 1::2], logits[::-1][::-1]]:
        before = form.copy()
        result = function(form)
        np.testing.assert_array_equal(result, expected)
        np.testing.assert_array_equal(form, before)
        assert result.flags.writeable
        assert not np.shares_memory(result, form)
    np.testing.assert_array_equal(function(logits.tolist()), expected)


def test_adding_a_number_to_all_logits_changes_nothing():
    logits = np.random.default_rng(3).integers(-20, 20, (8, 3)) / 4  # exact after a shift, too
    for shift in (-1e4, 0.25, 1e9):
        np.testing.assert_array_equal(softmax(logits + shift), softmax(logits))
        np.testing.assert_array_equal(log_softmax(logits + shift), log_softmax(logits))


def test_a_higher_temperature_flattens():
    largest = [softmax([2.5, 0.5], temperature)[0] for temperature in (0.1, 0.5, 1, 2, 1e3)]
    assert largest == sorted(largest, reverse=True)
    assert largest[-1] == pytest.approx(0.5, abs=1e-3)


BAD_LOGITS = [[0, np.nan], [np.inf, 0], [np.inf, -np.inf], [-np.inf, -np.inf], [[0, 1], [0, np.nan]]]


@pytest.mark.parametrize("function", [softmax, log_softmax])
@pytest.mark.parametrize("logits", BAD_LOGITS, ids=str)
def test_logits_without_probabilities_are_refused_and_shown(function, logits):
    with pytest.raises(NonFiniteLogits, match=r"not .*(nan|inf)"):
        function(logits)
    assert issubclass(NonFiniteLogits, ValueError)


@pytest.mark.parametrize("function", [softmax, log_softmax])
def test_a_bad_temperature_or_shape_is_refused(function):
    for temperature in (0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"temperature .* not {temperature}"):
            function([1.0, 2.0], temperature)
    for logits in (3.0, [], np.zeros((4, 0))):
        with pytest.raises(ValueError, match="at least one class"):
            function(logits)


def test_cross_entropy_equals_the_log_loss_of_scikit_learn():
    rng = np.random.default_rng(4)
    for classes in (2, 3, 7):
        logits, labels = rng.normal(0, 3, (50, classes)), rng.integers(classes, size=50)
        expected = log_loss(labels, scipy.special.softmax(logits, axis=1), labels=range(classes))
        assert cross_entropy(logits, labels) == pytest.approx(expected, rel=1e-12)


def test_cross_entropy_is_exact_where_clipping_would_show():
    assert cross_entropy([[1e4, -1e4]], [1]) == 2e4
    for name in ("large", "confident", "confident_last", "opposite"):
        _, log_probabilities = exact(ROWS[name])
        for label, expected in enumerate(log_probabilities):
            assert cross_entropy([ROWS[name]], [label]) == pytest.approx(-expected, rel=1e-12)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.float64, list])
def test_whole_labels_of_any_type_are_accepted(dtype):
    logits, labels = np.random.default_rng(5).normal(size=(4, 3)), np.array([2, 0, 1, 2])
    given = labels.tolist() if dtype is list else labels.astype(dtype)
    assert cross_entropy(logits, given) == cross_entropy(logits, labels)


WRONG_LABELS = [[0, 1, 3], [0, -1, 1], [0, 1.5, 1], [0, np.nan, 1], [0, np.inf, 1]]
WRONG_SHAPES = [[0, 1], [0, 1, 2, 0], [[0], [1], [2]], 0]


@pytest.mark.parametrize("labels", WRONG_LABELS + WRONG_SHAPES, ids=str)
def test_labels_that_do_not_fit_are_refused(labels):
    with pytest.raises(ValueError, match="labels"):
        cross_entropy(np.zeros((3, 3)), labels)


def test_a_loss_needs_a_batch_of_patches():
    for logits, labels in ((np.zeros((0, 2)), []), (np.zeros(2), [0, 1]), (np.zeros((2, 2, 2)), [0, 1])):
        with pytest.raises(ValueError, match="labels"):
            cross_entropy(logits, labels)


@pytest.mark.parametrize("classes", [1, 2, 7])
def test_the_gradient_of_the_loss_is_right(classes):
    rng = np.random.default_rng(6)
    logits, labels = rng.normal(0, 2, (5, classes)), rng.integers(classes, size=5)
    output = SoftmaxCrossEntropy()
    assert output.forward(logits, labels) == cross_entropy(logits, labels)
    gradient = output.backward()
    np.testing.assert_allclose(gradient, (scipy.special.softmax(logits, 1) - np.eye(classes)[labels]) / 5, atol=1e-15)
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-15)
    np.testing.assert_array_equal(output.backward(), gradient)  # asking changes nothing
    np.testing.assert_allclose(output.probabilities, softmax(logits), rtol=1e-14)
    for index in np.ndindex(logits.shape):
        moved = np.zeros_like(logits)
        moved[index] = 1e-5
        slope = (cross_entropy(logits + moved, labels) - cross_entropy(logits - moved, labels)) / 2e-5
        assert gradient[index] == pytest.approx(slope, abs=1e-9)


def test_repeating_a_batch_keeps_the_loss_and_halves_the_gradient_of_each_row():
    rng = np.random.default_rng(7)
    logits, labels = rng.normal(size=(6, 3)), rng.integers(3, size=6)
    once, twice = SoftmaxCrossEntropy(), SoftmaxCrossEntropy()
    loss = once.forward(logits, labels)
    assert twice.forward(np.tile(logits, (2, 1)), np.tile(labels, 2)) == pytest.approx(loss, rel=1e-14)
    np.testing.assert_allclose(twice.backward(), np.tile(once.backward() / 2, (2, 1)), rtol=1e-14)


def test_a_difference_beyond_all_numbers_gives_probability_0_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert softmax([1e308, -1e308]).tolist() == [1.0, 0.0]
        assert softmax([1.0, 0.0], temperature=1e-310).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("classes", [2, 5])
def test_weights_multiply_each_patchs_part_of_the_loss_and_of_its_gradient(classes):
    rng = np.random.default_rng(6)
    logits, labels, weights = rng.normal(0, 3, (9, classes)), rng.integers(0, classes, 9), rng.uniform(0, 3, 9)
    layer = SoftmaxCrossEntropy()
    expected = np.average(-scipy.special.log_softmax(logits, axis=1)[np.arange(9), labels], weights=weights)
    assert layer.forward(logits, labels, weights) == pytest.approx(expected * weights.mean(), rel=1e-12)
    gradient = layer.backward()
    for i, k in np.ndindex(logits.shape):
        step = np.zeros_like(logits)
        step[i, k] = 1e-6
        up, down = (cross_entropy(logits + sign * step, labels, weights) for sign in (1, -1))
        assert gradient[i, k] == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-9)


def test_a_label_that_is_no_class_is_shown_with_those_that_are():
    with pytest.raises(ValueError, match=r"from 0 to 2, not \[0, 3\]"):
        cross_entropy(np.zeros((2, 3)), np.array([0, 3]))
