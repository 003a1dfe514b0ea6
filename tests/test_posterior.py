"""The exact posterior against a dense Gaussian for each component, against sampling, and against its own symmetries."""

import math
import tracemalloc
from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from edge_demo import generator as module
from edge_demo.generator import PatchGenerator
from edge_demo.network import build_network
from edge_demo.optimizers import SGD
from edge_demo.patches import KIND_NAMES
from edge_demo.training import train

ROWS, COLUMNS = np.divmod(np.arange(25), 5)


def halves(coordinate, borders):
    return [np.where(coordinate >= k, 0.5, -0.5) for k in borders]


def ramp(angle):
    slope = math.cos(angle) * (COLUMNS - 2) + math.sin(angle) * (ROWS - 2)
    return slope / np.abs(slope).max() / 4


TEMPLATES = {
    "vertical": halves(COLUMNS, (1, 2, 3, 4)),
    "horizontal": halves(ROWS, (1, 2, 3, 4)),
    "diagonal": halves(ROWS + COLUMNS, (3, 4, 5, 6)),
    "antidiagonal": halves(COLUMNS - ROWS, (-1, 0, 1, 2)),
    "flat": [np.zeros(25)],
    "ramp": [ramp(i * math.pi / 8) for i in range(8)],
    "speck": list(np.eye(25)),
}
PRIOR = dict.fromkeys(KIND_NAMES[:4], 1 / 8) | dict.fromkeys(KIND_NAMES[4:], 1 / 6)

SETTINGS = [
    PatchGenerator(),
    PatchGenerator(noise=0.03),
    PatchGenerator(noise=0.3),
    PatchGenerator(noise=1),
    PatchGenerator(brightness=(0.5, 0)),
    PatchGenerator(contrast=(0.5, 0)),
    PatchGenerator(0.02, (0.5, 0), (0.5, 0)),
    PatchGenerator(brightness=(0.5, 1)),
    PatchGenerator(contrast=(0.5, 1)),
    PatchGenerator(contrast=(0, 0.4)),
    PatchGenerator(0.3, contrast=(0, 0)),
    PatchGenerator(0.2, (-0.7, 0.2), (-0.6, 0.3)),
    PatchGenerator(0.03, (0.4, 0.05), (0.6, 0.08)),
]
EXTREME = [  # a float64 inverse of their covariances loses digits that the closed form keeps
    PatchGenerator(),
    PatchGenerator(noise=0.02),
    PatchGenerator(0.02, (0.5, 0), (0.5, 0)),
    PatchGenerator(0.02, (-3, 5), (0.2, 0)),
    PatchGenerator(0.05, (0.5, 0.1), (0, 5)),
    PatchGenerator(1, (0.5, 20), (-4, 10)),
]
each_setting = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def dense(settings, pixels, convert=np.asarray, log_densities=None):
    """log p(label | patch) and log p(kind | patch) from the definition: Bayes' rule over 99 Gaussians, 25×25 each."""
    log_densities = log_densities or (lambda means, cov: [multivariate_normal.logpdf(pixels, m, cov) for m in means])
    brightness, brightness_spread = convert(settings.brightness)
    contrast, contrast_spread = convert(settings.contrast)
    shared = convert(settings.noise) ** 2 * convert(np.eye(25)) + brightness_spread**2
    joint, kinds = [], []
    for number, kind in enumerate(KIND_NAMES):
        for template in map(convert, TEMPLATES[kind]):
            polarities = (1,) if kind == "flat" else (1, -1)
            means = [brightness + contrast * polarity * template for polarity in polarities]
            joint += log_densities(means, shared + contrast_spread**2 * np.outer(template, template))
            kinds += [number] * len(polarities)
    joint, kinds = np.array(joint), np.array(kinds)
    joint = (joint - joint.max(axis=0)).astype(float)
    joint += np.log([PRIOR[KIND_NAMES[number]] / (kinds == number).sum() for number in kinds])[:, None]
    joint -= logsumexp(joint, axis=0)
    return [
        np.stack([logsumexp(joint[classes == c], axis=0) for c in range(count)], axis=1)
        for classes, count in ((kinds >= 4, 2), (kinds, 7))
    ]


