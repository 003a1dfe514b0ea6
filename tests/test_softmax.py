"""Softmax and its loss, held against a many-digit oracle, independent formulas and numeric differences."""

import doctest
from decimal import Decimal, localcontext

import numpy as np
import pytest
import scipy.special
from sklearn.metrics import log_loss

import edge_demo.softmax
from edge_demo.softmax import NonFiniteLogits, cross_entropy, cross_entropy_gradient, log_softmax, softmax

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
    "confident": np.array([3.0, 2.0, 50.0]),
    "opposite": np.array([-1e4, 1e4, 0.0]),
    "with_minus_infinity": np.array([-np.inf, 0.3, -np.inf, 2.0]),
}
each_function = pytest.mark.parametrize("function", [softmax, log_softmax])
each_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def exact(row, temperature=1.0):
    """(p, log p) of one row of logits from the definition, in 400 digits, since p may be 1e-308."""
    with localcontext() as context:
        context.prec = 400 if len(row) < 100 else 80
        scaled = [Decimal(float(z)) / Decimal(temperature) for z in row]
        exponentials = [z.exp() for z in scaled]
        total = sum(exponentials)
        log_total = total.ln()
        return np.array([float(e / total) for e in exponentials]), np.array([float(z - log_total) for z in scaled])


@pytest.mark.parametrize("temperature", [1.0, 0.3, 7.0])
@each_row
def test_probabilities_and_their_logarithms_are_exact(row, temperature):
    probabilities, log_probabilities = exact(row, temperature)
    np.testing.assert_allclose(
        softmax(row, temperature=temperature), probabilities, rtol=1e-12, atol=np.finfo(float).tiny
    )
    np.testing.assert_allclose(log_softmax(row, temperature=temperature), log_probabilities, rtol=1e-12, atol=1e-15)


@each_row
def test_the_loss_is_exact_where_clipping_would_show(row):
    _, log_probabilities = exact(row)
    for label in range(0, len(row), 1 + len(row) // 20):
        assert cross_entropy([row], [label]) == pytest.approx(-log_probabilities[label], rel=1e-12, abs=1e-15)


def test_the_example_at_the_head_of_the_file_is_what_python_prints():
    assert doctest.testmod(edge_demo.softmax) == (0, 3)


def test_the_numbers_of_the_lesson_come_out():
    assert softmax([2.5, 0.5]).round(2).tolist() == [0.88, 0.12]
    assert softmax([3.2, 1.3, 0.2]).round(2).tolist() == [0.83, 0.12, 0.04]
    assert softmax([1000, 998]).tolist() == softmax([2.5, 0.5]).tolist() == softmax([-998, -1000]).tolist()
    edge, no_edge = softmax([5, 3])
    assert edge / no_edge == pytest.approx(np.exp(5) / np.exp(3), rel=1e-14)


@each_function
@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3), (5, 1), (0, 3)])
def test_each_row_of_any_batch_is_treated_on_its_own(function, shape):
    logits = np.random.default_rng(1).normal(0, 4, shape)
    result = function(logits, temperature=2.0)
    assert (result.shape, result.dtype) == (shape, np.float64)
    for row, expected in zip(result.reshape(-1, shape[-1]), logits.reshape(-1, shape[-1]), strict=True):
        np.testing.assert_allclose(row, function(expected, temperature=2.0), rtol=1e-14)


@each_function
def test_any_form_of_input_gives_the_same_and_is_left_alone(function):
    logits = np.random.default_rng(2).integers(-9, 9, (6, 4))
    expected = function(logits.astype(float))
    read_only = logits.astype(float)
    read_only.flags.writeable = False
    for form in [logits.astype(np.int8), logits.astype(np.float32), np.asfortranarray(logits, float), read_only]:
        before = form.copy()
        result = function(form)
        np.testing.assert_array_equal(result, expected)
        np.testing.assert_array_equal(form, before)
        assert not np.shares_memory(result, form)
    np.testing.assert_array_equal(function(logits.tolist()), expected)


