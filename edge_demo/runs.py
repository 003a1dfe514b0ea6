"""A run: what one training leaves behind, in a folder from which every figure can be drawn again."""

import csv
import hashlib
import json
import platform
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from edge_demo import resuming
from edge_demo.evaluation import reliability_points
from edge_demo.files import load_arrays, open_file, replacing, save_arrays, write_rows
from edge_demo.folders import replacing_folder, restore
from edge_demo.generator import PatchGenerator
from edge_demo.network import Network, build_network
from edge_demo.patches import KIND_NAMES, LARGEST_PIXEL, MOST_CLASSES, Patches
from edge_demo.softmax import softmax
from edge_demo.training import History

SCHEMA = "edge_demo run 3"
FILES = ("before.npz", "after.npz", "snapshots.npz", "history.csv", "predictions.csv", "test_patches.npz")
FILES += ("generator.json", *resuming.FILES)
FIGURES = ("dataset", "pipeline", "softmax_steps", "logits_vs_probabilities", "example_patches", "training_curves")
FIGURES += ("hidden_weights", "confusion", "temperature", "reliability", "probability_vs_truth")
FILES += (*(f"{i:02}_{name}.png" for i, name in enumerate(FIGURES, start=1)), "explorer.html", "metrics.json")
# what else the scripts write into outputs/, a run's default folder, perhaps before there is a run
NEIGHBOURS = {"sweep", "study_truth", "benchmark", "softmax_pipeline.png", "softmax_steps.png"}
NEIGHBOURS |= {"overconfidence.png", "surprises.png", ".DS_Store"}


