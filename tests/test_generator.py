"""The patch generator against the definitions of the design, written anew, and against its own closed form."""

import json
import math
import tracemalloc

import numpy as np
import pytest
from conftest import ROOT

from edge_demo import generator as module
from edge_demo.generator import PatchGenerator, components, templates_of_kinds
from edge_demo.patches import KIND_NAMES

SETTINGS = PatchGenerator(noise=0.03, brightness=(0.4, 0.05), contrast=(0.6, 0.08))  # five different numbers


def image(value):
    return [value(r, c) for r in range(5) for c in range(5)]


def ramp(angle):
    slope = image(lambda r, c: math.cos(angle) * (c - 2) + math.sin(angle) * (r - 2))
    return [value / 4 / max(map(abs, slope)) for value in slope]


def halves(inside):
    return image(lambda r, c: 0.5 if inside(r, c) else -0.5)


def speck(row, column):
    return image(lambda r, c: float((r, c) == (row, column)))


EXPECTED = {
    "vertical": [halves(lambda r, c, k=k: c >= k) for k in (1, 2, 3, 4)],
    "horizontal": [halves(lambda r, c, k=k: r >= k) for k in (1, 2, 3, 4)],
    "diagonal": [halves(lambda r, c, k=k: r + c >= k) for k in (3, 4, 5, 6)],
    "antidiagonal": [halves(lambda r, c, k=k: c - r >= k) for k in (-1, 0, 1, 2)],
    "flat": [image(lambda r, c: 0.0)],
    "ramp": [ramp(i * math.pi / 8) for i in range(8)],
    "speck": [speck(row, column) for row in range(5) for column in range(5)],
}


def signed(kind):
    """The templates of a kind with both polarities, flat once."""
    plain = np.array(EXPECTED[kind])
    return plain if kind == "flat" else np.vstack([plain, -plain])


def probability(kind):
    """Of one signed template: half of the patches are Edge, and kinds and templates are equally likely."""
    return 0.5 / (4 if KIND_NAMES.index(kind) < 4 else 3) / len(signed(kind))


@pytest.fixture(scope="module")
def drawn():
    return SETTINGS.sample(100_000, np.random.default_rng(0))


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


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_templates_are_those_of_the_design(kind):
    assert list(templates_of_kinds()) == list(EXPECTED) == list(KIND_NAMES)
    np.testing.assert_allclose(templates_of_kinds()[kind], EXPECTED[kind], rtol=0, atol=1e-15)


def test_components_are_all_signed_templates_with_their_probabilities():
    templates, kinds, weights = components()
    assert (sum(map(len, EXPECTED.values())), len(templates)) == (50, 99)
    assert len(np.unique(templates.round(9), axis=0)) == 99
    for number, kind in enumerate(KIND_NAMES):
        mine = templates[kinds == number]
        assert sorted(mine.round(9).tolist()) == sorted(signed(kind).round(9).tolist())
        np.testing.assert_allclose(weights[kinds == number], probability(kind), rtol=1e-14)
    assert weights.sum() == pytest.approx(1, rel=1e-14)


def near(count, n, probability):
    """Is count within five standard deviations of what n draws give?"""
    return abs(count - n * probability) < 5 * math.sqrt(n * probability * (1 - probability))


def test_classes_kinds_and_templates_are_as_frequent_as_the_design_says(drawn, found):
    n = len(drawn)
    assert near((drawn.labels == 0).sum(), n, 1 / 2)
    np.testing.assert_array_equal(drawn.labels, drawn.kinds >= 4)
    for number, kind in enumerate(KIND_NAMES):
        assert near((drawn.kinds == number).sum(), n, 1 / 8 if number < 4 else 1 / 6)
        counts = np.bincount(found[kind], minlength=len(signed(kind)))
        assert all(near(count, n, probability(kind)) for count in counts)


@pytest.mark.parametrize(
    ("kind", "index"), [("vertical", 0), ("horizontal", 6), ("diagonal", 3), ("antidiagonal", 5), ("flat", 0)]
)
def test_the_patches_of_a_component_have_the_mean_and_covariance_of_the_closed_form(drawn, found, kind, index):
    template = signed(kind)[index]
    pixels = drawn.pixels[drawn.kinds == KIND_NAMES.index(kind)][found[kind] == index]
    n, ones = len(pixels), np.ones(25)
    covariance = 0.03**2 * np.eye(25) + 0.05**2 * np.outer(ones, ones) + 0.08**2 * np.outer(template, template)
    variance = covariance.diagonal()
    errors = (pixels.mean(axis=0) - (0.4 + 0.6 * template)) / np.sqrt(variance / n)
    assert np.abs(errors).max() < 5
    spread = np.sqrt((np.outer(variance, variance) + covariance**2) / n)  # of a sample covariance of Gaussians
    assert (np.abs(np.cov(pixels.T) - covariance) / spread).max() < 5


def test_the_kinds_of_patches_can_be_seen_in_their_pixels():
    quiet = PatchGenerator(noise=1e-9, brightness=(0.4, 0), contrast=(0.6, 0))
    patches = quiet.sample(400, np.random.default_rng(1))
    for pixels, kind in zip(patches.pixels, patches.kinds, strict=True):
        distances = np.abs((pixels - 0.4) / 0.6 - signed(KIND_NAMES[kind])).max(axis=1)
        assert distances.min() < 1e-7


