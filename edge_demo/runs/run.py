"""A run: what one training leaves behind, in a folder from which every figure can be drawn, and training go on."""

import csv
import hashlib
import json
import math
import os
import platform
from copy import deepcopy
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np

from edge_demo.datasets.csv_files import LARGEST_NUMBER
from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import MOST_CLASSES, Scaling, load_dataset
from edge_demo.datasets.patches import KIND_NAMES, Patches
from edge_demo.evaluation import distance_to_truth, is_ambiguous, loss_parts
from edge_demo.network import Network, build_network
from edge_demo.optimizers import Adam
from edge_demo.runs.folder import load_arrays, open_file, restore, save_arrays, write_json, write_rows
from edge_demo.softmax import log_softmax, softmax
from edge_demo.training import History

SCHEMA = "edge_demo run 5"
PARTS = ("bayes", "grouping", "calibration")  # of the expected loss
FRESH = 50_000  # patches on which probabilities are held against the exact ones
FIGURES = (
    "01_dataset.png",
    "02_pipeline.png",
    "03_softmax_steps.png",
    "04_logits_vs_probabilities.png",
    "05_example_patches.png",
    "06_training_curves.png",
    "07_hidden_weights.png",
)
FILES = (
    "metrics.json",  # settings, versions, loss and accuracy before and after
    "before.npz",  # the networks
    "after.npz",
    "snapshots.npz",  # the network's parameters at some points of training
    "history.csv",  # a row an epoch
    "test_patches.npz",
    "logits.npz",  # of the test patches, before and after
    "predictions.csv",  # a row a patch of the test file, or a row a patch held out to test on
    "generator.json",  # where it is known
    "optimizer.npz",  # what --resume needs
    "random.json",
    *FIGURES,
    "08_photograph.png",  # where the generator is known
    "explorer.html",
)


class OtherData(ValueError):
    """Data are not those that a run was trained on."""


