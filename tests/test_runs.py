"""A run is the training that train() does, comes back as it was written, and that of another network is refused."""

import json
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from conftest import call, listing
from explorer_runs import Tanh

from edge_demo.datasets.loading import load_dataset
from edge_demo.datasets.patches import InputError, Patches
from edge_demo.network import Center, Dense, Network, ReLU, build_network
from edge_demo.optimizers import SGD
from edge_demo.runs import run as runs
from edge_demo.runs.run import FILES, Run, balanced, kept_epochs, layer_sizes, load_run, train_run, with_parameters
from edge_demo.training import train

SETTINGS = {"hidden": [4], "epochs": 4, "batch_size": 16, "lr": 0.1, "optimizer": "momentum", "balance": False}
SETTINGS |= {"target": "label", "seed": 3, "class_names": ["Edge", "No Edge"], "data": {"shape": [5, 5]}}


def train_few(few, out, *flags):
    """The bytes of a run of train.py on 60 patches, without figures."""
    done = call("train.py", "--data", few, "--out", out, "--quiet", "--no-figures", *flags)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return listing(out)


def refused(done, words):
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stdout + done.stderr
    assert words in done.stderr


# ------------------------------------------------------------------------------------------------ a training


def test_a_saved_run_is_the_network_that_was_measured(trained):
    run = load_run(trained[0])
    for epoch, kept in run.snapshots.items():
        network = with_parameters(run.before, kept)
        assert network.loss(run.test.pixels, run.test.labels) == pytest.approx(run.history.test_loss[epoch], rel=1e-12)
    assert {0, 40} <= {*run.snapshots}
    for network, i in ((run.before, 0), (run.after, -1)):
        assert (network.predict(run.test.pixels) == run.test.labels).mean() == run.history.test_accuracy[i]
    metrics = json.loads((trained[0] / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["parts"] == run.parts
    assert run.parts["after"]["calibration"] < run.parts["before"]["calibration"]


def test_a_run_is_what_train_does_and_its_snapshots_those_of_shorter_trainings(few):
    dataset = load_dataset(few)
    run, short = train_run(dataset, SETTINGS), train_run(dataset, SETTINGS | {"epochs": 2})
    rng = np.random.default_rng(3)
    network = build_network(25, [4], 2, rng)
    momentum = SGD(0.1, momentum=0.9)
    history = train(network, dataset.train, epochs=4, batch_size=16, optimizer=momentum, rng=rng, test=dataset.test)
    assert run.history == history
    assert list(run.snapshots) == [0, 1, 2, 3, 4]
    for found, expected in ((run.after.arrays, network.arrays), (run.snapshots[2], short.after.arrays)):
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("epochs", [0, 1, 7, 30, 31, 40, 1000, 10**6])
def test_of_a_long_training_some_thirty_epochs_are_kept_with_its_ends_and_the_first_ones(epochs):
    kept = kept_epochs(epochs)
    assert {0, min(1, epochs), epochs} <= kept <= {*range(epochs + 1)}
    assert min(15, epochs) < len(kept) <= 31


def test_a_train_that_stops_by_itself_ends_the_run_and_does_not_count_as_interrupted(few, tmp_path, monkeypatch):
    def two_epochs(network, patches, *, epochs, progress, **others):
        for epoch in progress(range(epochs)):
            if epoch == 2:
                break
        return train(network, patches, epochs=2, **others)

    monkeypatch.setattr(runs, "train", two_epochs)
    train_few(few, tmp_path / "run", "--epochs", "9")
    run = load_run(tmp_path / "run")
    assert (run.interrupted_at, run.history.epoch, max(run.snapshots)) == (None, [0, 1, 2], 2)


def test_balanced_patches_are_repeated_until_all_classes_count_alike(few, tmp_path):
    rng = np.random.default_rng(0)
    patches = Patches(rng.random((40, 4)), [0] * 3 + [1] * 30 + [3] * 7, None, ("a", "b", "none", "d"), (2, 2))
    repeated = balanced(patches)
    assert np.bincount(repeated.labels).tolist() == [30, 30, 0, 30]
    rows, counts = np.unique(repeated.pixels, axis=0, return_counts=True)
    np.testing.assert_array_equal(rows, np.unique(patches.pixels, axis=0))
    assert {*counts.tolist()} == {10, 1, 4, 5}

    dataset = load_dataset(few)
    dataset.train = dataset.train[np.flatnonzero((dataset.train.labels == 0) | (np.arange(60) % 6 == 0))]
    run = train_run(dataset, SETTINGS | {"balance": True})
    repeated = balanced(dataset.train)
    assert run.history.train_loss[-1] == run.after.loss(repeated.pixels, repeated.labels)  # of the repeated ones
    assert run.history.test_loss[-1] == run.after.loss(dataset.test.pixels, dataset.test.labels)  # as they are


# ------------------------------------------------------------------------------------------------ what is shown


def test_sizes_are_those_of_what_layers_return_that_learned_a_matrix_at_any_depth():
    class Scale:
        learned = ("factor",)

        def __init__(self):
            self.factor = np.ones(1)

        def forward(self, inputs):
            return self.factor * inputs

    rng = np.random.default_rng(0)
    inner = Network([Scale(), Network([Dense(25, 6, rng), ReLU(), Dense(6, 7, rng)])])
    assert layer_sizes(Network([Center(0.5), inner, Scale(), ReLU(), Dense(7, 2, rng)]), 25) == [25, 7, 2]
    assert layer_sizes(build_network(25, [16], 2, rng), 25) == [25, 16, 2]


def test_examples_are_the_first_sure_patch_of_each_kind_then_others_and_last_the_most_wrong(trained):
    run = load_run(trained[0])
    labels = np.arange(len(run.test)), run.test.labels
    losses = {stage: -np.log(p[labels]) for stage, p in run.probabilities.items()}
    *shown, last = run.examples().tolist()
    assert last == losses["after"].argmax()
    assert losses["after"][shown[0]] < losses["before"][shown[0]]
    exact = np.exp(run.log_posterior[labels])
    for kind in range(7):
        (chosen,) = (i for i in shown if run.test.kinds[i] == kind)
        assert chosen == next(i for i in range(len(run.test)) if run.test.kinds[i] == kind and exact[i] >= 0.9)

    few = np.flatnonzero((run.test.kinds != 0) | (exact < 0.9))[:300]  # no vertical edge is sure
    part = Run(run.settings, run.before, run.after, run.history, run.test[few], run.generator)
    surest = max((i for i in range(300) if part.test.kinds[i] == 0), key=lambda i: exact[few[i]])
    assert surest in part.examples()
    own = Patches(run.test.pixels, run.test.labels)
    by_network = Run(run.settings, run.before, run.after, run.history, own).examples()
    sure = np.exp(-losses["after"]) >= 0.9
    assert {*by_network.tolist()} >= {np.flatnonzero(sure & (own.labels == k))[0] for k in range(2)}


# ------------------------------------------------------------------------------------------------ files


def test_a_run_replaces_a_run_and_nothing_else(few, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "01_dataset.png").write_bytes(b"a figure of a former run")
    assert {*train_few(few, tmp_path / "run", "--epochs", "1")} <= {*FILES} - {"01_dataset.png"}
    (tmp_path / "run" / "notes.txt").write_text("mine")
    before = listing(tmp_path)
    refused(call("train.py", "--data", few, "--out", tmp_path / "run"), "notes.txt")
    assert listing(tmp_path) == before


def test_seeds_are_ordinary_runs_each_as_it_is_alone(few, tmp_path):
    flags = ["--data", few, "--epochs", "2", "--hidden", "3", "--no-figures"]
    done = call("train.py", *flags, "--seeds", "3", "--seed", "5", "--out", tmp_path / "all")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["5", "6", "7"]
    losses = []
    for seed in (5, 6, 7):
        assert train_few(few, tmp_path / "alone", *flags[2:], "--seed", seed) == listing(tmp_path / "all" / str(seed))
        losses.append(load_run(tmp_path / "alone").history.test_loss[-1])
        assert re.search(rf"^{seed} .* {losses[-1]:.4f} ", done.stdout, re.M)
    assert re.search(rf"^mean .* {np.mean(losses):.4f} ", done.stdout, re.M)
    assert re.search(rf"^deviation .* {np.std(losses, ddof=1):.4f} ", done.stdout, re.M)
    with pytest.raises(InputError, match=r"holds no run \(no metrics.json\): name one of 5, 6, 7 in it"):
        load_run(tmp_path / "all")


def change_settings(folder, **changes):
    path = folder / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def change_state(folder, **changes):
    with np.load(folder / "state.npz") as file:
        arrays = dict(file) | changes
    np.savez(folder / "state.npz", **{name: array for name, array in arrays.items() if array is not None})


DAMAGES = {
    "another version": lambda folder: change_settings(folder, schema="edge_demo run 5"),
    "no JSON": lambda folder: (folder / "metrics.json").write_text("[" * 100_000),
    "a list": lambda folder: (folder / "metrics.json").write_text("[]"),
    "no names": lambda folder: change_settings(folder, settings=SETTINGS | {"class_names": [[], {}]}),
    "a name for a terminal": lambda folder: change_settings(
        folder, settings=SETTINGS | {"class_names": ["a", "\x1b[31m"]}
    ),
    "words in history": lambda folder: (folder / "history.csv").write_text("epoch,train_loss\nx,y\n"),
    "an empty history": lambda folder: (folder / "history.csv").write_text(""),
    "logits of other patches": lambda folder: change_state(folder, logits_after=np.zeros((3, 2))),
    "no epoch 0": lambda folder: change_state(folder, epochs=np.array([5, 6])),
    "not finite": lambda folder: change_state(folder, **{"4.bias": np.full((2, 2), np.nan)}),
    "another shape": lambda folder: change_state(folder, **{"4.bias": np.zeros((2, 3))}),
    "other weights": lambda folder: change_state(folder, **{"4.bias": np.ones((2, 2))}),
    "a label too large": lambda folder: np.savez(
        folder / "test_patches.npz", pixels=np.zeros((60, 25)), labels=[9] * 60
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_does_not_fit_together_is_refused_in_one_line_that_says_train_again(few, tmp_path, damage):
    train_few(few, tmp_path / "run", "--epochs", "1")
    load_run(tmp_path / "run")
    damage(tmp_path / "run")
    refused(call("plot_logits.py", "--run", tmp_path / "run"), "train again")


def test_a_missing_file_is_named(few, tmp_path):
    train_few(few, tmp_path / "run", "--epochs", "1")
    for name in ("state.npz", "history.csv", "test_patches.npz"):
        (tmp_path / "run" / name).rename(tmp_path / name)
        refused(call("plot_logits.py", "--run", tmp_path / "run"), name)
        (tmp_path / name).rename(tmp_path / "run" / name)
    refused(call("plot_logits.py", "--run", tmp_path), "train one with scripts/train.py")


def nearer(value):
    return Center(value - 0.2)


@pytest.mark.shipped
@pytest.mark.parametrize(("name", "other"), [("ReLU", Tanh), ("Center", nearer)])
def test_a_run_of_another_network_than_network_py_builds_is_refused_but_still_compared(
    few, tmp_path, monkeypatch, name, other
):
    with monkeypatch.context() as patch:
        patch.setattr(f"edge_demo.network.{name}", other)
        train_few(few, tmp_path / "changed", "--epochs", "1")
        assert load_run(tmp_path / "changed").history.epoch == [0, 1]
    with pytest.raises(InputError, match="trained with another network"):
        load_run(tmp_path / "changed")
    train_few(few, tmp_path / "usual", "--epochs", "1")
    done = call("compare.py", tmp_path / "usual", tmp_path / "changed", "--out", tmp_path / "comparison")
    assert done.returncode == 0, done.stderr


def test_a_run_survives_a_figure_that_fails_whose_error_is_shown_whole(few, tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("no ink")

    monkeypatch.setattr("edge_demo.figures.of_run.dataset", broken)
    done = call("train.py", "--data", few, "--epochs", "1", "--out", tmp_path / "run")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "RuntimeError: no ink" in done.stderr
    assert load_run(tmp_path / "run").history.epoch == [0, 1]


# ------------------------------------------------------------------------------------------------ Ctrl-C


@contextmanager
def usual_ctrl_c():
    """Python's own handler of SIGINT, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(at, *flags):
    """train.py, with Ctrl-C in each of these steps; 60 patches in batches of 16 are 4 steps an epoch."""
    taken = []

    class Interrupting(SGD):
        def step(self, parameters, gradients):
            super().step(parameters, gradients)
            taken.append(1)
            if len(taken) in at:
                signal.raise_signal(signal.SIGINT)

    with usual_ctrl_c(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "make_optimizer", lambda _, rate: Interrupting(rate))  # of the training, not of the checks
        return call("train.py", "--batch-size", "16", "--no-figures", *flags), len(taken)


@pytest.mark.parametrize(("at", "reached"), [(1, 1), (7, 2), (8, 2)])
def test_ctrl_c_saves_what_was_learned_by_the_end_of_its_epoch(few, tmp_path, at, reached):
    done, steps = interrupted([at], "--data", few, "--epochs", "4", "--out", tmp_path / "run")
    assert (done.returncode, done.stderr.count("\n"), steps) == (130, 1, 4 * reached)
    assert f"interrupted after epoch {reached} of 4, saved" in done.stderr
    run = load_run(tmp_path / "run")
    assert run.interrupted_at == reached == run.history.epoch[-1]
    train_few(few, tmp_path / "short", "--epochs", reached, "--batch-size", "16")
    short = load_run(tmp_path / "short")
    assert (run.history, short.interrupted_at) == (short.history, None)
    np.testing.assert_array_equal(run.logits["after"], short.logits["after"])


def test_a_second_ctrl_c_ends_at_once_and_leaves_the_former_run(few, tmp_path):
    before = train_few(few, tmp_path / "run", "--epochs", "1")
    done, steps = interrupted([5, 6], "--data", few, "--out", tmp_path / "run", "--epochs", "3")
    assert (done.returncode, done.stderr) == (130, "train.py: error: interrupted\n")
    assert (listing(tmp_path / "run"), steps) == (before, 6)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_it_trains_in_any_thread(few, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(call, "train.py", "--data", few, "--epochs", "1", "--no-figures", "--out", tmp_path / "run")
    assert (done.result().returncode, done.result().stderr) == (0, "")