def dense_decimal(settings, pixels):
    """The same in 50 digits, where the squares of distant pixels would cost float64 the digits that matter."""
    convert = np.vectorize(Decimal, otypes=[object])

    def log_densities(means, covariance):
        """But for a constant, by elimination: the covariance on the left, each patch less each mean on the right."""
        rows = np.hstack([covariance, *((convert(pixels) - mean).T for mean in means)])
        squares = log_determinant = 0
        for i, row in enumerate(rows):
            rows[i + 1 :, i + 1 :] -= np.outer(rows[i + 1 :, i] / row[i], row[i + 1 :])
            squares += row[25:] ** 2 / row[i]
            log_determinant += row[i].ln()
        return np.split(-(squares + log_determinant) / 2, len(means))

    with localcontext() as context:
        context.prec = 50
        return dense(settings, pixels, convert, log_densities)


def both(settings, pixels):
    return settings.log_posterior(pixels, "label"), settings.log_posterior(pixels, "kind")


def assert_close(found, expected):
    """1e-9 nats, or twelve digits: a log probability of -4,000 has no more to give."""
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-9)


def patches(settings, n, seed=0):
    return settings.sample(n, np.random.default_rng(seed)).pixels


def own_and_foreign(settings):
    """90 patches, of these settings and of two others."""
    others = (PatchGenerator(0.3, (0, 0.5), (1, 0.5)), PatchGenerator())
    return np.vstack([patches(g, 30, seed) for seed, g in enumerate((settings, *others))])


def test_the_oracle_has_99_components_of_total_probability_1():
    assert tuple(TEMPLATES) == KIND_NAMES
    assert sum(map(len, TEMPLATES.values())) == 50
    assert sum(PRIOR.values()) == pytest.approx(1)


@each_setting
def test_it_equals_bayes_rule_over_dense_gaussians(settings):
    pixels = own_and_foreign(settings)
    for found, expected in zip(both(settings, pixels), dense(settings, pixels), strict=True):
        assert_close(found, expected)


@pytest.mark.parametrize("settings", EXTREME, ids=str)
def test_it_equals_bayes_rule_in_fifty_digits_far_outside_the_data(settings):
    rng = np.random.default_rng(0)
    far = [rng.uniform(-50, 50, (2, 25)), rng.choice([-50.0, 50.0], (1, 25)), np.full((1, 25), -50.0)]
    pixels = np.vstack([*far, 50 * TEMPLATES["diagonal"][2], patches(settings, 2), patches(PatchGenerator(0.3), 1)])
    for found, expected in zip(both(settings, pixels), dense_decimal(settings, pixels), strict=True):
        assert_close(found, expected)


@pytest.mark.parametrize("settings", SETTINGS + EXTREME, ids=str)
def test_the_furthest_patches_still_have_finite_log_probabilities(settings):
    rng = np.random.default_rng(1)
    shapes = np.vstack([rng.normal(size=(40, 25)), np.ones((1, 25)), *TEMPLATES.values()])
    for found in both(settings, np.vstack([1e6 * shapes, -1e6 * shapes, 1e100 * shapes])):
        assert np.isfinite(found).all()
        assert (found <= 0).all()
        np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize("settings", SETTINGS + EXTREME, ids=str)
def test_probabilities_sum_to_1_and_a_class_is_the_sum_of_its_kinds(settings):
    pixels = own_and_foreign(settings)
    labels, kinds = both(settings, pixels)
    assert (labels.shape, kinds.shape) == ((90, 2), (90, 7))
    for found in (labels, kinds):
        np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=0, atol=1e-12)
    assert_close(labels[:, 0], np.logaddexp.reduce(kinds[:, :4], axis=1))
    assert_close(labels[:, 1], np.logaddexp.reduce(kinds[:, 4:], axis=1))
    np.testing.assert_array_equal(settings.log_posterior(pixels), labels)


