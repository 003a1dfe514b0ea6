"""A run comes back as it was written, training goes on from it to the same bytes, and another's is refused."""

from edge_demo.console import report

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, call, listing

from edge_demo.datasets.patches import Patches
from edge_demo.network import build_network
from edge_demo.optimizers import SGD, Adam
from edge_demo.runs.run import FILES, Recording, flat, load_run, snapshot_steps, with_parameters
from edge_demo.training import train


def train_few(few, out, *flags):
    """The bytes of a run of train.py on 60 patches, without figures."""
    done = call("train.py", "--data", few, "--out", out, "--quiet", "--no-figures", *flags)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return listing(out)


def refused(done, words):
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stdout + done.stderr
    assert words in done.stderr


# ------------------------------------------------------------------------------------------------ what is in it


def test_a_saved_run_is_the_network_that_was_measured_and_its_examples_show_every_kind(trained):
    run = load_run(trained[0])
    losses, accuracies = run.history.test_loss, run.history.test_accuracy
    for network, i in ((run.before, 0), (run.after, -1)):
        assert network.loss(run.test.pixels, run.test.labels) == losses[i]
        assert (network.predict(run.test.pixels) == run.test.labels).mean() == accuracies[i]
    assert {*run.test.kinds[run.examples()]} == {*range(7)}
    p_label = run.probabilities["after"][np.arange(len(run.test)), run.test.labels]
    assert p_label.argmin() in run.examples()


def test_snapshots_are_the_parameters_after_so_many_steps_and_change_nothing_else(trained):
    run = load_run(trained[0])
    steps = list(run.snapshots)
    assert steps == snapshot_steps(40, 125)
    np.testing.assert_array_equal(run.snapshots[0], flat(run.before.parameters))
    np.testing.assert_array_equal(run.snapshots[40 * 125], flat(run.after.parameters))
    tenth = with_parameters(run.after, run.snapshots[10 * 125])
    assert tenth.loss(run.test.pixels, run.test.labels) == run.history.test_loss[10]

    rng = np.random.default_rng(0)
    patches, snapshots = Patches(rng.random((60, 25)), rng.integers(2, size=60)), {}
    plain, recorded = (build_network(25, [4], 2, np.random.default_rng(1)) for _ in range(2))
    for network, optimizer in ((plain, SGD(0.1)), (recorded, Recording(SGD(0.1), snapshots, {1, 3, 8}))):
        train(network, patches, epochs=3, batch_size=16, optimizer=optimizer, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(flat(plain.parameters), flat(recorded.parameters))
    assert list(snapshots) == [1, 3, 8]


@pytest.mark.parametrize(("epochs", "batches"), [(40, 125), (200, 42), (7, 1), (1000, 63)])
def test_a_longer_training_keeps_the_same_snapshots_and_its_own_end(epochs, batches):
    short, long = set(snapshot_steps(epochs, batches)), set(snapshot_steps(3 * epochs, batches))
    assert {0, epochs * batches} <= short
    assert short - {epochs * batches} == {step for step in long if step < epochs * batches}
    assert len(snapshot_steps(40, 125)) < 25


@pytest.mark.parametrize("schema", ["edge_demo run 1", "edge_demo run 3", "edge_demo run 99", None])
def test_a_run_of_another_version_is_refused_in_one_line_that_says_train_again(few, tmp_path, schema):
    train_few(few, tmp_path / "run", "--epochs", "1")
    path = tmp_path / "run" / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(metrics | {"schema": schema}), encoding="utf-8")
    refused(call("plot_logits.py", "--run", tmp_path / "run"), "train again")
    refused(call("train.py", "--resume", "--out", tmp_path / "run", "--epochs", "2"), "train again")
    train_few(few, tmp_path / "run", "--epochs", "1")  # which replaces it


