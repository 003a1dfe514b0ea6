"""The truth: where the patches come from.

Each patch is x = brightness + contrast · polarity · template + noise, with five settings and 50 templates.
Because every step is Gaussian or a choice from a list, the probability of each class given x has an exact formula.
"""

import json
import math
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np

from edge_demo.files import open_file, replacing
from edge_demo.patches import EDGE_KINDS, KIND_NAMES, Patches
from edge_demo.softmax import log_softmax

SIDE = 5
BLOCK = 2048  # patches handled at once: small enough to stay in the processor's cache


@dataclass(frozen=True)
class PatchGenerator:
    """Draws 5×5 patches. Settings in intensity (0 black, 1 white).

    noise: standard deviation of each pixel's noise. brightness, contrast: (mean, standard deviation), one draw a patch.
    Raises ValueError unless noise is at least 1e-12 and the standard deviations at least 0, all below 1e6.
    """

    noise: float = 0.1
    brightness: tuple = (0.5, 0.1)
    contrast: tuple = (0.5, 0.1)

    def __post_init__(self):
        if not _is_number(self.noise) or self.noise < 1e-12:
            raise ValueError(f"noise must be a number above 0, from 1e-12 to 1e6, not {self.noise!r}")
        for name in ("brightness", "contrast"):
            pair = getattr(self, name)
            if not (isinstance(pair, tuple | list) and len(pair) == 2 and all(map(_is_number, pair)) and pair[1] >= 0):
                raise ValueError(f"{name} must be a mean and a standard deviation of at least 0, not {pair!r}")
            object.__setattr__(self, name, tuple(pair))

    def sample(self, n, rng):
        """n patches drawn with rng (a numpy Generator), as Patches."""
        templates, kinds, _ = components()
        drawn = _chosen(rng.random(n))  # (n,) component of each patch
        brightness = rng.normal(*self.brightness, (n, 1))
        contrast = rng.normal(*self.contrast, (n, 1))
        pixels = np.empty((n, SIDE * SIDE))
        for start in range(0, n, BLOCK):
            part = slice(start, start + BLOCK)
            block = pixels[part]
            rng.standard_normal(out=block)
            block *= self.noise
            signal = templates.take(drawn[part], axis=0)
            signal *= contrast[part]
            signal += brightness[part]
            block += signal
        kinds = kinds.take(drawn)
        return Patches(pixels, (kinds >= EDGE_KINDS).astype(np.int64), kinds)

    def log_posterior(self, pixels, target="label"):
        """Exact log p(class | patch) in nats: (n, 2) for "label", (n, 7) for "kind", columns in their usual order.

        pixels: (n, 25), finite. Given template t (with its polarity), x - brightness is Gaussian with mean c·t and
        covariance σ²I + σ_b²11ᵀ + σ_c²ttᵀ. Two steps of the Sherman-Morrison formula turn its log density, but for
        terms that all templates share, into a quadratic in one number, the response y = tᵀ(I - a11ᵀ)(x - brightness):
        (y²σ_c²/σ² + 2cy - c²r) / 2h - log(h) / 2,  a = σ_b² / (σ² + 25σ_b²),  r = tᵀ(I - a11ᵀ)t,  h = σ² + σ_c²r.
        Opposite polarity changes the sign of y only, so 50 templates do for all.
        """
        if target not in ("label", "kind"):
            raise ValueError(f'target must be "label" or "kind", not {target!r}')
        pixels = np.asarray(pixels, dtype=np.float64)
        if pixels.ndim != 2 or pixels.shape[1] != SIDE * SIDE or not np.isfinite(pixels).all():
            raise ValueError(f"pixels must be finite numbers of shape (n, {SIDE * SIDE}), not {pixels.shape}")
        kinds = list(templates_of_kinds().values())
        templates = np.concatenate(kinds)  # (50, 25)
        sizes = np.array([len(kind) for kind in kinds])
        siblings = np.where(np.arange(len(kinds)) < EDGE_KINDS, EDGE_KINDS, len(kinds) - EDGE_KINDS)
        log_prior = -np.log(np.repeat(siblings * sizes, sizes))[:, None]  # (50, 1), of each template in its class
        groups = sizes if target == "kind" else [sizes[:EDGE_KINDS].sum(), sizes[EDGE_KINDS:].sum()]

        (bright, bright_spread), (contrast, contrast_spread) = self.brightness, self.contrast
        shared = bright_spread**2 / (self.noise**2 + SIDE * SIDE * bright_spread**2)
        filters = templates - shared * templates.sum(axis=1, keepdims=True)  # (I - a11ᵀ)t
        r = (filters * templates).sum(axis=1, keepdims=True)
        h = self.noise**2 + contrast_spread**2 * r
        square, linear = contrast_spread**2 / self.noise**2 / (2 * h), abs(contrast) / h
        constant = -(contrast**2) * r / (2 * h) - np.log(h) / 2 + log_prior

        scores = np.empty((len(groups), len(pixels)))  # log density of each class or kind
        room = np.empty((2, len(templates) * min(BLOCK, len(pixels))))  # for the two arrays of a block, whole or short
        with _buffer(BLOCK):
            for start in range(0, len(pixels), BLOCK):
                part = slice(start, start + BLOCK)
                x = pixels[part].T - bright  # (25, n)
                y, likelier = room[:, : len(templates) * x.shape[1]].reshape(2, len(templates), -1)  # (50, n) each
                np.dot(filters, x, out=y)
                np.abs(y, out=y)
                np.multiply(square, y, out=likelier)  # of the two polarities, the one with the larger density:
                likelier += linear
                likelier *= y
                likelier += constant  # square·y² + linear·|y| + constant
                y *= -2.0 * linear
                both = np.exp(y, out=y)
                both += 1.0  # both polarities, as multiples of the likelier one
                for group, (end, size) in enumerate(zip(np.cumsum(groups), groups, strict=True)):
                    terms = likelier[end - size : end]
                    largest = terms.max(axis=0)
                    terms -= largest
                    np.exp(terms, out=terms)
                    terms *= both[end - size : end]
                    np.log(terms.sum(axis=0), out=scores[group, part])
                    scores[group, part] += largest
        return log_softmax(scores.T)

    def to_json(self, path):
        """Writes the settings."""
        with replacing(path) as file:
            json.dump(asdict(self), file, indent=2)
            file.write("\n")

    @classmethod
    def from_json(cls, path):
        """Reads what to_json wrote. Raises ValueError that names the file and the setting."""
        try:
            with open_file(path, encoding="utf-8") as file:
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


