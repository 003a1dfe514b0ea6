"""Going on: a training that was interrupted, or shall be longer, continues as if it had never stopped.

An epoch starts from the parameters, the optimizer's numbers and the state of the random numbers. A ResumableHistory
keeps these at the end of each epoch; a Watched optimizer ends a training between two steps. train() knows of neither.
A training that was stopped within an epoch begins that epoch again.
"""

import json
import math
from copy import deepcopy
from functools import partial

import numpy as np

from edge_demo.files import load_arrays, open_file, replacing, save_arrays
from edge_demo.softmax import NonFiniteLogits
from edge_demo.training import DIVERGED, History, TrainingDiverged, train

FILES = ("resume.npz", "resume.json")


class TrainingStopped(Exception):
    """Raised between two steps, where a Watched optimizer has been told to stop."""


def snapshot_steps(epochs, batches):
    """The steps, of batches an epoch, after which the parameters are kept: some 20 of a usual training.

    They lie densest at its beginning, where most changes: five before the end of the first epoch, then whole epochs.
    But for the last step they do not depend on epochs, so a training that goes on has kept what the whole one keeps.
    """
    first = {math.ceil(batches * (k / 5) ** 3) for k in range(5)}
    whole = {10**power * tenths // 10 for power in range(10) for tenths in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)}
    kept = {*first, *(batches * epoch for epoch in whole), batches * epochs}
    return sorted(step for step in kept if step <= batches * epochs)


class Watched:
    """An optimizer that keeps snapshots, and that raises TrainingStopped at the end of a step, once stop is set.

    stop: a threading.Event. snapshots: a dict from number of steps to parameters, which gets those of the kept steps.
    """

    def __init__(self, optimizer, stop, snapshots, kept, steps):
        self.optimizer, self.stop, self.snapshots, self.kept, self.steps = optimizer, stop, snapshots, kept, steps

    @property
    def learning_rate(self):
        return self.optimizer.learning_rate

    def step(self, parameters, gradient):
        self.optimizer.step(parameters, gradient)
        self.steps += 1
        if self.steps in self.kept:
            self.snapshots[self.steps] = parameters.copy()
        if self.stop.is_set():
            raise TrainingStopped


class ResumableHistory(History):
    """A History that at the end of each epoch also keeps what the next one starts from."""

    __slots__ = ("epochs", "optimizer", "rng", "start")  # slots, because vars(history) are its columns

    def __init__(self, optimizer, rng):
        super().__init__()
        self.optimizer, self.rng = optimizer, rng

    def record(self, network, *patches_and_weights):
        super().record(network, *patches_and_weights)
        self.start = deepcopy((network.parameters, _state(self.optimizer), self.rng.bit_generator.state))
        self.epochs = len(self.epoch) - 1

    def record_part(self, part, network, *patches_and_weights):
        """Adds an entry, from which no training goes on, for a network after a part of an epoch."""
        super().record(network, *patches_and_weights)
        self.epoch[-1] += part - 1

    def save(self, folder):
        """Writes resume.npz and resume.json; the columns are in history.csv."""
        parameters, optimizer, rng = self.start
        arrays = {name: value for name, value in optimizer.items() if isinstance(value, np.ndarray)}
        numbers = {name: value for name, value in optimizer.items() if name not in arrays}
        save_arrays(folder / FILES[0], {"parameters": parameters, **arrays})
        with replacing(folder / FILES[1]) as file:
            json.dump({"epochs": self.epochs, "optimizer": numbers, "rng": rng}, file, indent=2, allow_nan=False)
            file.write("\n")

    def load(self, folder, history, network):
        """Takes what save wrote, and the columns of history; sets network, optimizer and rng to go on from there.

        Raises ValueError where the files do not fit these.
        """
        path = folder / FILES[1]
        try:
            with open_file(path, encoding="utf-8") as file:
                saved = json.load(file)
            epochs, numbers, rng_state = saved["epochs"], saved["optimizer"], saved["rng"]
            arrays = load_arrays(folder / FILES[0])
            network.parameters = _fitting(arrays.pop("parameters"), network.parameters)
            fresh = _state(self.optimizer)
            if {*numbers, *arrays} != {*fresh} or not 0 <= epochs < len(history.epoch):
                raise ValueError
            for name, value in (*numbers.items(), *arrays.items()):
                number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
                setattr(self.optimizer, name, value if number else _fitting(value, network.parameters))
            if min(rng_state["state"].values()) < 0:  # which older versions of numpy take
                raise ValueError
            self.rng.bit_generator.state = rng_state
        except FileNotFoundError as error:
            raise ValueError(f"{error.filename} is missing: this run cannot go on, train again") from None
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
            raise ValueError(f"{path} or {FILES[0]} does not fit this run: it cannot go on, train again") from None
        for name, values in vars(history).items():
            setattr(self, name, values[: epochs + 1])
        self.epochs, self.start = epochs, deepcopy((network.parameters, _state(self.optimizer), rng_state))


def train_until(stop, network, patches, *, epochs, batch_size, optimizer, history, snapshots, test, **options):
    """train() from a ResumableHistory on, at most until stop is set: then history ends with a part of an epoch.

    snapshots: those of the training so far, a dict from number of steps to parameters, which is filled up.
    """
    batches = -(-len(patches) // batch_size)
    kept, done = set(snapshot_steps(epochs, batches)), batches * history.epochs if history.epoch else 0
    for step in [step for step in snapshots if step not in kept or step > done]:
        del snapshots[step]
    if done == 0:
        snapshots[0] = network.parameters.copy()
    watched = Watched(optimizer, stop, snapshots, kept, done)
    try:
        options |= {"epochs": epochs, "batch_size": batch_size, "optimizer": watched, "history": history, "test": test}
        train(network, patches, **options)
    except TrainingStopped:
        snapshots[watched.steps] = network.parameters.copy()
        part = watched.steps % batches / batches
        record = partial(history.record_part, part) if part else history.record
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                record(network, patches, test)
            if not history.train_loss[-1] < DIVERGED:
                raise NonFiniteLogits
        except NonFiniteLogits:
            raise TrainingDiverged(
                f"training diverged in epoch {history.epochs + 1}: try a lower learning rate"
            ) from None


def _state(optimizer):
    """An optimizer's numbers and arrays, all of which its public attributes hold."""
    return {name: value for name, value in vars(optimizer).items() if not name.startswith("_")}


def _fitting(array, parameters):
    if array.shape != parameters.shape or array.dtype != parameters.dtype or not np.isfinite(array).all():
        raise ValueError
    return array