def test_a_run_replaces_a_run_and_nothing_else(few, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "01_dataset.png").write_bytes(b"a figure of a former run")
    assert {*train_few(few, tmp_path / "run", "--epochs", "1")} <= {*FILES} - {"01_dataset.png"}
    (tmp_path / "run" / "notes.txt").write_text("mine")
    before = listing(tmp_path)
    refused(call("train.py", "--data", few, "--out", tmp_path / "run"), "notes.txt")
    assert listing(tmp_path) == before


# ------------------------------------------------------------------------------------------------ going on


@contextmanager
def usual_ctrl_c():
    """Python's own handler of SIGINT, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(at, *flags):
    """train.py, with Ctrl-C in each of these steps; 60 patches in batches of 16 are 4 steps an epoch."""
    taken = []

    def interrupting(step):
        def step_and_interrupt(self, parameters, gradient):
            step(self, parameters, gradient)
            taken.append(1)
            if len(taken) in at:
                signal.raise_signal(signal.SIGINT)

        return step_and_interrupt

    with usual_ctrl_c(), pytest.MonkeyPatch.context() as patch:
        for optimizer in (SGD, Adam):
            patch.setattr(optimizer, "step", interrupting(optimizer.step))
        return call("train.py", "--batch-size", "16", *flags), len(taken)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize(("at", "reached"), [(1, 1), (7, 2), (8, 2)])
def test_ctrl_c_saves_the_run_after_its_epoch_and_resume_leads_to_the_same_bytes(few, tmp_path, optimizer, at, reached):
    flags = ["--data", few, "--optimizer", optimizer, "--no-figures"]
    done, steps = interrupted([at], *flags, "--epochs", "4", "--out", tmp_path / "run")
    assert (done.returncode, done.stderr.count("\n"), steps) == (130, 1, 4 * reached)
    assert f"interrupted after epoch {reached} of 4, saved" in done.stderr
    run = load_run(tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert run.interrupted_at == metrics["interrupted_at_epoch"] == reached == run.history.epoch[-1]
    command = re.search(r"to go on: python (.*)", done.stderr)[1].split()
    assert Path(command[0]).resolve() == ROOT / "scripts" / "train.py"
    assert call("train.py", *command[1:], "--quiet", "--no-figures").returncode == 0
    train_few(few, tmp_path / "whole", "--optimizer", optimizer, "--epochs", "4", "--batch-size", "16")
    assert listing(tmp_path / "run") == listing(tmp_path / "whole")


def test_a_finished_run_goes_on_to_more_epochs_with_the_same_bytes_figures_included(few, tmp_path):
    flags = ["--data", few, "--optimizer", "adam", "--hidden", "3", "2", "--quiet"]
    for out, *more in (("run", "--epochs", "2"), ("run", "--epochs", "5", "--resume"), ("whole", "--epochs", "5")):
        assert call("train.py", *flags, "--out", tmp_path / out, *more).returncode == 0
    assert listing(tmp_path / "run") == listing(tmp_path / "whole")
    assert "explorer.html" in listing(tmp_path / "run")


def test_ctrl_c_after_the_training_loses_nothing(few, tmp_path, monkeypatch):
    flags, summary = ["--data", few, "--epochs", "2", "--no-figures", "--quiet"], report.summary
    monkeypatch.setattr(report, "summary", lambda run: signal.raise_signal(signal.SIGINT) or summary(run))
    with usual_ctrl_c():
        done = call("train.py", *flags, "--out", tmp_path / "run")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    said = "train.py: error: interrupted after the training, saved whole\n"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", said)
    monkeypatch.undo()
    assert listing(tmp_path / "run") == train_few(few, tmp_path / "whole", "--epochs", "2")


def test_a_second_ctrl_c_ends_at_once_and_leaves_the_former_run(few, tmp_path):
    before = train_few(few, tmp_path / "run", "--epochs", "1")
    done, steps = interrupted([5, 6], "--data", few, "--out", tmp_path / "run", "--epochs", "3", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "train.py: error: interrupted\n")
    assert (listing(tmp_path / "run"), steps) == (before, 6)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_ctrl_c_in_a_terminal_is_answered_with_exit_code_130(tmp_path):
    command = [sys.executable, str(ROOT / "scripts" / "train.py"), "--epochs", "100000", "--out", str(tmp_path / "run")]
    usual = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    with subprocess.Popen(
        [*command, "--no-figures"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=usual
    ) as process:
        assert any(line.startswith("gradient") for line in process.stdout)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.count("\n")) == (130, 1), err
    assert not (tmp_path / "run").exists() or load_run(tmp_path / "run").interrupted_at > 0


CONTRADICTIONS = [
    ("--hidden", "5"),
    ("--seed", "1"),
    ("--optimizer", "adam"),
    ("--batch-size", "7"),
    ("--target", "kind"),
    ("--epochs", "1"),
    ("--epochs", "2"),
    ("--data", str(ROOT / "data"), "--epochs", "9"),
    ("--out", "missing", "--epochs", "9"),
]


@pytest.mark.parametrize("flags", CONTRADICTIONS, ids=" ".join)
def test_what_contradicts_the_run_is_refused_by_its_flag(few, tmp_path, flags):
    before = train_few(few, tmp_path / "run", "--epochs", "2")
    done = call("train.py", "--resume", "--quiet", "--data", few, "--out", tmp_path / "run", *flags)
    refused(done, "missing" if flags[1] == "missing" else flags[0])
    assert listing(tmp_path / "run") == before


def bad_state(folder, damage):
    """Spoils what --resume needs of a run that Adam trained."""
    if damage == "no optimizer.npz":
        (folder / "optimizer.npz").unlink()
    elif damage == "text for numbers":
        (folder / "random.json").write_text("{")
    elif damage == "another random state":
        (folder / "random.json").write_text(json.dumps({"bit_generator": "PCG64", "state": {"state": -1, "inc": 1}}))
    else:
        with np.load(folder / "optimizer.npz") as file:
            arrays = dict(file)
        arrays["mean1"] = np.zeros(3) if damage == "another shape" else np.full_like(arrays["mean1"], np.nan)
        np.savez(folder / "optimizer.npz", **arrays)


@pytest.mark.parametrize(
    "damage", ["no optimizer.npz", "text for numbers", "another random state", "another shape", "not finite"]
)
def test_a_state_that_does_not_fit_is_refused(few, tmp_path, damage):
    train_few(few, tmp_path / "run", "--epochs", "1", "--optimizer", "adam")
    bad_state(tmp_path / "run", damage)
    before = listing(tmp_path)
    flags = ["--resume", "--data", few, "--out", tmp_path / "run", "--epochs", "2", "--quiet"]
    refused(call("train.py", *flags), "train again")
    assert listing(tmp_path) == before


def test_another_rate_on_resuming_holds_from_there_on_and_is_recorded(few, tmp_path):
    train_few(few, tmp_path / "run", "--epochs", "2")
    before = load_run(tmp_path / "run")
    train_few(few, tmp_path / "run", "--resume", "--epochs", "3", "--lr", "0.01")
    after = load_run(tmp_path / "run")
    assert after.settings["lr"] == 0.01
    assert after.history.test_loss[:3] == before.history.test_loss
    train_few(few, tmp_path / "other", "--epochs", "3")
    assert after.history.test_loss[3] != load_run(tmp_path / "other").history.test_loss[3]


def test_a_run_of_other_layers_than_the_network_has_now_is_refused_by_their_names(few, tmp_path, monkeypatch):
    class Tanh:
        def forward(self, inputs):
            self.outputs = np.tanh(inputs)
            return self.outputs

        def backward(self, grad_output):
            return grad_output * (1.0 - self.outputs**2)

    with monkeypatch.context() as patch:
        patch.setattr("edge_demo.network.ReLU", Tanh)
        train_few(few, tmp_path / "run", "--epochs", "1")
        assert load_run(tmp_path / "run").history.epoch == [0, 1]
    with pytest.raises(ValueError, match=r"layers Center, Dense, Tanh, Dense, but .* Center, Dense, ReLU, Dense now"):
        load_run(tmp_path / "run")
