"""A run: what one training leaves behind, in a folder from which every figure can be drawn again."""

import csv
import hashlib
import json
import platform
from copy import deepcopy
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import Scaling, load_dataset
from edge_demo.datasets.patches import KIND_NAMES, InputError, Patches
from edge_demo.datasets.tables import CONTROL
from edge_demo.evaluation import against_truth, is_ambiguous
from edge_demo.network import Network, build_network
from edge_demo.optimizers import make_optimizer
from edge_demo.runs.folder import load_arrays, write_json, write_rows
from edge_demo.softmax import log_softmax, softmax
from edge_demo.training import History, train

SCHEMA = "edge_demo run 6"
PARTS = ("bayes", "grouping", "calibration")  # of the expected loss
FRESH = 50_000  # patches on which probabilities are held against the exact ones
KEPT = 30  # epochs of a long training after which the parameters are kept
SURE = 0.9  # of a patch that can stand for its kind, the exact p of its class
STAGES = ("before", "after")
FILES = (
    "metrics.json",  # settings, versions, loss and accuracy before and after
    "state.npz",  # the network's arrays after some epochs, and the logits of the test patches, before and after
    "history.csv",  # a row an epoch
    "test_patches.npz",
    "predictions.csv",  # a row a patch of the test file, or a row a patch held out to test on
    "generator.json",  # where it is known
    "01_dataset.png",
    "02_pipeline.png",
    "03_softmax_steps.png",
    "04_logits_vs_probabilities.png",
    "05_example_patches.png",
    "06_training_curves.png",
    "07_hidden_weights.png",
    "08_photograph.png",  # where the generator is known
    "09_inside.png",
    "explorer.html",
)


class OtherData(InputError):
    """Data are not those that a run was trained on."""