@cache
def components():
    """Every template with both polarities (flat once): templates (99, 25), kinds (99,), probabilities (99,).

    Half the patches are Edge; within a class kinds are equally likely, within a kind its signed templates.
    The arrays are made once, and read-only.
    """
    templates, kinds, weights = [], [], []
    for kind, plain in enumerate(templates_of_kinds().values()):
        signed = np.concatenate([plain, -plain]) if plain.any() else plain
        kinds_of_class = EDGE_KINDS if kind < EDGE_KINDS else len(KIND_NAMES) - EDGE_KINDS
        templates.append(signed)
        kinds += [kind] * len(signed)
        weights += [0.5 / kinds_of_class / len(signed)] * len(signed)
    made = np.concatenate(templates), np.array(kinds), np.array(weights)
    for array in made:
        array.flags.writeable = False
    return made


@cache
def _cells():
    """The cumulated probabilities of the components but the last, and how many are at most 0/4096, 1/4096, …, 1."""
    borders = np.cumsum(components()[2])[:-1]
    return borders, np.searchsorted(borders, np.arange(4097) / 4096, side="right")


def _chosen(uniform):
    """The component for each of the numbers from 0 to below 1: a search in the borders, at a tenth of its cost.

    Only numbers in a cell that has a border in it need be searched.
    """
    borders, table = _cells()
    cells = (uniform * 4096).astype(np.int64)
    chosen = table.take(cells)
    unsure = np.flatnonzero(chosen != table.take(cells + 1))
    chosen[unsure] = np.searchsorted(borders, uniform[unsure], side="right")
    return chosen


@contextmanager
def _buffer(row):
    """NumPy's buffer as long as a row: with its usual 8,192 numbers it copies what stays the same along a row."""
    before = np.setbufsize(16 * min(max(1, row // 16), 512))  # it takes multiples of 16
    try:
        yield
    finally:
        np.setbufsize(before)


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6
