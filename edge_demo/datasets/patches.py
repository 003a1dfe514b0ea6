"""Patches: small images with their classes, in memory."""

import math
from dataclasses import dataclass

import numpy as np

CLASS_NAMES = ("Edge", "No Edge")
KIND_NAMES = ("vertical", "horizontal", "diagonal", "antidiagonal", "flat", "ramp", "speck")
EDGE_KINDS = 4  # the first four kinds are edges


class InputError(ValueError):
    """A mistake in a flag, a file or data, which one line explains to its user."""


@dataclass
class Patches:
    """n images with their labels.

    pixels: (n, rows * columns) float64, row by row. labels: (n,) int64, indexes into class_names.
    kinds: (n,) int64, indexes into KIND_NAMES, or None where they are not known.
    shape: (rows, columns) of each image; where None is given, square, or None where so many pixels make no square.
    """

    pixels: np.ndarray
    labels: np.ndarray
    kinds: np.ndarray | None = None
    class_names: tuple = CLASS_NAMES
    shape: tuple | None = None

    def __post_init__(self):
        self.pixels = np.asarray(self.pixels, dtype=np.float64)
        self.labels = _indexes("labels", self.labels, self.pixels, self.class_names)
        if self.kinds is not None:
            self.kinds = _indexes("kinds", self.kinds, self.pixels, KIND_NAMES)
        count = self.pixels.shape[1]
        if self.shape is None:
            self.shape = square(count)
        elif math.prod(self.shape) != count:
            raise ValueError(f"images of {shape_text(self.shape)} pixels have {math.prod(self.shape)}, not {count}")

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        """The patches of an index array, a mask or a slice."""
        kinds = None if self.kinds is None else self.kinds[index]
        return Patches(self.pixels[index], self.labels[index], kinds, self.class_names, self.shape)

    def with_kind_labels(self):
        """The same patches with their kind as the label: seven classes in place of two."""
        if self.kinds is None:
            raise InputError("these patches have no kinds: their files lack the kind column")
        return Patches(self.pixels, self.kinds, self.kinds, KIND_NAMES, self.shape)


def square(count):
    """(side, side) of a square image of so many pixels, or None where there is none."""
    side = math.isqrt(count)
    return (side, side) if side * side == count else None


def shape_text(shape):
    """Rows and columns as people write them: 5×5."""
    rows, columns = shape
    return f"{rows}×{columns}"


def _indexes(what, values, pixels, names):
    values = np.asarray(values)
    if pixels.ndim != 2 or values.shape != (len(pixels),):
        raise ValueError(f"pixels must be (n, pixels) and {what} (n,), not {pixels.shape} and {values.shape}")
    if len(values) and (values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= len(names)):
        raise ValueError(f"{what} must be whole numbers from 0 to {len(names) - 1}: {', '.join(names)}")
    return values.astype(np.int64)
