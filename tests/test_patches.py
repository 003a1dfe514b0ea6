"""Patches: pixels, labels and kinds belong together, and what does not fit is refused."""

import numpy as np
import pytest

from edge_demo.datasets.patches import CLASS_NAMES, KIND_NAMES, Patches


def make(n=9, side=5, classes=CLASS_NAMES, kinds=True, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % len(classes)
    return Patches(rng.normal(0.5, 1, (n, side * side)), labels, np.arange(n) % 7 if kinds else None, classes)


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
    with pytest.raises(ValueError, match="pixels"):
        Patches(np.zeros(25), [0] * 25)


def test_a_selection_keeps_pixels_labels_and_kinds_together():
    patches = make()
    for index in (np.array([4, 0, 4]), patches.labels == 1, slice(2, 5)):
        part = patches[index]
        np.testing.assert_array_equal(part.pixels, patches.pixels[index])
        np.testing.assert_array_equal(part.labels, patches.labels[index])
        np.testing.assert_array_equal(part.kinds, patches.kinds[index])
    assert make(classes=("a", "b", "c"), kinds=False)[:2].class_names == ("a", "b", "c")


def test_kinds_can_be_the_labels():
    patches = make().with_kind_labels()
    assert patches.labels.tolist() == patches.kinds.tolist() == make().kinds.tolist()
    assert patches.class_names == KIND_NAMES
    with pytest.raises(ValueError, match="kind"):
        make(kinds=False).with_kind_labels()


def test_images_are_square_unless_a_shape_is_given_and_it_must_fit():
    assert make(side=4).shape == (4, 4)
    assert Patches(np.zeros((2, 6)), [0, 1], shape=(2, 3)).shape == (2, 3)
    with pytest.raises(ValueError, match="3×3"):
        Patches(np.zeros((2, 6)), [0, 1], shape=(3, 3))


def test_a_selection_and_kinds_as_labels_keep_the_shape():
    patches = Patches(np.zeros((2, 6)), [0, 1], [0, 1], shape=(2, 3))
    assert patches[:1].shape == patches.with_kind_labels().shape == (2, 3)
