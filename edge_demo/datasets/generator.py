"""The truth: where the patches come from.

Each patch is x = brightness + contrast · polarity · template + noise, with five settings and 50 templates. Because
every step is Gaussian or a choice from a list, the probability of each class given x has an exact formula.
"""

import json
import math
from dataclasses import asdict, dataclass, field
from functools import cache

import numpy as np

from edge_demo.datasets.patches import EDGE_KINDS, KIND_NAMES, InputError, Patches
from edge_demo.softmax import log_softmax

SIDE = 5
BLOCK = 10_000  # patches whose posterior is computed at once: 99 scores each, in 8 MB


@dataclass(frozen=True)
class PatchGenerator:
    """Draws 5×5 patches. Settings in intensity (0 black, 1 white).

    noise: standard deviation of each pixel's noise. brightness, contrast: (mean, standard deviation), one draw a patch.
    bayes_loss: the expected cross-entropy of the exact posterior in nats, which nobody can go below, where it is known.
    Raises InputError unless noise is at least 1e-12 and the standard deviations at least 0, all below 1e6.
    """

    noise: float = 0.1
    brightness: tuple = (0.5, 0.2)
    contrast: tuple = (0.3, 0.1)
    bayes_loss: float | None = field(default=None, compare=False)  # it follows from the others

    def __post_init__(self):
        if not _are_numbers([self.noise]) or self.noise < 1e-12:
            raise InputError(f"noise must be a number above 0, from 1e-12 to 1e6, not {self.noise!r}")
        for name in ("brightness", "contrast"):
            pair = getattr(self, name)
            if not _are_numbers(pair) or len(pair) != 2 or pair[1] < 0:
                raise InputError(f"{name} must be a mean and a standard deviation of at least 0, not {pair!r}")
            object.__setattr__(self, name, tuple(pair))  # what JSON read is a list
        if not (self.bayes_loss is None or (_are_numbers([self.bayes_loss]) and self.bayes_loss >= 0)):
            raise InputError(f"bayes_loss must be a number of at least 0, or null, not {self.bayes_loss!r}")

    def sample(self, n, rng):
        """n patches drawn with rng (a numpy Generator), as Patches."""
        templates, kinds, priors = signed_templates()
        drawn = rng.choice(len(templates), n, p=priors)
        brightness = rng.normal(*self.brightness, (n, 1))
        contrast = rng.normal(*self.contrast, (n, 1))
        noise = rng.normal(0.0, self.noise, (n, SIDE * SIDE))

        pixels = brightness + contrast * templates[drawn] + noise  # (n, 25); the templates carry their polarity
        labels = np.where(kinds[drawn] < EDGE_KINDS, 0, 1)
        return Patches(pixels, labels, kinds[drawn])

    def log_posterior(self, pixels, target="label"):
        """Exact log p(class | patch) in nats: (n, 2) for "label", (n, 7) for "kind", columns in their usual order.

        A softmax too: each of the 99 signed templates has a score, its log prior + log likelihood of the patch; their
        softmax is p(template | patch), and a class's probability is the sum over its templates.
        pixels: (n, 25), finite. Raises ValueError.
        """
        pixels = np.asarray(pixels, dtype=np.float64)
        if pixels.ndim != 2 or pixels.shape[1] != SIDE * SIDE or not np.isfinite(pixels).all():
            raise ValueError(f"pixels must be finite numbers of shape (n, {SIDE * SIDE}), not {pixels.shape}")
        _, kinds, priors = signed_templates()
        classes = {"kind": kinds, "label": np.where(kinds < EDGE_KINDS, 0, 1)}[target]
        members = [classes == k for k in range(classes.max() + 1)]

        blocks = [np.empty((0, len(members)))]
        for start in range(0, len(pixels), BLOCK):  # so that memory stays bounded
            scores = np.log(priors) + self._log_likelihood(pixels[start : start + BLOCK])  # (n, 99)
            sums = [np.logaddexp.reduce(scores[:, member], axis=1) for member in members]
            blocks.append(log_softmax(np.stack(sums, axis=1)))  # (n, classes)
        return np.concatenate(blocks)

    def _log_likelihood(self, pixels):
        """log p(patch | signed template), (n, 99), but for terms that all templates share.

        Given template t, x - brightness is Gaussian with mean c·t and covariance σ²I + σ_b²11ᵀ + σ_c²ttᵀ. Two steps of
        the Sherman-Morrison formula turn its log density into a quadratic in one number, the response
        y = tᵀ(I - a11ᵀ)(x - brightness):  (y²σ_c²/σ² + 2cy - c²r) / 2h - log(h) / 2
        with  a = σ_b² / (σ² + 25σ_b²),  r = tᵀ(I - a11ᵀ)t,  h = σ² + σ_c²r.
        """
        templates, _, _ = signed_templates()
        (bright, bright_spread), (contrast, contrast_spread) = self.brightness, self.contrast
        a = bright_spread**2 / (self.noise**2 + SIDE * SIDE * bright_spread**2)
        filters = templates - a * templates.sum(axis=1, keepdims=True)  # (99, 25): (I - a11ᵀ)t
        r = (filters * templates).sum(axis=1)  # (99,)
        h = self.noise**2 + contrast_spread**2 * r

        y = (pixels - bright) @ filters.T  # (n, 25) -> (n, 99)
        quadratic = (contrast_spread * y / self.noise) ** 2 + 2 * contrast * y - contrast**2 * r
        return quadratic / (2 * h) - np.log(h) / 2

    def to_json(self, path):
        """Writes the settings, and bayes_loss where it is known."""
        with open(path, "w", encoding="utf-8", newline="") as file:
            json.dump(asdict(self), file, indent=2)
            file.write("\n")

    @classmethod
    def from_json(cls, path):
        """Reads what to_json wrote. Raises InputError that names the file and the setting."""
        try:
            with open(path, encoding="utf-8") as file:
                return cls(**json.load(file))
        except (ValueError, TypeError, RecursionError) as error:  # TypeError: other settings, or none
            raise InputError(f"{path}: {error}") from None