def test_patches_that_tell_nothing_leave_the_prior():
    labels, kinds = both(PatchGenerator(contrast=(0, 0)), patches(PatchGenerator(), 20))
    assert_close(np.exp(labels), np.full((20, 2), 0.5))
    assert_close(np.exp(kinds), np.tile([PRIOR[kind] for kind in KIND_NAMES], (20, 1)))


# --- against sampling: what happens as often as it says


HAZY = PatchGenerator(noise=0.3)


@pytest.fixture(scope="module")
def hazy():
    return HAZY.sample(40_000, np.random.default_rng(2))


@pytest.fixture(scope="module")
def hazy_posterior(hazy):
    """{"label": log p(label | patch), "kind": log p(kind | patch)}"""
    return dict(zip(("label", "kind"), both(HAZY, hazy.pixels), strict=True))


def assert_calibrated(p, happened, fewest):
    """In each bin the event happens as often as p says, within five standard deviations. Returns how many bins."""
    bins = np.minimum((p * 10).astype(int), 9)
    checked = [b for b in range(10) if (bins == b).sum() >= fewest]
    for b in checked:
        mine = p[bins == b]
        deviation = happened[bins == b].sum() - mine.sum()
        assert abs(deviation) < 5 * math.sqrt((mine * (1 - mine)).sum()), f"bin {b}: {deviation:+.0f}"
    return len(checked)


def test_among_patches_with_probability_p_a_fraction_p_are_edges(hazy, hazy_posterior):
    p_edge = np.exp(hazy_posterior["label"][:, 0])
    assert assert_calibrated(p_edge, hazy.labels == 0, fewest=500) == 10


@pytest.mark.parametrize("number", range(7), ids=KIND_NAMES)
def test_among_patches_with_probability_p_a_fraction_p_are_of_the_kind(hazy, hazy_posterior, number):
    p = np.exp(hazy_posterior["kind"][:, number])
    assert assert_calibrated(p, hazy.kinds == number, fewest=50) >= 4


def mean_and_error(values):
    return values.mean(), values.std() / math.sqrt(len(values))


@pytest.mark.parametrize("target", ["label", "kind"])
def test_its_cross_entropy_is_the_entropy_that_it_predicts(hazy, hazy_posterior, target):
    log_p = hazy_posterior[target]
    entropy = -(np.exp(log_p) * log_p).sum(axis=1)
    labels = hazy.labels if target == "label" else hazy.kinds
    mean, error = mean_and_error(-log_p[np.arange(len(hazy)), labels] - entropy)
    assert abs(mean) < 5 * error


WRONG = [
    {"noise": 0.25}, {"noise": 0.36}, {"brightness": (0.7, 0.1)}, {"brightness": (0.3, 0.1)}, {"brightness": (0.5, 0)},
    {"brightness": (0.5, 0.3)}, {"contrast": (0.4, 0.1)}, {"contrast": (0.6, 0.1)}, {"contrast": (0.5, 0.25)},
]  # fmt: skip


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_the_posterior_of_any_other_settings_does_worse(hazy, hazy_posterior, change):
    some = hazy[:10_000]
    other = PatchGenerator(**({"noise": 0.3} | change)).log_posterior(some.pixels, "kind")
    rows = np.arange(len(some))
    mean, error = mean_and_error(hazy_posterior["kind"][rows, some.kinds] - other[rows, some.kinds])
    assert mean > 3 * error


