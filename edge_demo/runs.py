"""A run: what one training leaves behind, in a folder from which every figure can be drawn again."""

import hashlib
import json
import platform
from copy import deepcopy
from csv import DictReader
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from edge_demo.files import load_arrays, replacing, save_arrays, write_rows
from edge_demo.generator import PatchGenerator
from edge_demo.network import Network, build_network
from edge_demo.patches import KIND_NAMES, Patches
from edge_demo.softmax import softmax
from edge_demo.training import History

SCHEMA = "edge_demo run 2"


@dataclass
class Run:
    """The network before and after training, its history, the test patches, and the settings that led there.

    generator is None where nobody knows how the patches came about; evaluation is what evaluate() returned.
    """

    settings: dict
    before: Network
    after: Network
    history: History
    test: Patches
    generator: PatchGenerator | None
    evaluation: dict

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
            "versions": {"python": platform.python_version(), "numpy": np.__version__},
            "before": {name: values[0] for name, values in numbers.items()},
            "after": {name: values[-1] for name, values in numbers.items()},
            "evaluation": self.evaluation,
        }

    def save(self, folder):
        """Writes the run's files into folder, which is made if it is missing; returns their paths."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        names = ("before.npz", "after.npz", "history.csv", "predictions.csv", "test_patches.npz", "metrics.json")
        before, after, history, predictions, test, metrics = paths = [folder / name for name in names]
        self.before.save(before)
        self.after.save(after)
        self.history.to_csv(history)
        self._write_predictions(predictions)
        kinds = {} if self.test.kinds is None else {"kinds": self.test.kinds}
        save_arrays(test, {"pixels": self.test.pixels, "labels": self.test.labels, **kinds})
        if self.generator is not None:
            self.generator.to_json(folder / "generator.json")
            paths.insert(-1, folder / "generator.json")
        with replacing(metrics) as file:
            json.dump(self.metrics(), file, indent=2, ensure_ascii=False)
            file.write("\n")
        return paths

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


def load_run(folder):
    """Reads what Run.save wrote. Raises ValueError or OSError if the folder holds no whole run."""
    folder = Path(folder)
    path = folder / "metrics.json"
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        if metrics["schema"] != SCHEMA:
            raise ValueError
        settings, evaluation = metrics["settings"], metrics["evaluation"]
        hidden, class_names = settings["hidden"], tuple(settings["class_names"])
    except FileNotFoundError:
        raise ValueError(f"{folder} holds no run (no metrics.json): train one with scripts/train.py") from None
    except (ValueError, TypeError, LookupError):
        raise ValueError(f"{path} was not written by scripts/train.py of this version: train again") from None
    arrays = load_arrays(folder / "test_patches.npz")
    test = Patches(arrays["pixels"], arrays["labels"], arrays.get("kinds"), class_names)
    before = build_network(test.pixels.shape[1], hidden, len(class_names), np.random.default_rng(0))
    after = deepcopy(before)
    before.load(folder / "before.npz")
    after.load(folder / "after.npz")
    history = History()
    with open(folder / "history.csv", encoding="utf-8", newline="") as file:
        for row in DictReader(file):
            for name, text in row.items():
                getattr(history, name).append(None if text == "" else int(text) if name == "epoch" else float(text))
    known = (folder / "generator.json").exists()
    generator = PatchGenerator.from_json(folder / "generator.json") if known else None
    return Run(settings, before, after, history, test, generator, evaluation)


def fingerprint(patches):
    """A short hash of pixels and labels, which tells whether two runs saw the same data."""
    digest = hashlib.sha256(patches.pixels.tobytes() + patches.labels.tobytes())
    return digest.hexdigest()[:16]