@dataclass
class Run:
    """The network before and after training, its history, the test patches, and the settings that led there.

    generator is None where nobody knows how the patches came about; evaluation is what evaluate() returned.
    snapshots: a dict from a number of steps to the parameters after so many, a flat vector, the first 0, in order.
    """

    settings: dict
    before: Network
    after: Network
    history: History
    test: Patches
    generator: PatchGenerator | None
    evaluation: dict
    snapshots: dict = field(default_factory=dict)

    @cached_property
    def logits(self):
        """A dict: logits of the test patches, (n, classes), "before" and "after" training."""
        return {"before": self.before.logits(self.test.pixels), "after": self.after.logits(self.test.pixels)}

    @cached_property
    def probabilities(self):
        """A dict: probabilities of the test patches, (n, classes), "before" and "after" training."""
        return {stage: softmax(logits) for stage, logits in self.logits.items()}

    @cached_property
    def log_posterior(self):
        """Exact log probabilities of the test patches, (n, classes), or None without a generator."""
        return (
            None if self.generator is None else self.generator.log_posterior(self.test.pixels, self.settings["target"])
        )

    @cached_property
    def reliability(self):
        """Panels of a reliability diagram, measured on the test patches that the temperature was not fitted on.

        A list of (name, p (n,) of the first of two classes, of more the predicted one, reliability_points).
        """
        cooling = self.evaluation["temperature"]
        predictions = {f"{stage} training": p for stage, p in self.probabilities.items()}
        cooled = softmax(self.logits["after"], cooling["temperature"])
        predictions[f"after, temperature {cooling['temperature']:.2f}"] = cooled
        if self.log_posterior is not None:
            predictions["exact posterior"] = np.exp(self.log_posterior)
        panels = []
        for name, p in predictions.items():
            p, labels = p[cooling["fitted_on"] :], self.test.labels[cooling["fitted_on"] :]
            one, is_one = (p[:, 0], labels == 0) if p.shape[1] == 2 else (p.max(axis=1), p.argmax(axis=1) == labels)
            panels.append((name, one, reliability_points(one, is_one)))
        return panels

    def same_test(self, other):
        """Has the other run the same test patches, from the same generator?"""
        pairs = ((getattr(self.test, name), getattr(other.test, name)) for name in ("pixels", "labels", "kinds"))
        return self.generator == other.generator and all(np.array_equal(*pair) for pair in pairs)

    @property
    def interrupted_at(self):
        """The epoch at which training was interrupted, 12.34 within the thirteenth, or None."""
        reached = self.history.epoch[-1]
        return None if reached == self.settings["epochs"] else reached

    def examples(self, count=8):
        """Indexes of test patches worth showing: the first of each kind, and the one that training left most wrong."""
        groups = self.test.labels if self.test.kinds is None else self.test.kinds
        p_label = self.probabilities["after"][np.arange(len(self.test)), self.test.labels]
        firsts = np.unique(groups, return_index=True)[1]
        others = np.setdiff1d(np.arange(len(self.test)), firsts)
        shown = [i for i in (*firsts, *others) if i != p_label.argmin()][: count - 1]
        return np.array([*shown, p_label.argmin()])

    def metrics(self):
        """Settings, versions, and loss and accuracy before and after, ready for JSON."""
        numbers = {name: values for name, values in vars(self.history).items() if name != "epoch"}
        return {
            "schema": SCHEMA,
            "settings": self.settings,
            "interrupted_at_epoch": self.interrupted_at,
            "versions": {"python": platform.python_version(), "numpy": np.__version__},
            "before": {name: values[0] for name, values in numbers.items()},
            "after": {name: values[-1] for name, values in numbers.items()},
            "evaluation": self.evaluation,
        }

    def save(self, folder):
        """Makes folder this run, whole or not at all. Raises ValueError where it holds other things than a run."""
        with replacing_run(folder) as new:
            self.write(new)

    def write(self, folder):
        """Writes the run's files into folder, which exists; returns their names, and those of its figures there."""
        self.before.save(folder / "before.npz")
        self.after.save(folder / "after.npz")
        self.history.to_csv(folder / "history.csv")
        self._write_predictions(folder / "predictions.csv")
        kinds = {} if self.test.kinds is None else {"kinds": self.test.kinds}
        arrays = {"pixels": self.test.pixels, "labels": self.test.labels, **kinds}
        save_arrays(folder / "test_patches.npz", arrays)
        if isinstance(self.history, resuming.ResumableHistory):
            self.history.save(folder)
        if self.snapshots:
            steps, parameters = np.array(list(self.snapshots)), np.array(list(self.snapshots.values()))
            save_arrays(folder / "snapshots.npz", {"steps": steps, "parameters": parameters})
        if self.generator is not None:
            self.generator.to_json(folder / "generator.json")
        with replacing(folder / "metrics.json") as file:
            json.dump(self.metrics(), file, indent=2, ensure_ascii=False, allow_nan=False)
            file.write("\n")
        return [name for name in FILES if (folder / name).exists()]

    def _write_predictions(self, path):
        names = [self.test.class_names[label] for label in self.test.labels]
        columns = {"label": names}
        if self.test.kinds is not None:
            columns["kind"] = [KIND_NAMES[kind] for kind in self.test.kinds]
        for stage in ("before", "after"):
            for what, values in (("logit", self.logits[stage]), ("probability", self.probabilities[stage])):
                for name, column in zip(self.test.class_names, values.T, strict=True):
                    columns[f"{stage}_{what}_{name}"] = column.tolist()
        write_rows(path, columns, zip(*columns.values(), strict=True))


def replacing_run(folder):
    """A block that fills an empty folder, which then takes the place of this one: see folders.replacing_folder."""
    return replacing_folder(folder, FILES, _may_be_replaced)


def _may_be_replaced(folder):
    try:
        schema = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["schema"]
        return schema.startswith("edge_demo run ")  # of any version
    except FileNotFoundError:
        return {path.name for path in folder.iterdir()} <= NEIGHBOURS
    except (ValueError, TypeError, LookupError, AttributeError, OSError, RecursionError):
        return False