@pytest.mark.parametrize("settings", [PatchGenerator(), HAZY], ids=str)
def test_a_trained_network_is_better_than_chance_and_worse_than_the_posterior(settings):
    rng = np.random.default_rng(3)
    network = build_network(25, (16,), 2, rng)
    train(network, settings.sample(4_000, rng), epochs=10, batch_size=32, optimizer=SGD(0.3), rng=rng)
    fresh = settings.sample(10_000, rng)
    rows, predicted = np.arange(len(fresh)), network.predict(fresh.pixels)
    log_p, exact = np.log(network.probabilities(fresh.pixels)), settings.log_posterior(fresh.pixels)
    right, exactly_right = predicted == fresh.labels, exact.argmax(axis=1) == fresh.labels
    for excess in (
        exact[rows, fresh.labels] - log_p[rows, fresh.labels],
        exactly_right.astype(float) - right,
        right - 0.5,
    ):
        mean, error = mean_and_error(excess)
        assert mean > 5 * error


# --- symmetries of the templates

SYMMETRIES = {
    "transposed": (lambda grid: grid.transpose(0, 2, 1), {"vertical": "horizontal", "horizontal": "vertical"}),
    "rotated": (
        lambda grid: np.rot90(grid, axes=(1, 2)),
        {"vertical": "horizontal", "horizontal": "vertical", "diagonal": "antidiagonal", "antidiagonal": "diagonal"},
    ),
    "half a turn": (lambda grid: grid[:, ::-1, ::-1], {}),
    "left to right": (lambda grid: grid[:, :, ::-1], {"diagonal": "antidiagonal", "antidiagonal": "diagonal"}),
    "upside down": (lambda grid: grid[:, ::-1], {"diagonal": "antidiagonal", "antidiagonal": "diagonal"}),
}


def turned(pixels, turn):
    return turn(np.asarray(pixels).reshape(-1, 5, 5)).reshape(-1, 25)


def signed(templates):
    """The templates with both polarities, as a set."""
    return {tuple(sign * t.round(9) + 0.0) for t in templates for sign in (1, -1)}


@pytest.mark.parametrize("settings", [SETTINGS[0], SETTINGS[2], SETTINGS[-2], SETTINGS[-1]], ids=str)
@pytest.mark.parametrize(("turn", "renamed"), SYMMETRIES.values(), ids=SYMMETRIES)
def test_turning_a_patch_renames_the_kinds_as_it_does_their_templates(turn, renamed, settings):
    new_names = [renamed.get(kind, kind) for kind in KIND_NAMES]
    for kind, new in zip(KIND_NAMES, new_names, strict=True):
        assert signed(turned(TEMPLATES[kind], turn)) == signed(TEMPLATES[new])
    pixels = own_and_foreign(settings)
    columns = [KIND_NAMES.index(new) for new in new_names]
    found = settings.log_posterior(turned(pixels, turn), "kind")[:, columns]
    assert_close(found, settings.log_posterior(pixels, "kind"))
    assert_close(settings.log_posterior(turned(pixels, turn)), settings.log_posterior(pixels))


@pytest.mark.parametrize("target", ["label", "kind"])
@each_setting
def test_inverting_a_patch_about_the_mean_brightness_changes_nothing(settings, target):
    pixels = own_and_foreign(settings)
    inverted = 2 * settings.brightness[0] - pixels
    assert_close(settings.log_posterior(inverted, target), settings.log_posterior(pixels, target))


@each_setting
def test_neither_the_sign_of_the_contrast_nor_the_unit_of_intensity_matters(settings):
    (bright, bright_spread), (contrast, contrast_spread) = settings.brightness, settings.contrast
    pixels = own_and_foreign(settings)
    expected = settings.log_posterior(pixels, "kind")
    negative = PatchGenerator(settings.noise, settings.brightness, (-contrast, contrast_spread))
    assert_close(negative.log_posterior(pixels, "kind"), expected)
    eighths = (8 * settings.noise, (8 * bright, 8 * bright_spread), (8 * contrast, 8 * contrast_spread))
    assert_close(PatchGenerator(*eighths).log_posterior(8 * pixels, "kind"), expected)


# --- what goes in and how


