"""Did a change help? Runs, and groups of runs that differ in their seed only, held against each other.

Nothing here builds a network: what is compared was stored, so that runs of other layers than network.py builds now can
be compared too.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.patches import Patches
from edge_demo.evaluation import bootstrap_interval
from edge_demo.runs.run import PARTS, load_stored, seed_folders
from edge_demo.softmax import log_softmax, softmax

CURVES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")


@dataclass
class Result:
    """What trainings with one or more seeds reached on the same test patches.

    logits: (seeds, n, classes), after training. curves: a dict from each name in CURVES to (seeds, epochs + 1).
    parts: a seed each, a dict of bayes, grouping and calibration in nats, or None where they are not known. seconds:
    what one training took, on average, or None.
    """

    name: str
    settings: dict
    layers: list
    parameters: int
    seeds: list
    logits: np.ndarray
    curves: dict
    parts: list
    test: Patches
    generator: PatchGenerator | None = None

    @property
    def is_group(self):
        return len(self.seeds) > 1

    @property
    def p_label(self):
        """Probability of the true class of each test patch, (seeds, n)."""
        return softmax(self.logits)[:, np.arange(len(self.test)), self.test.labels]

    @property
    def losses(self):
        """Cross-entropy of each test patch in nats, (seeds, n)."""
        return -log_softmax(self.logits)[:, np.arange(len(self.test)), self.test.labels]

    @property
    def right(self):
        """Whether each test patch is classified right, (seeds, n), 1.0 or 0.0."""
        return (self.logits.argmax(axis=2) == self.test.labels).astype(np.float64)

    @property
    def mean_parts(self):
        """The parts of the loss, a dict of their means over the seeds, or None."""
        if None in self.parts:
            return None
        return {name: float(np.mean([part[name] for part in self.parts])) for name in PARTS}


def load_results(folders):
    """A list of Results of runs or groups, all on the same test patches. Raises ValueError or OSError."""
    names = _names(folders)
    results = [_load(Path(folder), name) for folder, name in zip(folders, names, strict=True)]
    first = results[0]
    for folder, result in zip(folders[1:], results[1:], strict=True):
        a, b = first.test, result.test
        why = None
        if tuple(a.class_names) != tuple(b.class_names):
            ours, theirs = (
                ", ".join([*names[:7], *["…"] * (len(names) > 7)]) for names in (a.class_names, b.class_names)
            )
            why = f"its classes are {theirs}, not {ours}"
        elif a.pixels.shape != b.pixels.shape:
            why = f"{len(b):,} patches of {b.pixels.shape[1]} pixels, not {len(a):,} of {a.pixels.shape[1]}"
        elif not (np.array_equal(a.pixels, b.pixels) and np.array_equal(a.labels, b.labels)):
            why = "as many, but not the same"
        if why:
            raise ValueError(f"{folder} was tested on other patches than {folders[0]}: {why}")
    return results


def difference(result, first, rng):
    """What result reaches, less what first does: a dict of accuracy and cross_entropy, each of mean, low and high.

    The interval of 95 % is, of two groups, Welch's for the difference of their means over the seeds; of a group and a
    run, that in which another seed of the group would lie; of two runs, a paired bootstrap over the test patches, which
    knows nothing of other seeds.
    """
    rows = {}
    for name, ours, theirs in (
        ("accuracy", result.right, first.right),
        ("cross_entropy", result.losses, first.losses),
    ):
        a, b = ours.mean(axis=1), theirs.mean(axis=1)
        mean = float(a.mean() - b.mean())
        if result.is_group and first.is_group:
            low, high = _welch(a, b)
        elif result.is_group or first.is_group:
            spread = _spread_of_another(a if result.is_group else b)
            low, high = mean - spread, mean + spread
        else:
            low, high = bootstrap_interval(ours[0] - theirs[0], rng)
        rows[name] = {"mean": mean, "low": low, "high": high}
    return rows


def agreement(result, first):
    """The share of test patches that both take for the same class, a mean over all pairs of their seeds."""
    ours, theirs = result.logits.argmax(axis=2), first.logits.argmax(axis=2)
    return float((ours[:, None] == theirs[None]).mean())


def most_different(results, count=8):
    """Indexes of the test patches on which any result's p of the true class is farthest from the first one's."""
    p = np.array([result.p_label.mean(axis=0) for result in results])  # (results, n)
    distance = np.abs(p - p[0]).max(axis=0)
    return np.argsort(-distance, kind="stable")[:count]


def _welch(a, b):
    from scipy.stats import ttest_ind  # here, because train.py does without SciPy

    if np.ptp(a) == np.ptp(b) == 0:
        return float(a[0] - b[0]), float(a[0] - b[0])
    low, high = ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    return float(low), float(high)


def _spread_of_another(values):
    """Half the width of the 95 % interval in which one more value lies, from the mean of normal ones."""
    from scipy.stats import t

    n = len(values)
    return float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) * np.sqrt(1 + 1 / n))


def _names(folders):
    """The last part of each path, as much of it as tells it from the others."""
    paths = [Path(folder).absolute() for folder in folders]
    for length in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    raise ValueError(f"{folders[0]} is named twice: compare different runs")


def _load(folder, name):
    folders = [folder] if (folder / "metrics.json").exists() else seed_folders(folder) or [folder]
    runs = [load_stored(each) for each in folders]
    first, epochs = runs[0], min(len(run.history.epoch) for run in runs)
    curves = {curve: np.array([getattr(run.history, curve)[:epochs] for run in runs]) for curve in CURVES}
    return Result(
        name=name,
        settings=first.settings,
        layers=first.layers,
        parameters=first.parameters,
        seeds=[run.settings["seed"] for run in runs],
        logits=np.array([run.logits["after"] for run in runs]),
        curves=curves,
        parts=[run.parts and run.parts["after"] for run in runs],
        test=first.test,
        generator=first.generator,
    )