def load_run(folder):
    """Reads what Run.save wrote. Raises ValueError or OSError if the folder holds no whole run."""
    folder = Path(folder)
    restore(folder)
    path = folder / "metrics.json"
    try:
        with open_file(path, encoding="utf-8") as file:
            metrics = json.load(file)
        if metrics["schema"] != SCHEMA:
            raise ValueError
        settings, evaluation = metrics["settings"], metrics["evaluation"]
        hidden, class_names = _checked(settings, evaluation)
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{folder} holds no run (no metrics.json): train one with scripts/train.py") from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ValueError(f"{path} was not written by scripts/train.py of this version: train again") from None
    arrays = load_arrays(folder / "test_patches.npz")
    blocks = list(load_arrays(folder / "before.npz").values())
    if [block.shape[-1:] for block in blocks] != [(size,) for size in (*hidden, len(class_names))]:
        raise ValueError(f"{folder / 'before.npz'} holds another network than metrics.json names: train again")
    try:
        test = Patches(arrays["pixels"], arrays["labels"], arrays.get("kinds"), class_names)
        usual = (np.abs(test.pixels) <= LARGEST_PIXEL).all() and len(test) >= 2
        if test.pixels.shape[1] + 1 != len(blocks[0]) or not usual:
            raise ValueError("its pixels are not numbers within ±1e9, two patches or more, that fit the network")
    except (ValueError, LookupError) as error:
        raise ValueError(f"{folder / 'test_patches.npz'}: {error}; train again") from None
    if evaluation["temperature"]["fitted_on"] >= len(test):
        raise ValueError(f"{path} tells of more patches than {folder / 'test_patches.npz'} holds: train again")
    before = build_network(test.pixels.shape[1], hidden, len(class_names), np.random.default_rng(0))
    after = deepcopy(before)
    before.load(folder / "before.npz")
    after.load(folder / "after.npz")
    known = (folder / "generator.json").exists()
    generator = PatchGenerator.from_json(folder / "generator.json") if known else None
    history = _load_history(folder / "history.csv")
    snapshots = _load_snapshots(folder / "snapshots.npz", before.parameters.size)
    return Run(settings, before, after, history, test, generator, evaluation, snapshots)


def _checked(settings, evaluation):
    """Hidden sizes and class names. Raises one of several errors where settings or evaluation are not as train.py's."""
    hidden, names, cooling = settings["hidden"], settings["class_names"], evaluation["temperature"]
    numbers = [*hidden, settings["epochs"], settings["batch_size"], settings["seed"], cooling["fitted_on"]]
    known = settings["target"] in ("label", "kind") and settings["optimizer"] in ("sgd", "momentum", "adam")
    sizes = all(type(number) is int and number >= 0 for number in numbers) and 0 not in hidden
    positive = min(float(settings["lr"]), float(cooling["temperature"])) > 0
    distinct = 2 <= len({str(name): None for name in names}) == len(names) <= MOST_CLASSES
    if not (known and sizes and positive and distinct and all(isinstance(name, str) for name in names)):
        raise ValueError
    return hidden, tuple(names)


def _load_history(path):
    history = History()
    try:
        with open_file(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for name, values in vars(history).items():
                    value = None if row[name] == "" else float(row[name])
                    values.append(int(value) if name == "epoch" and value.is_integer() else value)
        if not history.epoch or not np.isfinite([value for value in history.train_loss if value is not None]).all():
            raise ValueError
    except (ValueError, TypeError, LookupError, AttributeError, csv.Error):
        raise ValueError(f"{path} is not the history of a training: train again") from None
    return history


def _load_snapshots(path, size):
    if not path.exists():
        return {}
    arrays = load_arrays(path)
    steps, parameters = arrays.get("steps", np.empty(0)), arrays.get("parameters", np.empty(0))
    if parameters.shape != (*steps.shape, size) or not np.isfinite(parameters).all():
        raise ValueError(f"{path} holds other parameters than the {size} of this network")
    return dict(zip(steps.tolist(), parameters, strict=True))


def fingerprint(patches):
    """A short hash of pixels and labels, which tells whether two runs saw the same data."""
    digest = hashlib.sha256(patches.pixels.tobytes() + patches.labels.tobytes())
    return digest.hexdigest()[:16]
