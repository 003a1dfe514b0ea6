"""The patch generator against the design's definitions, written anew; its posterior against dense Gaussians."""

import json
import math

import numpy as np
import pytest
from conftest import ROOT
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from edge_demo.datasets import KIND_NAMES, InputError, PatchGenerator
from edge_demo.datasets import generator as module
from edge_demo.datasets.generator import signed_templates, templates_of_kinds

ROWS, COLUMNS = np.divmod(np.arange(25), 5)


def halves(coordinate, borders):
    return np.array([np.where(coordinate >= k, 0.5, -0.5) for k in borders])


def ramp(angle):
    slope = math.cos(angle) * (COLUMNS - 2) + math.sin(angle) * (ROWS - 2)
    return slope / np.abs(slope).max() / 4


TEMPLATES = {
    "vertical": halves(COLUMNS, (1, 2, 3, 4)),
    "horizontal": halves(ROWS, (1, 2, 3, 4)),
    "diagonal": halves(ROWS + COLUMNS, (3, 4, 5, 6)),
    "antidiagonal": halves(COLUMNS - ROWS, (-1, 0, 1, 2)),
    "flat": np.zeros((1, 25)),
    "ramp": np.array([ramp(i * math.pi / 8) for i in range(8)]),
    "speck": np.eye(25),
}


def signed(kind):
    """The templates of a kind with both polarities, flat once."""
    return TEMPLATES[kind] if kind == "flat" else np.vstack([TEMPLATES[kind], -TEMPLATES[kind]])


def probability(kind):
    """Of one signed template: half of the patches are Edge, and kinds and templates are equally likely."""
    return 0.5 / (4 if KIND_NAMES.index(kind) < 4 else 3) / len(signed(kind))


def test_settings_and_templates_are_those_of_the_design():
    usual = PatchGenerator(noise=0.1, brightness=(0.5, 0.2), contrast=(0.3, 0.1))
    assert PatchGenerator() == PatchGenerator.from_json(ROOT / "data" / "generator.json") == usual
    assert list(templates_of_kinds()) == list(TEMPLATES) == list(KIND_NAMES)
    for kind, templates in templates_of_kinds().items():
        np.testing.assert_allclose(templates, TEMPLATES[kind], rtol=0, atol=1e-15)


def test_signed_templates_are_all_99_with_their_kinds_and_probabilities():
    templates, kinds, priors = signed_templates()
    assert (len(templates), len(np.unique(templates.round(9), axis=0))) == (99, 99)
    for number, kind in enumerate(KIND_NAMES):
        assert sorted(templates[kinds == number].round(9).tolist()) == sorted(signed(kind).round(9).tolist())
        np.testing.assert_allclose(priors[kinds == number], probability(kind), rtol=1e-14)


# ------------------------------------------------------------------------------------------------ sampling

FIVE = PatchGenerator(noise=0.03, brightness=(0.4, 0.05), contrast=(0.6, 0.08))  # five different numbers


@pytest.fixture(scope="module")
def drawn():
    return FIVE.sample(100_000, np.random.default_rng(0))


@pytest.fixture(scope="module")
def found(drawn):
    """For each kind the index of the signed template nearest to each of its patches, whatever their brightness."""
    indexes = {}
    for number, kind in enumerate(KIND_NAMES):
        templates = 0.6 * signed(kind)
        templates = templates - templates.mean(axis=1, keepdims=True)
        pixels = drawn.pixels[drawn.kinds == number]
        indexes[kind] = ((templates**2).sum(axis=1) - 2 * pixels @ templates.T).argmin(axis=1)
    return indexes


def near(count, n, probability):
    """Is count within five standard deviations of what n draws give?"""
    return abs(count - n * probability) < 5 * math.sqrt(n * probability * (1 - probability))


def test_classes_kinds_and_templates_are_as_frequent_as_the_design_says(drawn, found):
    n = len(drawn)
    np.testing.assert_array_equal(drawn.labels, drawn.kinds >= 4)
    for number, kind in enumerate(KIND_NAMES):
        assert near((drawn.kinds == number).sum(), n, 1 / 8 if number < 4 else 1 / 6)
        assert all(near(count, n, probability(kind)) for count in np.bincount(found[kind], minlength=len(signed(kind))))


@pytest.mark.parametrize(("kind", "index"), [("vertical", 0), ("horizontal", 6), ("antidiagonal", 5), ("flat", 0)])
def test_the_patches_of_a_template_have_the_mean_and_covariance_of_the_design(drawn, found, kind, index):
    template = signed(kind)[index]
    pixels = drawn.pixels[drawn.kinds == KIND_NAMES.index(kind)][found[kind] == index]
    n = len(pixels)
    covariance = 0.03**2 * np.eye(25) + 0.05**2 + 0.08**2 * np.outer(template, template)
    variance = covariance.diagonal()
    errors = (pixels.mean(axis=0) - (0.4 + 0.6 * template)) / np.sqrt(variance / n)
    assert np.abs(errors).max() < 5
    spread = np.sqrt((np.outer(variance, variance) + covariance**2) / n)  # of a sample covariance of Gaussians
    assert (np.abs(np.cov(pixels.T) - covariance) / spread).max() < 5


