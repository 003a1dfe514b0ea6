"""Patches: small images with their classes, in memory."""

import math
from dataclasses import dataclass

import numpy as np

CLASS_NAMES = ("Edge", "No Edge")
KIND_NAMES = ("vertical", "horizontal", "diagonal", "antidiagonal", "flat", "ramp", "speck")
EDGE_KINDS = 4  # the first four kinds are edges


@dataclass
class Patches:
    """n square images with their labels.

    pixels: (n, side * side) float64, row by row. labels: (n,) int64, indexes into class_names.
    kinds: (n,) int64, indexes into KIND_NAMES, or None where they are not known.
    """

    pixels: np.ndarray
    labels: np.ndarray
    kinds: np.ndarray | None = None
    class_names: tuple = CLASS_NAMES

    def __post_init__(self):
        self.pixels = np.asarray(self.pixels, dtype=np.float64)
        self.labels = _indexes("labels", self.labels, self.pixels, self.class_names)
        if self.kinds is not None:
            self.kinds = _indexes("kinds", self.kinds, self.pixels, KIND_NAMES)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        """The patches of an index array, a mask or a slice."""
        kinds = None if self.kinds is None else self.kinds[index]
        return Patches(self.pixels[index], self.labels[index], kinds, self.class_names)

    @property
    def side(self):
        """Rows, and columns, of each image. Raises ValueError where the images are not square."""
        side = math.isqrt(self.pixels.shape[1])
        if side * side != self.pixels.shape[1]:
            raise ValueError(f"images of {self.pixels.shape[1]} pixels are not square")
        return side

    def with_kind_labels(self):
        """The same patches with their kind as the label: seven classes in place of two."""
        if self.kinds is None:
            raise ValueError("these patches have no kinds: their files lack the kind column")
        return Patches(self.pixels, self.kinds, self.kinds, KIND_NAMES)


def _indexes(what, values, pixels, names):
    values = np.asarray(values)
    if pixels.ndim != 2 or values.shape != (len(pixels),):
        raise ValueError(f"pixels must be (n, pixels) and {what} (n,), not {pixels.shape} and {values.shape}")
    if len(values) and (values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= len(names)):
        raise ValueError(f"{what} must be whole numbers from 0 to {len(names) - 1}: {', '.join(names)}")
    return values.astype(np.int64)