@dataclass
class Run:
    """The networks before and after training, its history, the test patches, and the settings that led there.

    settings: a dict with hidden, epochs, batch_size, lr, optimizer, balance, target, seed, class_names, and data, a
    dict of the source and how it was read (what load_dataset takes), shape of the images, pixel_range and scaling, the
    numbers of training and test patches, class_counts of the training patches, and their fingerprint.
    generator is None where nobody knows how the patches came about. snapshots: a dict from an epoch to a dict of the
    network's arrays after it, by name as in Network.arrays; the first is 0, the last the end. parts: what
    measure_parts found, or None. interrupted_at: the epoch after which Ctrl-C ended the training, or None.
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
    interrupted_at: int | None = None

    def __post_init__(self):
        self.logits = {"before": self.before.logits(self.test.pixels), "after": self.after.logits(self.test.pixels)}
        self.probabilities = {stage: softmax(logits) for stage, logits in self.logits.items()}
        self.log_posterior = None
        if self.generator is not None:
            self.log_posterior = self.generator.log_posterior(self.test.pixels, self.settings["target"])

    def measure_parts(self, rng):
        """Sets parts: where the loss on fresh patches comes from, and how far p is from the exact one, in two stages.

        A dict from "before" and "after" to what against_truth says, and from "ambiguous" to the share of such patches.
        Nothing of it is known without a generator.
        """
        if self.generator is None or len(self.test.class_names) != 2:
            return
        pixels = self.generator.sample(FRESH, rng).pixels
        exact = self.generator.log_posterior(pixels)
        networks = {"before": self.before, "after": self.after}
        found = {stage: log_softmax(network.logits(pixels)) for stage, network in networks.items()}
        self.parts = against_truth(found, exact, self.generator.bayes_loss)
        self.parts["ambiguous"] = float(is_ambiguous(exact).mean())

    def examples(self, count=8):
        """Indexes of test patches worth showing.

        Of each kind (of each class, where kinds are not known) the first whose class is SURE by the exact posterior, or
        else the surest; where that is not known, by the trained network. First comes one whose loss training took down,
        last the one that training left most wrong.
        """
        labels = np.arange(len(self.test)), self.test.labels
        before, after = (log_softmax(self.logits[stage])[labels] for stage in STAGES)
        sure = np.exp(after if self.log_posterior is None else self.log_posterior[labels])
        most_wrong = after.argmin()

        others = np.setdiff1d(np.arange(len(self.test)), most_wrong)
        kinds = (self.test.labels if self.test.kinds is None else self.test.kinds)[others]
        firsts = []
        for kind in np.unique(kinds):
            of_kind = others[kinds == kind]
            firsts.append(of_kind[np.minimum(sure[of_kind], SURE).argmax()])  # the first of those that are sure
        shown = [*firsts, *np.setdiff1d(others, firsts)][: count - 1]
        learned = next((i for i in shown if after[i] > before[i]), None)
        shown = sorted(shown, key=lambda i: i != learned)
        return np.array([*shown, most_wrong])

    @property
    def scaling(self):
        """What brings pixels of new images to those that the network saw, or None."""
        scaling = self.settings["data"]["scaling"]
        return None if scaling is None else Scaling(*scaling)

    def write(self, folder, unlabelled=None, test_rows=None):
        """Writes the run's files into folder, which exists.

        unlabelled: pixels of patches to predict in place of the test patches. test_rows: where these stood in the file.
        """
        folder = Path(folder)
        arrays = {name: np.array([kept[name] for kept in self.snapshots.values()]) for name in self.after.arrays}
        arrays |= {f"logits_{stage}": self.logits[stage] for stage in STAGES}
        np.savez(folder / "state.npz", epochs=list(self.snapshots), **arrays)
        test = {"pixels": self.test.pixels, "labels": self.test.labels}
        test |= {} if self.test.kinds is None else {"kinds": self.test.kinds}
        np.savez_compressed(folder / "test_patches.npz", **test)
        epochs = asdict(self.history)
        write_rows(folder / "history.csv", epochs.keys(), zip(*epochs.values(), strict=True))
        columns = self._test_columns(test_rows) if unlabelled is None else self._columns(unlabelled)
        write_rows(folder / "predictions.csv", columns.keys(), zip(*columns.values(), strict=True))
        if self.generator is not None:
            self.generator.to_json(folder / "generator.json")
        write_json(folder / "metrics.json", self._metrics())

    def _metrics(self):
        epochs = asdict(self.history)
        del epochs["epoch"]
        return {
            "schema": SCHEMA,
            "settings": self.settings,
            "layers": layer_names(self.after),
            "sizes": layer_sizes(self.after, self.test.pixels.shape[1]),
            "parameters": sum(array.size for array in self.after.parameters),
            "interrupted_at": self.interrupted_at,
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


def train_run(dataset, settings, progress=iter):
    """Trains a network as settings say, on a Dataset; returns the Run. Raises TrainingDiverged.

    progress: a function around the range of epochs, such as tqdm; where it ends early, the training was interrupted.
    """
    network, rng = new_network(dataset.train, settings)
    patches = balanced(dataset.train) if settings["balance"] else dataset.train
    before, snapshots, interrupted = deepcopy(network), {0: copies(network)}, False
    kept = kept_epochs(settings["epochs"])

    def keeping(epochs):
        nonlocal interrupted
        epoch = -1
        for epoch in progress(epochs):  # so many epochs have passed
            if epoch in kept:
                snapshots[epoch] = copies(network)
            yield epoch
        interrupted = epoch + 1 < len(epochs)  # a train() that stops by itself does not come here

    history = train(
        network,
        patches,
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        optimizer=make_optimizer(settings["optimizer"], settings["lr"]),
        rng=rng,
        test=dataset.test,
        progress=keeping,
    )
    end = history.epoch[-1]
    snapshots[end] = copies(network)
    run = Run(settings, before, network, history, dataset.test, dataset.generator, snapshots)
    run.interrupted_at = end if interrupted else None
    run.measure_parts(np.random.default_rng([settings["seed"], 1]))
    return run


def new_network(patches, settings):
    """The untrained network of these settings, for such patches, and the Generator that goes on with its training."""
    rng = np.random.default_rng(settings["seed"])
    return build_network(patches.pixels.shape[1], settings["hidden"], len(patches.class_names), rng), rng


def kept_epochs(epochs):
    """The epochs after which the parameters are kept: each one, or some KEPT, densest at the beginning."""
    if epochs <= KEPT:
        return set(range(epochs + 1))
    return {0, *np.geomspace(1, epochs, KEPT).round().astype(int).tolist()}


def balanced(patches):
    """Patches of which each class has as many: those of rarer ones are repeated."""
    counts = np.bincount(patches.labels)
    classes = [np.flatnonzero(patches.labels == k) for k in np.flatnonzero(counts)]
    return patches[np.concatenate([np.resize(members, counts.max()) for members in classes])]


def copies(network):
    """A dict of copies of a network's arrays, by name."""
    return {name: np.array(array) for name, array in network.arrays.items()}


def with_parameters(network, snapshot):
    """A copy of a network, with the arrays of a snapshot, by name."""
    changed = deepcopy(network)
    for name, array in changed.arrays.items():
        array[...] = snapshot[name]
    return changed


def layer_names(network):
    """The names of the layers' classes."""
    return [type(layer).__name__ for layer in network.layers]


def layer_sizes(network, inputs):
    """The number of inputs, then of what each layer returns that holds, at any depth, a matrix that it learned."""
    sizes, activations = [inputs], np.zeros((1, inputs))
    for layer in deepcopy(network).layers:
        activations = layer.forward(activations)
        if holds_matrix(layer):
            sizes.append(activations[0].size)
    return sizes


def holds_matrix(layer):
    """Whether a layer holds, at any depth, a matrix that training changes."""
    return any(array.ndim > 1 for array in Network([layer]).parameters)