# ------------------------------------------------------------------------------------------------ posterior

SETTINGS = [
    PatchGenerator(),
    FIVE,
    PatchGenerator(noise=1),
    PatchGenerator(0.02, (0.5, 0), (0.5, 0)),
    PatchGenerator(brightness=(0.5, 1)),
    PatchGenerator(contrast=(0.5, 1)),
    PatchGenerator(contrast=(0, 0.4)),
    PatchGenerator(0.3, contrast=(0, 0)),
    PatchGenerator(0.2, (-0.7, 0.2), (-0.6, 0.3)),
]
EXTREME = [
    PatchGenerator(0.02, (-3, 5), (0.2, 0)),
    PatchGenerator(1, (0.5, 20), (-4, 10)),
    PatchGenerator(1e-12),
    PatchGenerator(999_999.0),
]
HAZY = PatchGenerator(noise=0.3)


def dense(settings, pixels):
    """log p(label | patch) and log p(kind | patch) from the definition: Bayes' rule over 99 Gaussians, 25×25 each."""
    (brightness, brightness_spread), (contrast, contrast_spread) = settings.brightness, settings.contrast
    joint, kinds = [], []
    for number, kind in enumerate(KIND_NAMES):
        for template in signed(kind):
            covariance = settings.noise**2 * np.eye(25) + brightness_spread**2
            covariance += contrast_spread**2 * np.outer(template, template)
            density = multivariate_normal.logpdf(pixels, brightness + contrast * template, covariance)
            joint.append(np.log(probability(kind)) + density)
            kinds.append(number)
    joint, kinds = np.array(joint), np.array(kinds)
    joint -= logsumexp(joint, axis=0)
    return [
        np.stack([logsumexp(joint[classes == c], axis=0) for c in range(count)], axis=1)
        for classes, count in ((kinds >= 4, 2), (kinds, 7))
    ]


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


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_posterior_is_bayes_rule_over_dense_gaussians(settings):
    pixels = own_and_foreign(settings)
    for found, expected in zip(both(settings, pixels), dense(settings, pixels), strict=True):
        assert_close(found, expected)


@pytest.mark.parametrize("settings", [*SETTINGS, *EXTREME], ids=str)
def test_the_furthest_patches_still_have_probabilities_of_sum_1(settings):
    shapes = np.vstack([np.random.default_rng(1).normal(size=(40, 25)), np.ones((1, 25)), *TEMPLATES.values()])
    for found in both(settings, np.vstack([shapes, 1e6 * shapes, -1e6 * shapes, 1e100 * shapes])):
        assert np.isfinite(found).all()
        np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=0, atol=1e-12)


def test_patches_beyond_the_first_block_are_treated_as_any_other(monkeypatch):
    pixels = patches(HAZY, 90)
    expected = HAZY.log_posterior(pixels, "kind")
    for block in (1, 7, 89, 90):
        monkeypatch.setattr(module, "BLOCK", block)
        np.testing.assert_allclose(HAZY.log_posterior(pixels, "kind"), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("pixels", [np.zeros((3, 24)), np.zeros(25), np.full((3, 25), math.nan)])
def test_pixels_that_are_not_finite_numbers_of_25_columns_are_refused(pixels):
    with pytest.raises(ValueError, match=r"finite numbers of shape \(n, 25\), not"):
        HAZY.log_posterior(pixels)


# ------------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize("generator", [PatchGenerator(1, [-2, 0], (0, 3), 0.18), FIVE], ids=str)
def test_settings_come_back_from_their_file(tmp_path, generator):
    generator.to_json(tmp_path / "generator.json")
    found = PatchGenerator.from_json(tmp_path / "generator.json")
    assert found == generator
    assert found.bayes_loss == generator.bayes_loss


BAD_SETTINGS = [
    {"noise": 0}, {"noise": math.nan}, {"noise": "0.1"}, {"noise": None}, {"noise": True}, {"noise": 10**400},
    {"noise": 0.9e-12}, {"noise": 1e6}, {"brightness": 0.5}, {"brightness": [0.5]}, {"brightness": [0.5, 0.1, 0.1]},
    {"brightness": [0.5, -0.1]}, {"brightness": [math.nan, 0.1]}, {"contrast": [0.5, math.inf]},
    {"contrast": {"mean": 0.5}}, {"contrast": "ab"}, {"bayes_loss": -1}, {"bayes_loss": "0"},
]  # fmt: skip


@pytest.mark.parametrize("settings", BAD_SETTINGS, ids=lambda settings: str(settings)[:40])
def test_impossible_settings_are_refused_by_name_and_file(tmp_path, settings):
    (name,) = settings
    with pytest.raises(InputError, match=f"^{name} must be"):
        PatchGenerator(**settings)
    (tmp_path / "generator.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match=rf"generator\.json: {name} must be"):
        PatchGenerator.from_json(tmp_path / "generator.json")


@pytest.mark.parametrize("text", ["", "[0.1]", "null", '{"noise": 0.1, "seed": 3}', "[" * 100_000, "\xff"])
def test_a_file_of_anything_else_is_refused_by_its_name(tmp_path, text):
    path = tmp_path / "generator.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"generator\.json: "):
        PatchGenerator.from_json(path)