@dataclass
class Run:
    """The networks before and after training, its history, the test patches, and the settings that led there.

    settings: a dict with hidden, epochs, batch_size, lr, optimizer, class_weight, target, seed, class_names, and data,
    a dict of the source and how it was read (what load_dataset takes), shape of the images, pixel_range and scaling,
    the numbers of training and test patches, class_counts of the training patches, and their fingerprint.
    generator is None where nobody knows how the patches came about. snapshots: a dict from a number of steps to the
    parameters after so many, a flat vector, the first 0, in order. parts: what measure_parts found, or None.
    logits, probabilities: dicts of (n, classes) of the test patches, "before" and "after" training; log_posterior:
    their exact log probabilities (n, classes), None without a generator.
    """

    settings: dict
    before: Network
    after: Network
    history: History
    test: Patches
    generator: PatchGenerator | None = None
    snapshots: dict = field(default_factory=dict)
    parts: dict | None = None

    def __post_init__(self):
        self.logits = {"before": self.before.logits(self.test.pixels), "after": self.after.logits(self.test.pixels)}
        self.probabilities = {stage: softmax(logits) for stage, logits in self.logits.items()}
        self.log_posterior = None
        if self.generator is not None:
            self.log_posterior = self.generator.log_posterior(self.test.pixels, self.settings["target"])

    @property
    def interrupted_at(self):
        """The epoch after which training was interrupted, or None."""
        reached = self.history.epoch[-1]
        return None if reached == self.settings["epochs"] else reached

    def measure_parts(self, rng):
        """Sets parts: where the loss on fresh patches comes from, and how far p is from the exact one, in two stages.

        A dict from "before" and "after" to dicts of bayes, grouping, calibration (nats) and ambiguous_error (None where
        no patch is ambiguous), and ambiguous, the share of such patches. Nothing of it is known without a generator.
        """
        if self.generator is None or len(self.test.class_names) != 2:
            return
        pixels = self.generator.sample(FRESH, rng).pixels
        exact = self.generator.log_posterior(pixels)
        self.parts = {"ambiguous": float(is_ambiguous(exact).mean())}
        for stage, network in (("before", self.before), ("after", self.after)):
            log_p = log_softmax(network.logits(pixels))
            parts, distance = loss_parts(log_p, exact), distance_to_truth(log_p, exact)
            self.parts[stage] = {name: getattr(parts, name) for name in PARTS}
            self.parts[stage]["ambiguous_error"] = distance["ambiguous_error"]

    def examples(self, count=8):
        """Indexes of test patches worth showing: the first of each kind, and the one that training left most wrong."""
        groups = self.test.labels if self.test.kinds is None else self.test.kinds
        p_label = self.probabilities["after"][np.arange(len(self.test)), self.test.labels]
        firsts = np.unique(groups, return_index=True)[1]
        others = np.setdiff1d(np.arange(len(self.test)), firsts)
        shown = [i for i in (*firsts, *others) if i != p_label.argmin()][: count - 1]
        return np.array([*shown, p_label.argmin()])

    @property
    def scaling(self):
        """What brings pixels of new images to those that the network saw, or None."""
        scaling = self.settings["data"]["scaling"]
        return None if scaling is None else Scaling(*scaling)

    def write(self, folder, optimizer, rng, seconds=0.0, unlabelled=None, test_rows=None):
        """Writes the run's files into folder, which exists; optimizer and rng as training left them, after seconds.

        unlabelled: pixels of patches to predict in place of the test patches. test_rows: where these stood in the file.
        """
        folder = Path(folder)
        save_arrays(folder / "before.npz", self.before.arrays)
        save_arrays(folder / "after.npz", self.after.arrays)
        note_seconds(seconds, folder / "before.npz", folder / "after.npz")
        arrays = {"steps": np.array(list(self.snapshots)), "parameters": np.array(list(self.snapshots.values()))}
        save_arrays(folder / "snapshots.npz", arrays)
        epochs = asdict(self.history)
        write_rows(folder / "history.csv", epochs.keys(), zip(*epochs.values(), strict=True))
        save_test_patches(folder / "test_patches.npz", self.test)
        save_arrays(folder / "logits.npz", self.logits)
        columns = self._test_columns(test_rows) if unlabelled is None else self._columns(unlabelled)
        write_rows(folder / "predictions.csv", columns.keys(), zip(*columns.values(), strict=True))
        if self.generator is not None:
            self.generator.to_json(folder / "generator.json")
        memory = {
            f"{name}{i}": array
            for name in _memory_names(optimizer)
            for i, array in enumerate(getattr(optimizer, name), start=1)
        }
        save_arrays(folder / "optimizer.npz", memory)
        write_json(folder / "random.json", rng.bit_generator.state)
        write_json(folder / "metrics.json", self._metrics())

    def _metrics(self):
        epochs = asdict(self.history)
        del epochs["epoch"]
        return {
            "schema": SCHEMA,
            "settings": self.settings,
            "layers": layer_names(self.after),
            "parameters": flat(self.after.parameters).size,
            "interrupted_at_epoch": self.interrupted_at,
            "versions": {"python": platform.python_version(), "numpy": np.__version__},
            "before": {name: values[0] for name, values in epochs.items()},
            "after": {name: values[-1] for name, values in epochs.items()},
            "parts": self.parts,
        }

    def _test_columns(self, test_rows):
        columns = {} if test_rows is None else {"row": test_rows.tolist()}
        columns["label"] = [self.test.class_names[label] for label in self.test.labels]
        if self.test.kinds is not None:
            columns["kind"] = [KIND_NAMES[kind] for kind in self.test.kinds]
        return columns | self._columns(self.test.pixels)

    def _columns(self, pixels):
        """Columns of logits and probabilities of pixels (n, inputs), before and after training, and the class then."""
        names, after = self.test.class_names, self.after.logits(pixels)
        columns = prediction_columns(self.before.logits(pixels), names, "before_")
        columns |= prediction_columns(after, names, "after_")
        return columns | {"class": [names[k] for k in after.argmax(axis=1)]}


def load_run(folder):
    """Reads what Run.write wrote. Raises ValueError or OSError if the folder holds no whole run."""
    folder = Path(folder)
    restore(folder)
    metrics = load_settings(folder / "metrics.json", SCHEMA)
    settings, layers = metrics["settings"], metrics["layers"]
    class_names = settings["class_names"]
    test = load_test_patches(folder / "test_patches.npz", settings)

    before = build_network(test.pixels.shape[1], settings["hidden"], len(class_names), np.random.default_rng(0))
    if layer_names(before) != layers:
        raise ValueError(
            f"{folder} was trained with the layers {', '.join(layers)}, but edge_demo/network.py builds "
            f"{', '.join(layer_names(before))} now: put its layers back, or train again"
        )
    after = deepcopy(before)
    for network, name in ((before, "before.npz"), (after, "after.npz")):
        for array_name, array in load_arrays(folder / name).items():
            network.arrays[array_name][...] = array

    known = (folder / "generator.json").exists()
    generator = PatchGenerator.from_json(folder / "generator.json") if known else None
    history = load_history(folder / "history.csv")
    snapshots = _load_snapshots(folder / "snapshots.npz", len(flat(before.parameters)))
    return Run(settings, before, after, history, test, generator, snapshots)