def prediction_columns(logits, class_names, prefix=""):
    """Columns of a table, a dict of lists: logits (n, classes) and their probabilities."""
    columns = {}
    for what, values in (("logit", logits), ("probability", softmax(logits))):
        for k, name in enumerate(class_names):
            columns[f"{prefix}{what}_{name}"] = values[:, k].tolist()
    return columns


@dataclass
class Stored:
    """What a run's files hold, read without its network: fields as of Run and its metrics.json."""

    settings: dict
    layers: list
    sizes: list
    parameters: int
    interrupted_at: int | None
    parts: dict | None
    history: History
    test: Patches
    generator: PatchGenerator | None
    logits: dict
    snapshots: dict


def load_stored(folder):
    """The Stored numbers of a run. Raises InputError or OSError where the folder holds no whole run."""
    folder = Path(folder)
    if not (folder / "metrics.json").exists():
        seeds = [path.name for path in seed_folders(folder)]
        remedy = f"name one of {', '.join(seeds)} in it" if seeds else "train one with scripts/train.py"
        raise InputError(f"{folder} holds no run (no metrics.json): {remedy}")
    try:
        with open(folder / "metrics.json", encoding="utf-8") as file:
            metrics = json.load(file)
        if metrics["schema"] != SCHEMA:
            raise ValueError("of another version")
        settings, state = metrics["settings"], load_arrays(folder / "state.npz")
        names, shape = tuple(settings["class_names"]), tuple(settings["data"]["shape"])
        patches = load_arrays(folder / "test_patches.npz")
        test = Patches(patches["pixels"], patches["labels"], patches.get("kinds"), names, shape)
        logits = {stage: state.pop(f"logits_{stage}") for stage in STAGES}
        epochs = state.pop("epochs").tolist()
        known = (folder / "generator.json").exists()
        stored = Stored(
            settings,
            *(metrics[name] for name in ("layers", "sizes", "parameters", "interrupted_at", "parts")),
            history=_load_history(folder / "history.csv"),
            test=test,
            generator=PatchGenerator.from_json(folder / "generator.json") if known else None,
            logits=logits,
            snapshots={epoch: {name: state[name][i] for name in state} for i, epoch in enumerate(epochs)},
        )
        shapes = {found.shape for found in logits.values()}
        finite = all(np.isfinite(array).all() for array in (test.pixels, *logits.values(), *state.values()))
        whole = (min(epochs), max(epochs)) == (0, stored.history.epoch[-1]) and shapes == {(len(test), len(names))}
        if not whole or not finite or any(map(CONTROL.search, names)):
            raise ValueError("damaged")
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{folder} is not what scripts/train.py of this version wrote ({error}): train again"
        ) from None
    return stored


def load_run(folder):
    """The Run that Run.write wrote. Raises as load_stored, and InputError where network.py builds another one now."""
    stored = load_stored(folder)
    network, _ = new_network(stored.test, stored.settings)
    first, last = stored.snapshots[0], stored.snapshots[max(stored.snapshots)]
    if {name: array.shape for name, array in first.items()} == {n: a.shape for n, a in network.arrays.items()}:
        networks = with_parameters(network, first), with_parameters(network, last)
        run = Run(stored.settings, *networks, stored.history, stored.test, stored.generator, stored.snapshots)
        run.parts, run.interrupted_at = stored.parts, stored.interrupted_at
        if all(np.allclose(run.logits[stage], stored.logits[stage], rtol=1e-9, atol=1e-9) for stage in STAGES):
            return run
    raise InputError(
        f"{folder} was trained with another network, {', '.join(stored.layers)}, than edge_demo/network.py builds now, "
        f"{', '.join(layer_names(network))}: put its layers back as they were, or train again"
    )


def seed_folders(folder):
    """The folders of the runs that --seeds wrote into folder, in the order of their seeds."""
    return sorted((path for path in Path(folder).glob("*") if path.name.isdecimal()), key=lambda path: int(path.name))


def training_patches(run, source=None):
    """The patches that a run was trained on, read again from where they were, or from source where that has moved.

    Raises OtherData where they have changed, InputError or OSError where they cannot be read, or are not known.
    """
    data = run.settings["data"]
    if source is None and "source" not in data:
        raise InputError("this run does not say on which patches it was trained")
    patches = load_dataset(source or data["source"], **data["reading"]).train
    if run.settings["target"] == "kind":
        patches = patches.with_kind_labels()
    if fingerprint(patches) != data["fingerprint"]:
        raise OtherData(f"{source or data['source']} holds other data than the run was trained on")
    return balanced(patches) if run.settings["balance"] else patches


def fingerprint(patches):
    """A short hash of pixels and labels, which tells whether two runs saw the same data."""
    digest = hashlib.sha256(np.ascontiguousarray(patches.pixels))
    digest.update(patches.labels)
    return digest.hexdigest()[:16]


def _load_history(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [column.name for column in fields(History)]
    return History(*([(int if name == "epoch" else float)(row[name]) for row in rows] for name in names))
