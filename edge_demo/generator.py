"""The truth: where the patches come from.

Each patch is x = brightness + contrast · polarity · template + noise, with five settings and 50 templates.
Because every step is Gaussian or a choice from a list, the probability of each class given x has an exact formula.
"""

import json
import math
from dataclasses import asdict, dataclass

import numpy as np

from edge_demo.files import replacing
from edge_demo.patches import EDGE_KINDS, KIND_NAMES, Patches

SIDE = 5
BLOCK = 2048  # patches handled at once: small enough to stay in the processor's cache


@dataclass(frozen=True)
class PatchGenerator:
    """Draws 5×5 patches. Settings in intensity (0 black, 1 white).

    noise: standard deviation of each pixel's noise. brightness, contrast: (mean, standard deviation), one draw a patch.
    Raises ValueError unless noise > 0 and the standard deviations are at least 0, all finite.
    """

    noise: float = 0.1
    brightness: tuple = (0.5, 0.1)
    contrast: tuple = (0.5, 0.1)

    def __post_init__(self):
        if not _is_number(self.noise) or self.noise <= 0:
            raise ValueError(f"noise must be a number above 0, not {self.noise!r}")
        for name in ("brightness", "contrast"):
            pair = getattr(self, name)
            if not (isinstance(pair, tuple | list) and len(pair) == 2 and all(map(_is_number, pair)) and pair[1] >= 0):
                raise ValueError(f"{name} must be a mean and a standard deviation of at least 0, not {pair!r}")
            object.__setattr__(self, name, tuple(pair))

    def sample(self, n, rng):
        """n patches drawn with rng (a numpy Generator), as Patches."""
        templates, kinds, weights = components()
        drawn = np.searchsorted(np.cumsum(weights)[:-1], rng.random(n), side="right")  # (n,) component of each patch
        brightness = rng.normal(*self.brightness, (n, 1))
        contrast = rng.normal(*self.contrast, (n, 1))
        pixels = np.empty((n, SIDE * SIDE))
        for start in range(0, n, BLOCK):
            part = slice(start, start + BLOCK)
            rng.standard_normal(out=pixels[part])
            pixels[part] *= self.noise
            signal = templates[drawn[part]]
            signal *= contrast[part]
            signal += brightness[part]
            pixels[part] += signal
        return Patches(pixels, (kinds[drawn] >= EDGE_KINDS).astype(np.int64), kinds[drawn])

    def to_json(self, path):
        """Writes the settings."""
        with replacing(path) as file:
            json.dump(asdict(self), file, indent=2)
            file.write("\n")

    @classmethod
    def from_json(cls, path):
        """Reads what to_json wrote. Raises ValueError that names the file and the setting."""
        try:
            with open(path, encoding="utf-8") as file:
                settings = json.load(file)
            if not isinstance(settings, dict) or set(settings) - {"noise", "brightness", "contrast"}:
                raise ValueError("expected an object with noise, brightness and contrast, and nothing else")
            return cls(**settings)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}: {error}") from None


def templates_of_kinds():
    """A dict from kind name to its templates, (count, 25), in the order of KIND_NAMES."""
    r, c = (grid.ravel() for grid in np.indices((SIDE, SIDE)))
    angles = np.arange(8) * math.pi / 8
    ramps = np.cos(angles)[:, None] * (c - 2) + np.sin(angles)[:, None] * (r - 2)
    templates = (
        [np.where(c >= k, 0.5, -0.5) for k in range(1, 5)],
        [np.where(r >= k, 0.5, -0.5) for k in range(1, 5)],
        [np.where(r + c >= k, 0.5, -0.5) for k in range(3, 7)],
        [np.where(c - r >= k, 0.5, -0.5) for k in range(-1, 3)],
        [np.zeros(SIDE * SIDE)],
        0.25 * ramps / np.abs(ramps).max(axis=1, keepdims=True),
        np.eye(SIDE * SIDE),
    )
    return dict(zip(KIND_NAMES, map(np.array, templates), strict=True))


def components():
    """Every template with both polarities (flat once): templates (99, 25), kinds (99,), probabilities (99,).

    Half the patches are Edge; within a class kinds are equally likely, within a kind its signed templates.
    """
    templates, kinds, weights = [], [], []
    for kind, plain in enumerate(templates_of_kinds().values()):
        signed = np.concatenate([plain, -plain]) if plain.any() else plain
        kinds_of_class = EDGE_KINDS if kind < EDGE_KINDS else len(KIND_NAMES) - EDGE_KINDS
        templates.append(signed)
        kinds += [kind] * len(signed)
        weights += [0.5 / kinds_of_class / len(signed)] * len(signed)
    return np.concatenate(templates), np.array(kinds), np.array(weights)


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
