"""What was stored of several runs on the same test patches, side by side; runs that differ in their seed are a group.

Nothing here builds a network, so runs of other layers than network.py builds now can be compared too.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_demo.datasets.patches import InputError
from edge_demo.evaluation import each_patch
from edge_demo.runs.run import PARTS, load_stored, seed_folders
from edge_demo.softmax import log_softmax


@dataclass
class Group:
    """Stored runs that differ in their seed only, or a single one, under a name."""

    name: str
    runs: list

    @property
    def run(self):
        """The first of them."""
        return self.runs[0]

    @property
    def is_group(self):
        return len(self.runs) > 1

    @property
    def log_probabilities(self):
        """Of the test patches, after training, (seeds, n, classes)."""
        return log_softmax(np.array([run.logits["after"] for run in self.runs]))

    @property
    def scored(self):
        """A dict of accuracy and cross_entropy of each test patch, each (seeds, n)."""
        each = [each_patch(log_p, self.run.test.labels) for log_p in self.log_probabilities]
        return {score: np.array([values[score] for values in each]) for score in each[0]}

    def curve(self, name):
        """A list of History, such as test_loss, (seeds, epochs + 1), up to the shortest training's end."""
        curves = [getattr(run.history, name) for run in self.runs]
        return np.array([curve[: min(map(len, curves))] for curve in curves])

    @property
    def parts(self):
        """Means over the seeds of the parts of the loss, a dict, each None where it is not known."""
        found = [run.parts["after"] for run in self.runs if run.parts]
        return {part: float(np.mean([each[part] for each in found])) if found else None for part in PARTS}


def load_groups(folders):
    """A list of Groups, of a run's folder or one that --seeds wrote, all on the same test patches.

    Raises InputError or OSError.
    """
    groups = []
    for folder, name in zip(folders, _names(folders), strict=True):
        inside = [folder] if (Path(folder) / "metrics.json").exists() else seed_folders(folder) or [folder]
        groups.append(Group(name, [load_stored(each) for each in inside]))
        for run in groups[-1].runs:
            why = _difference(run.test, groups[0].run.test)
            if why:
                raise InputError(f"{folder} was tested on other patches than {folders[0]}: {why}")
    return groups


def agreement(ours, theirs):
    """The share of test patches that two Groups take for the same class, a mean over all pairs of their seeds."""
    a, b = (group.log_probabilities.argmax(axis=2) for group in (ours, theirs))
    return float((a[:, None] == b).mean())


def most_different(groups, count=8):
    """The test patches on which any Group's p of the true class is farthest from the first one's: indexes, and p.

    p: (groups, count), means over the seeds.
    """
    p = np.array([np.exp(-group.scored["cross_entropy"]).mean(axis=0) for group in groups])  # (groups, n)
    shown = np.argsort(-np.abs(p - p[0]).max(axis=0), kind="stable")[:count]
    return shown, p[:, shown]


def _difference(ours, theirs):
    """Why two Patches are not the same, or None."""
    names = [", ".join(test.class_names[:7]) for test in (ours, theirs)]
    if ours.class_names != theirs.class_names:
        return f"its classes are {names[0]}, not {names[1]}"
    if ours.pixels.shape != theirs.pixels.shape:
        shapes = (f"{len(test):,} patches of {test.pixels.shape[1]} pixels" for test in (ours, theirs))
        return ", not ".join(shapes)
    if not (np.array_equal(ours.pixels, theirs.pixels) and np.array_equal(ours.labels, theirs.labels)):
        return "as many, but not the same"
    return None


def _names(folders):
    """The last part of each path, as much of it as tells it from the others."""
    paths = [Path(folder).absolute() for folder in folders]
    for length in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    raise InputError(f"{folders[0]} is named twice: compare different runs")