def templates_of_kinds():
    """A dict from kind name to its templates, (count, 25), in the order of KIND_NAMES."""
    r, c = (grid.ravel() for grid in np.indices((SIDE, SIDE)))
    angles = np.arange(8) * math.pi / 8
    ramps = np.cos(angles)[:, None] * (c - 2) + np.sin(angles)[:, None] * (r - 2)
    return {
        "vertical": np.array([np.where(c >= k, 0.5, -0.5) for k in range(1, 5)]),
        "horizontal": np.array([np.where(r >= k, 0.5, -0.5) for k in range(1, 5)]),
        "diagonal": np.array([np.where(r + c >= k, 0.5, -0.5) for k in range(3, 7)]),
        "antidiagonal": np.array([np.where(c - r >= k, 0.5, -0.5) for k in range(-1, 3)]),
        "flat": np.zeros((1, SIDE * SIDE)),
        "ramp": 0.25 * ramps / np.abs(ramps).max(axis=1, keepdims=True),
        "speck": np.eye(SIDE * SIDE),
    }


@cache
def signed_templates():
    """Every template with both polarities (flat once): templates (99, 25), kinds (99,), prior probabilities (99,).

    Half the patches are Edge; within a class kinds are equally likely, within a kind its signed templates.
    """
    templates, kinds, priors = [], [], []
    for kind, plain in enumerate(templates_of_kinds().values()):
        signed = np.concatenate([plain, -plain]) if plain.any() else plain
        siblings = EDGE_KINDS if kind < EDGE_KINDS else len(KIND_NAMES) - EDGE_KINDS
        templates.append(signed)
        kinds.append(np.full(len(signed), kind))
        priors.append(np.full(len(signed), 0.5 / siblings / len(signed)))
    arrays = np.concatenate(templates), np.concatenate(kinds), np.concatenate(priors)
    for array in arrays:
        array.flags.writeable = False  # they are made once, for all
    return arrays


def _are_numbers(values):
    return isinstance(values, tuple | list) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6 for value in values
    )