def training_patches(run, source=None):
    """The patches that a run was trained on, read again from where they were, or from source where that has moved.

    Raises OtherData where they have changed, ValueError or OSError where they cannot be read, or are not known.
    """
    data = run.settings["data"]
    if source is None and "source" not in data:
        raise ValueError("this run does not say on which patches it was trained")
    patches = load_dataset(source or data["source"], **data["reading"]).train
    if run.settings["target"] == "kind":
        patches = patches.with_kind_labels()
    if fingerprint(patches) != data["fingerprint"]:
        raise OtherData(f"{source or data['source']} holds other data than the run was trained on")
    return patches


def load_state(run, folder, optimizer, rng):
    """Brings optimizer and rng to where the training of a run, saved in folder, stopped. Raises ValueError."""
    folder = Path(folder)
    steps = run.history.epoch[-1] * -(-run.settings["data"]["train"] // run.settings["batch_size"])
    try:
        saved = load_arrays(folder / "optimizer.npz")
        if isinstance(optimizer, Adam):
            optimizer.steps = steps
        if steps and _memory_names(optimizer):
            shapes = [parameter.shape for parameter in run.after.parameters]
            for name in _memory_names(optimizer):
                arrays = [saved[f"{name}{i}"] for i in range(1, len(shapes) + 1)]
                if [array.shape for array in arrays] != shapes or not all(np.isfinite(a).all() for a in arrays):
                    raise ValueError
                setattr(optimizer, name, arrays)
        with open_file(folder / "random.json", encoding="utf-8") as file:
            state = json.load(file)
        if min(state["state"].values()) < 0:  # which older versions of NumPy take
            raise ValueError
        rng.bit_generator.state = state
    except FileNotFoundError as error:
        raise ValueError(f"{error.filename} is missing: this run cannot go on, train again") from None
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        raise ValueError(
            f"{folder / 'optimizer.npz'} or random.json does not fit this run: it cannot go on, train again"
        ) from None


def _memory_names(optimizer):
    """The attributes in which an optimizer remembers, from step to step, an array for each parameter."""
    if isinstance(optimizer, Adam):
        return ["mean", "mean_square"]
    return ["velocity"] if optimizer.momentum else []


class Recording:
    """An optimizer that takes its steps by another one and keeps the parameters after some of them.

    snapshots: a dict from number of steps to parameters, flat, which gets those after the steps in kept.
    """

    def __init__(self, optimizer, snapshots, kept, steps=0):
        self.optimizer = optimizer
        self.snapshots = snapshots
        self.kept = kept
        self.steps = steps

    @property
    def learning_rate(self):
        return self.optimizer.learning_rate

    def step(self, parameters, gradient):
        self.optimizer.step(parameters, gradient)
        self.steps += 1
        if self.steps in self.kept:
            self.snapshots[self.steps] = flat(parameters)


def snapshot_steps(epochs, batches):
    """The steps, of batches an epoch, after which the parameters are kept: some 20 of a usual training.

    They lie densest at its beginning, where most changes: five before the end of the first epoch, then whole epochs.
    But for the last step they do not depend on epochs, so a training that goes on has kept what the whole one keeps.
    """
    first = {math.ceil(batches * (k / 5) ** 3) for k in range(5)}
    whole = {10**power * tenths // 10 for power in range(10) for tenths in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)}
    kept = {*first, *(batches * epoch for epoch in whole), batches * epochs}
    return sorted(step for step in kept if step <= batches * epochs)


def note_seconds(seconds, first, last):
    """Makes a file so many seconds older than another one, both just written: so long lay between what is in them.

    A time within a file would make the files of two like trainings differ.
    """
    written = os.stat(last).st_mtime
    os.utime(first, (written - seconds, written - seconds))


def noted_seconds(first, last):
    """What note_seconds noted, or None where the files were copied since."""
    seconds = os.stat(last).st_mtime - os.stat(first).st_mtime
    return seconds if seconds > 0.001 else None


def flat(arrays):
    """A list of arrays as one vector, a copy."""
    return np.concatenate([array.ravel() for array in arrays])


def with_parameters(network, vector):
    """A copy of a network, with the parameters of a flat vector."""
    changed = deepcopy(network)
    start = 0
    for array in changed.parameters:
        array[:] = vector[start : start + array.size].reshape(array.shape)
        start += array.size
    return changed


def fingerprint(patches):
    """A short hash of pixels and labels, which tells whether two runs saw the same data."""
    digest = hashlib.sha256(np.ascontiguousarray(patches.pixels))
    digest.update(patches.labels)
    return digest.hexdigest()[:16]


def load_settings(path, schema):
    """The JSON file of a run or of a group: a dict, whose settings are as train.py's. Raises ValueError."""
    try:
        with open_file(path, encoding="utf-8") as file:
            metrics = json.load(file)
        if metrics["schema"] != schema:
            raise ValueError
        metrics["layers"] = [str(name) for name in metrics["layers"]]
        _check_settings(metrics["settings"])
    except (FileNotFoundError, NotADirectoryError):
        if (path.parent / "group.json").exists():
            raise ValueError(
                f"{path.parent} holds a group of seeds, for scripts/compare.py: train one run, without --seeds"
            ) from None
        raise ValueError(f"{path.parent} holds no run (no {path.name}): train one with scripts/train.py") from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ValueError(f"{path} was not written by scripts/train.py of this version: train again") from None
    return metrics


def prediction_columns(logits, class_names, prefix=""):
    """Columns of a table, a dict of lists: logits (n, classes) and their probabilities."""
    columns = {}
    for what, values in (("logit", logits), ("probability", softmax(logits))):
        for k, name in enumerate(class_names):
            columns[f"{prefix}{what}_{name}"] = values[:, k].tolist()
    return columns


def layer_sizes(network):
    """The numbers of inputs, of units in each layer that learns, and so last of classes."""
    inputs, biases = network.parameters[0].shape[0], network.parameters[1::2]
    return [inputs, *(bias.size for bias in biases)]


def layer_names(network):
    """The names of the layers' classes, by which it is known whether a network is built as it was."""
    return [type(layer).__name__ for layer in network.layers]


def _check_settings(settings):
    """Raises one of several errors where settings are not as train.py's."""
    hidden, names, data = settings["hidden"], settings["class_names"], settings["data"]
    counts = data["class_counts"]
    numbers = [*hidden, *counts, data["train"], settings["epochs"], settings["batch_size"], settings["seed"]]
    known = settings["target"] in ("label", "kind") and settings["optimizer"] in ("sgd", "momentum", "adam")
    sizes = all(type(number) is int and number >= 0 for number in numbers) and 0 not in (*hidden, data["train"])
    distinct = 2 <= len(set(names)) == len(names) == len(counts) <= MOST_CLASSES
    texts = all(isinstance(name, str) for name in (*names, data["source"], *data["reading"]["drop"]))
    reading = set(data["reading"]) == {"label", "drop", "shape", "test_share", "seed"}
    ranges = [data["pixel_range"], data["scaling"] or data["pixel_range"]]
    finite = all(math.isfinite(number) for low_high in ranges for number in low_high) and len(ranges[0]) == 2
    scaled = data["scaling"] is None or Scaling(*data["scaling"]).low < Scaling(*data["scaling"]).high
    weights = settings["class_weight"] in (None, "balanced")
    if not (known and sizes and float(settings["lr"]) > 0 and settings["batch_size"] > 0 and distinct and texts):
        raise ValueError
    if not (reading and finite and scaled and weights):
        raise ValueError


def save_test_patches(path, patches):
    arrays = {"pixels": patches.pixels, "labels": patches.labels}
    save_arrays(path, arrays if patches.kinds is None else arrays | {"kinds": patches.kinds})


def load_test_patches(path, settings):
    """The Patches that save_test_patches wrote. Raises ValueError or OSError."""
    arrays = load_arrays(path)
    class_names, shape = tuple(settings["class_names"]), tuple(settings["data"]["shape"])
    try:
        test = Patches(arrays["pixels"], arrays["labels"], arrays.get("kinds"), class_names, shape)
        if len(test) < 2 or not (np.abs(test.pixels) <= LARGEST_NUMBER).all():
            raise ValueError("its pixels are not two or more patches of numbers within ±1e9")
    except (ValueError, LookupError) as error:
        raise ValueError(f"{path}: {error}; train again") from None
    return test


def load_history(path):
    """The History in a run's history.csv. Raises ValueError or OSError."""
    history = History()
    try:
        with open_file(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                history.epoch.append(int(row["epoch"]))
                for column in fields(History)[1:]:
                    cell = row[column.name]
                    getattr(history, column.name).append(None if cell == "" else float(cell))
        if history.epoch != list(range(len(history.epoch))) or not np.isfinite(history.train_loss).all():
            raise ValueError
        if not history.epoch:
            raise ValueError
    except (ValueError, TypeError, LookupError, AttributeError, csv.Error):
        raise ValueError(f"{path} is not the history of a training: train again") from None
    return history


def _load_snapshots(path, size):
    arrays = load_arrays(path)
    steps, parameters = arrays.get("steps", np.empty(0)), arrays.get("parameters", np.empty(0))
    if parameters.shape != (*steps.shape, size) or not np.isfinite(parameters).all():
        raise ValueError(f"{path} holds other parameters than the {size} of this network")
    return dict(zip(steps.tolist(), parameters, strict=True))