def test_both_classes_have_the_same_mean_image(drawn):
    edge, no_edge = (drawn.pixels[drawn.labels == label] for label in (0, 1))
    error = np.sqrt(edge.var(axis=0) / len(edge) + no_edge.var(axis=0) / len(no_edge))
    assert (np.abs(edge.mean(axis=0) - no_edge.mean(axis=0)) / error).max() < 5


@pytest.mark.parametrize("block", [1, 7, 100, 10**6])
def test_the_size_of_blocks_does_not_change_a_byte(monkeypatch, block):
    expected = SETTINGS.sample(300, np.random.default_rng(2))
    monkeypatch.setattr(module, "BLOCK", block)
    patches = SETTINGS.sample(300, np.random.default_rng(2))
    assert patches.pixels.tobytes() == expected.pixels.tobytes()
    assert patches.kinds.tobytes() == expected.kinds.tobytes()


def test_components_are_chosen_as_a_search_in_their_cumulated_probabilities_would():
    borders = np.cumsum(components()[2])[:-1]
    beside = np.concatenate([borders, np.nextafter(borders, 0), np.nextafter(borders, 1), np.arange(4096) / 4096])
    uniform = np.concatenate([beside, [np.nextafter(1, 0)], np.random.default_rng(4).random(10_000)])
    np.testing.assert_array_equal(module._chosen(uniform), np.searchsorted(borders, uniform, side="right"))


@pytest.mark.parametrize("block", [1, 7, 10**6])
def test_the_size_of_blocks_does_not_change_the_posterior(monkeypatch, block):
    pixels = SETTINGS.sample(700, np.random.default_rng(5)).pixels
    expected = SETTINGS.log_posterior(pixels, "kind")
    monkeypatch.setattr(module, "BLOCK", block)
    np.testing.assert_allclose(SETTINGS.log_posterior(pixels, "kind"), expected, rtol=1e-12, atol=1e-12)


def test_sampling_needs_no_more_memory_than_its_result_and_a_few_numbers_a_patch():
    rng, n = np.random.default_rng(6), 50_000
    tracemalloc.start()
    try:
        patches = SETTINGS.sample(n, rng)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < patches.pixels.nbytes + 12 * 8 * n


def test_only_the_given_generator_decides_what_is_drawn():
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    rng = np.random.default_rng(3)
    first, second, same = (SETTINGS.sample(50, r) for r in (rng, rng, np.random.default_rng(3)))
    assert first.pixels.tobytes() == same.pixels.tobytes()
    assert first.labels.tobytes() == same.labels.tobytes()
    assert first.pixels.tobytes() != second.pixels.tobytes()
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002


@pytest.mark.parametrize("generator", [PatchGenerator(), SETTINGS, PatchGenerator(1, [-2, 0], (0, 3))])
def test_settings_come_back_from_their_file(tmp_path, generator):
    generator.to_json(tmp_path / "generator.json")
    assert PatchGenerator.from_json(tmp_path / "generator.json") == generator
    assert set(json.loads((tmp_path / "generator.json").read_text())) == {"noise", "brightness", "contrast"}


BAD_SETTINGS = [
    {"noise": 0}, {"noise": -0.1}, {"noise": math.nan}, {"noise": math.inf}, {"noise": "0.1"}, {"noise": None},
    {"noise": True}, {"noise": [0.1]}, {"noise": 10**400}, {"brightness": 0.5}, {"brightness": [0.5]},
    {"brightness": [0.5, 0.1, 0.1]}, {"brightness": [0.5, -0.1]}, {"brightness": [math.nan, 0.1]},
    {"contrast": [0.5, math.inf]}, {"contrast": ["a", "b"]}, {"contrast": {"mean": 0.5}}, {"contrast": "ab"},
]  # fmt: skip


@pytest.mark.parametrize("settings", BAD_SETTINGS, ids=lambda settings: str(settings)[:40])
def test_impossible_settings_are_refused_by_name(tmp_path, settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name} must be"):
        PatchGenerator(**settings)
    path = tmp_path / "generator.json"
    path.write_text(json.dumps(settings))
    with pytest.raises(ValueError, match=f"{name} must be") as caught:
        PatchGenerator.from_json(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[0.1]", "0.1", "null", '"noise"', '{"noise": 0.1, "seed": 3}', '{"noise": .1}', "[" * 100_000, "\xff"],
    ids=lambda text: text[:12] or "empty",
)
def test_a_file_of_anything_else_is_refused_by_its_name(tmp_path, text):
    path = tmp_path / "generator.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"generator\.json: "):
        PatchGenerator.from_json(path)


def test_the_committed_settings_are_the_bytes_that_to_json_writes(tmp_path):
    PatchGenerator().to_json(tmp_path / "generator.json")
    assert (tmp_path / "generator.json").read_bytes() == (ROOT / "data" / "generator.json").read_bytes()


def test_pixels_of_half_the_precision_have_the_posterior_of_their_values():
    half = SETTINGS.sample(9, np.random.default_rng(1)).pixels.astype(np.float32)
    np.testing.assert_array_equal(SETTINGS.log_posterior(half), SETTINGS.log_posterior(half.astype(np.float64)))


@pytest.mark.parametrize("noise", [1e-12, 999_999.0])
def test_the_smallest_and_largest_noise_have_a_posterior(noise):
    generator = PatchGenerator(noise)
    assert np.isfinite(generator.log_posterior(generator.sample(200, np.random.default_rng(0)).pixels)).all()


@pytest.mark.parametrize("noise", [0.9e-12, 1e6, np.nan])
def test_other_noise_is_refused(noise):
    with pytest.raises(ValueError, match="noise must be"):
        PatchGenerator(noise)