@each_function
def test_adding_a_number_to_all_logits_changes_nothing(function):
    logits = np.random.default_rng(3).integers(-20, 20, (8, 3)) / 4  # exact after a shift, too
    for shift in (-1e4, 0.25, 1e9):
        np.testing.assert_array_equal(function(logits + shift), function(logits))


def test_a_higher_temperature_flattens():
    largest = [softmax([2.5, 0.5], temperature=temperature)[0] for temperature in (0.1, 0.5, 1, 2, 1e3)]
    assert largest == sorted(largest, reverse=True)
    assert largest[-1] == pytest.approx(0.5, abs=1e-3)


BAD_LOGITS = [[0, np.nan], [np.inf, 0], [np.inf, -np.inf], [-np.inf, -np.inf], [[0, 1], [0, np.nan]]]


@each_function
@pytest.mark.parametrize("logits", BAD_LOGITS, ids=str)
def test_logits_without_probabilities_are_refused_and_shown(function, logits):
    with pytest.raises(NonFiniteLogits, match=r"not .*(nan|inf)"):
        function(logits)
    assert issubclass(NonFiniteLogits, ValueError)


@each_function
def test_a_temperature_has_to_be_named_for_a_second_number_could_be_taken_for_an_axis(function):
    with pytest.raises(TypeError):
        function(np.zeros((2, 3, 4)), 2)


@each_function
def test_a_bad_temperature_or_shape_is_refused(function):
    for temperature in (0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"temperature .* not {temperature}"):
            function([1.0, 2.0], temperature=temperature)
    for logits in (3.0, [], np.zeros((4, 0))):
        with pytest.raises(ValueError, match="at least one class"):
            function(logits)


@pytest.mark.parametrize("classes", [2, 7])
def test_cross_entropy_equals_the_log_loss_of_scikit_learn(classes):
    rng = np.random.default_rng(4)
    logits, labels = rng.normal(0, 3, (50, classes)), rng.integers(classes, size=50)
    expected = log_loss(labels, scipy.special.softmax(logits, axis=1), labels=range(classes))
    assert cross_entropy(logits, labels) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("classes", [1, 2, 7])
def test_the_gradient_of_the_loss_is_p_less_y_over_n_and_its_slope(classes):
    rng = np.random.default_rng(6)
    logits, labels = rng.normal(0, 2, (5, classes)), rng.integers(classes, size=5)
    gradient = cross_entropy_gradient(logits, labels)
    error = scipy.special.softmax(logits, axis=1) - np.eye(classes)[labels]
    np.testing.assert_allclose(gradient, error / 5, atol=1e-15)
    for index in np.ndindex(logits.shape):
        moved = np.zeros_like(logits)
        moved[index] = 1e-5
        up, down = (cross_entropy(logits + sign * moved, labels) for sign in (1, -1))
        assert gradient[index] == pytest.approx((up - down) / 2e-5, abs=1e-9)


each_loss = pytest.mark.parametrize("loss", [cross_entropy, cross_entropy_gradient])


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float64, list])
def test_whole_labels_of_any_type_are_accepted(dtype):
    logits, labels = np.random.default_rng(5).normal(size=(4, 3)), np.array([2, 0, 1, 2])
    given = labels.tolist() if dtype is list else labels.astype(dtype)
    assert cross_entropy(logits, given) == cross_entropy(logits, labels)


WRONG_LABELS = [[0, 1, 3], [0, -1, 1], [0, 1.5, 1], [0, np.nan, 1], [0, 1], [0, 1, 2, 0], [[0], [1], [2]], 0]


@each_loss
@pytest.mark.parametrize("labels", WRONG_LABELS, ids=str)
def test_labels_that_do_not_fit_are_refused(loss, labels):
    with pytest.raises(ValueError, match="labels"):
        loss(np.zeros((3, 3)), labels)


@pytest.mark.parametrize("shape", [(0, 2), (2,), (2, 2, 2)], ids=str)
def test_a_loss_needs_a_batch_of_patches(shape):
    with pytest.raises(ValueError, match="labels"):
        cross_entropy(np.zeros(shape), [0, 1][: shape[0]])