@pytest.mark.parametrize("target", ["label", "kind"])
@pytest.mark.parametrize("block", [1, 7, 89, 90, 91, 10**6])
def test_the_size_of_blocks_does_not_matter(monkeypatch, block, target):
    pixels = own_and_foreign(HAZY)
    expected = HAZY.log_posterior(pixels, target)
    monkeypatch.setattr(module, "BLOCK", block)
    np.testing.assert_allclose(HAZY.log_posterior(pixels, target), expected, rtol=1e-12, atol=1e-12)


def test_numpys_buffer_is_given_back(monkeypatch):
    used, pixels = [], np.zeros((3, 25))
    monkeypatch.setattr(module, "log_softmax", lambda scores: used.append(np.getbufsize()) or scores)
    monkeypatch.setattr(np, "cumsum", lambda sizes: used.append(np.getbufsize()) or np.add.accumulate(sizes))
    usual = np.getbufsize()
    PatchGenerator().log_posterior(pixels)
    assert used == [module.BLOCK, usual]
    monkeypatch.setattr(np, "cumsum", lambda sizes: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        PatchGenerator().log_posterior(pixels)
    assert np.getbufsize() == usual


def test_patches_beyond_the_first_block_are_treated_as_any_other():
    pixels = patches(HAZY, 2 * module.BLOCK + 5)
    found = HAZY.log_posterior(pixels, "kind")
    for some in (slice(3), slice(module.BLOCK - 1, module.BLOCK + 2), slice(-7, None)):
        np.testing.assert_allclose(found[some], HAZY.log_posterior(pixels[some], "kind"), rtol=1e-12, atol=1e-12)


def test_any_form_of_input_gives_the_same_and_is_left_alone():
    pixels = patches(HAZY, 12).astype(np.float32).astype(np.float64)
    expected = HAZY.log_posterior(pixels)
    read_only = pixels.copy()
    read_only.flags.writeable = False
    for form in (
        pixels,
        pixels.astype(np.float32),
        read_only,
        np.asfortranarray(pixels),
        pixels.repeat(2, axis=0)[::2],
    ):
        before = form.copy()
        found = HAZY.log_posterior(form)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(form, before)
    np.testing.assert_allclose(HAZY.log_posterior(pixels.tolist()), expected, rtol=1e-12, atol=1e-12)
    whole = np.eye(25, dtype=np.int8)
    np.testing.assert_array_equal(HAZY.log_posterior(whole), HAZY.log_posterior(whole.astype(float)))


def test_no_patches_have_no_rows():
    assert HAZY.log_posterior(np.zeros((0, 25))).shape == (0, 2)
    assert HAZY.log_posterior(np.zeros((0, 25)), "kind").shape == (0, 7)


@pytest.mark.parametrize("shape", [(3, 24), (3, 26), (25,), (25, 3), (3, 5, 5), (0, 24), ()], ids=str)
def test_patches_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"shape \(n, 25\), not"):
        HAZY.log_posterior(np.zeros(shape))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", [(0, 0), (1, 24), (2, 12)])
def test_patches_that_are_not_finite_are_refused(value, where):
    pixels = np.zeros((3, 25))
    pixels[where] = value
    for target in ("label", "kind"):
        with pytest.raises(ValueError, match="finite"):
            HAZY.log_posterior(pixels, target)


@pytest.mark.parametrize("target", ["labels", "Kind", "", None, 0, 7])
def test_an_unknown_target_is_refused_and_shown(target):
    with pytest.raises(ValueError, match=f"target .* not {target!r}"):
        HAZY.log_posterior(np.zeros((1, 25)), target)


@pytest.mark.parametrize("target", ["label", "kind"])
def test_many_patches_take_less_memory_than_three_copies_of_them(target):
    pixels = np.zeros((40_000, 25))
    tracemalloc.start()
    try:
        HAZY.log_posterior(pixels, target)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * pixels.nbytes
