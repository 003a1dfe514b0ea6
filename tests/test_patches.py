"""Patches: pixels, labels and kinds belong together, and what does not fit is refused."""

import numpy as np
import pytest

from edge_demo.datasets import KIND_NAMES, InputError, Patches


@pytest.mark.parametrize(
    ("labels", "kinds", "what"),
    [
        ([0, 2], None, "labels"),
        ([0, -1], None, "labels"),
        ([0, 0.5], None, "labels"),
        ([0], None, "labels"),
        ([[0], [1]], None, "labels"),
        ([0, 1], [0, 7], "kinds"),
        ([0, 1], [0], "kinds"),
    ],
)
def test_labels_and_kinds_that_do_not_fit_the_pixels_are_refused(labels, kinds, what):
    with pytest.raises(ValueError, match=what):
        Patches(np.zeros((2, 25)), labels, kinds)


def test_images_are_square_unless_a_shape_is_given_and_it_must_fit():
    assert Patches(np.zeros((2, 16)), [0, 1]).shape == (4, 4)
    assert Patches(np.zeros((2, 6)), [0, 1], shape=(2, 3)).shape == (2, 3)
    for wrong in (np.zeros((2, 6)), np.zeros(6)):
        with pytest.raises(ValueError, match=r"3×3|pixels must be"):
            Patches(wrong, [0, 1], shape=(3, 3))


def test_a_selection_keeps_what_belongs_together():
    rng = np.random.default_rng(0)
    patches = Patches(rng.normal(size=(9, 6)), np.arange(9) % 3, np.arange(9) % 7, ("a", "b", "c"), (2, 3))
    for index in (np.array([4, 0, 4]), patches.labels == 1, slice(2, 5)):
        part = patches[index]
        for name in ("pixels", "labels", "kinds"):
            np.testing.assert_array_equal(getattr(part, name), getattr(patches, name)[index])
        assert (part.class_names, part.shape) == (("a", "b", "c"), (2, 3))


def test_kinds_can_be_the_labels():
    patches = Patches(np.zeros((7, 6)), [0, 1] * 3 + [0], np.arange(7), shape=(2, 3)).with_kind_labels()
    assert (patches.labels.tolist(), patches.class_names, patches.shape) == ([*range(7)], KIND_NAMES, (2, 3))
    with pytest.raises(InputError, match="kind"):
        Patches(np.zeros((1, 6)), [0]).with_kind_labels()
