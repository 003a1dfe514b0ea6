"""A run is whole or absent: whatever kills its writer, whatever stands in its place, and however often it goes on."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, call, listing

from edge_demo import folders
from edge_demo.files import Busy, claimed, replacing
from edge_demo.folders import locked, replacing_folder
from edge_demo.optimizers import SGD, Adam
from edge_demo.runs import NEIGHBOURS, load_run, replacing_run

import report

NAMES = ("a.txt", "metrics.json")
KILLING = Path(__file__).with_name("killing.py")


def kill(*arguments):
    """The lines that killing.py prints, read as JSON."""
    command = [sys.executable, str(KILLING), *map(str, arguments)]
    threads = {"OPENBLAS_NUM_THREADS": "1"}  # more of them would only wait for each other
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=os.environ | threads)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def write(target, text, names=NAMES, is_ours=lambda folder: True):
    with replacing_folder(target, names, is_ours) as new:
        for name in names:
            (new / name).write_text(text)


def train(few, out, *flags):
    done = call("train.py", "--data", few, "--out", out, "--quiet", "--no-figures", *flags)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return listing(out)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a process that it has forked")
def test_a_writer_killed_before_any_of_its_steps_leaves_the_former_folder_or_the_new_one(tmp_path):
    rows = kill(tmp_path)
    assert len(rows) > 40
    former, new, last = (
        dict.fromkeys(("first.txt", "metrics.json", "second.txt"), text) for text in ("former", "new", "last")
    )
    kept = {"kept/mine.txt": "mine"}
    for row in rows:
        if row["start"] == "absent":
            assert row["killed"] in (None, new)
            assert row["last"] == last
        else:
            assert row["killed"] in (former | kept, new | kept, new)
            assert row["last"] == last | kept
        assert row["hidden"] == []
    # away for one step: the folder where two names cannot be swapped in one, what else was in it in any case
    assert sum(row["away"] for row in rows if row["start"] == "former") == 1
    assert sum(row["killed"] == new for row in rows if row["start"] == "former") <= 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a process that it has forked")
def test_train_killed_at_50_moments_leaves_a_whole_run_each_time(few, tmp_path):
    rows = kill(tmp_path, few, 50)
    assert len(rows) == 50
    assert sum(not row["finished"] for row in rows) >= 10  # more, unless the machine is busy


def test_a_folder_that_is_not_a_run_is_never_replaced(few, tmp_path):
    foreign = {
        "notes": {"notes.txt": "mine"},
        "broken": {"metrics.json": "{"},
        "other": {"metrics.json": '{"schema": "of another program"}', "data.csv": "1"},
        "list": {"metrics.json": "[1]"},
        "hidden": {".git": "x"},
    }
    for name, files in foreign.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "broken" / "folder").mkdir()
    before = listing(tmp_path)
    for name in (*foreign, "file"):
        done = call("train.py", "--data", few, "--out", tmp_path / name)
        assert done.returncode == 2
        assert str(tmp_path / name) in done.stderr
        assert done.stderr.count("\n") == 1
    assert listing(tmp_path) == before


def test_an_empty_folder_becomes_a_run_and_what_else_is_in_a_run_stays(few, tmp_path):
    out = tmp_path / "outputs"
    out.mkdir()
    first = train(few, out, "--seed", "1")
    for name in ("notes.txt", "sweep/results.jsonl", "07_mine.png"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text(name)
    (out / "01_dataset.png").write_bytes(b"a figure of the former run")
    second = train(few, out, "--seed", "2")
    assert {*second} == {*first, "notes.txt", "sweep", "sweep/results.jsonl", "07_mine.png"}
    assert all(second[name] == name.encode() for name in ("notes.txt", "sweep/results.jsonl", "07_mine.png"))
    assert second["after.npz"] != first["after.npz"]
    assert os.listdir(tmp_path) == ["outputs"]


def test_what_the_other_scripts_write_into_outputs_may_be_there_first(few, tmp_path):
    for name in NEIGHBOURS:
        (tmp_path / "outputs" / name).mkdir(parents=True)
    assert {*train(few, tmp_path / "outputs")} > NEIGHBOURS
    for script in (ROOT / "scripts").glob("*.py"):
        for name in re.findall(r'ROOT / "outputs" / "(\w+)"', script.read_text(encoding="utf-8")):
            assert name in NEIGHBOURS, script


def test_an_error_leaves_nothing_not_even_the_folders_made_for_it(tmp_path):
    def broken(target, error):
        with replacing_folder(target, NAMES, lambda folder: True) as new:
            (new / "a.txt").write_text("half")
            (new / "unknown").mkdir()
            raise error("halfway")

    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error, match="halfway"):
            broken(tmp_path / "x" / "y" / "run", error)
        assert listing(tmp_path) == {}
    write(tmp_path / "run", "former")
    before = listing(tmp_path)
    with pytest.raises(ValueError, match="halfway"):
        broken(tmp_path / "run", ValueError)
    assert listing(tmp_path) == before


def test_a_link_stays_a_link_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "outputs").symlink_to(tmp_path / "disk", target_is_directory=True)
    write(tmp_path / "outputs", "new")
    assert (tmp_path / "outputs").is_symlink()
    assert (tmp_path / "disk" / "a.txt").read_text() == "new"


def test_names_that_are_taken_lose_nothing(tmp_path):
    write(tmp_path / "run", "former")
    (tmp_path / "run" / "sweep").mkdir()
    (tmp_path / "run").rename(tmp_path / ".run.former")  # as a process leaves it that dies in the worst moment
    write(tmp_path / ".run.former" / "sweep", "older")
    write(tmp_path / "run", "new")
    (tmp_path / "run" / "sweep" / "a.txt").write_text("newer")
    (tmp_path / ".run.former" / "sweep").mkdir(parents=True)
    (tmp_path / ".run.former" / "sweep" / "a.txt").write_text("older")
    write(tmp_path / "run", "last")
    assert (tmp_path / "run" / "sweep" / "a.txt").read_text() == "newer"
    assert (tmp_path / "run" / "sweep 2" / "a.txt").read_text() == "older"
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.parametrize("target", ["/", ".", ".."])
def test_a_folder_that_cannot_be_replaced_is_refused_before_training(few, target, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    done = call("train.py", "--data", few, "--out", target)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "cannot be replaced" in done.stderr


def test_of_two_writers_at_once_one_says_so(few, tmp_path):
    train(few, tmp_path / "run")
    before = listing(tmp_path / "run")
    with locked(tmp_path / "run"):
        for script, flag in (("train.py", "--out"), ("plot_logits.py", "--run")):
            done = call(script, flag, tmp_path / "run")
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
            assert "is being written by another process" in done.stderr
    assert listing(tmp_path / "run") == before
    with replacing(tmp_path / "file"), pytest.raises(Busy, match="file is being"), replacing(tmp_path / "file"):
        pass
    with replacing(tmp_path / "file") as file:
        file.write("whole")
    assert (tmp_path / "file").read_text() == "whole"


def test_what_a_dead_process_left_is_cleared_and_what_a_living_one_holds_is_not(tmp_path):
    (tmp_path / ".file.part").write_text("half of an older and longer text")
    (tmp_path / ".run.lock").write_text("")
    (tmp_path / ".run.new").mkdir()
    (tmp_path / ".run.new" / "a.txt").write_text("half")
    (tmp_path / ".run.new" / ".metrics.json.part").write_text("half")
    with replacing(tmp_path / "file") as file:
        file.write("new")
    write(tmp_path / "run", "new")
    assert {**listing(tmp_path)} == {"file": b"new", "run": None, "run/a.txt": b"new", "run/metrics.json": b"new"}
    with claimed(tmp_path / ".run.lock", "run") as lock:
        with pytest.raises(Busy):
            write(tmp_path / "run", "another")
        assert os.path.samestat(os.stat(tmp_path / ".run.lock"), os.fstat(lock.fileno()))


def test_without_an_exchange_of_two_names_a_folder_is_replaced_all_the_same(tmp_path, monkeypatch):
    write(tmp_path / "run", "former")
    monkeypatch.setattr(folders, "_exchange", lambda *_: False)
    (tmp_path / "run" / "mine").write_text("mine")
    write(tmp_path / "run", "new")
    assert listing(tmp_path / "run") == {"a.txt": b"new", "metrics.json": b"new", "mine": b"mine"}


# ------------------------------------------------------------------------------------------------ going on


@contextmanager
def usual_ctrl_c():
    """Python's own handler of SIGINT, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(at, *flags):
    """train.py, with Ctrl-C in step number at; 60 patches in batches of 16 are 4 steps an epoch."""
    taken = []

    def interrupting(step):
        def step_and_interrupt(self, parameters, gradient):
            step(self, parameters, gradient)
            taken.append(1)
            if len(taken) == at:
                signal.raise_signal(signal.SIGINT)

        return step_and_interrupt

    with usual_ctrl_c(), pytest.MonkeyPatch.context() as patch:
        for optimizer in (SGD, Adam):
            patch.setattr(optimizer, "step", interrupting(optimizer.step))
        return call("train.py", "--batch-size", "16", *flags)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize(("at", "reached"), [(1, 0.25), (7, 1.75), (8, 2)])
def test_ctrl_c_saves_a_whole_run_that_goes_on_to_the_same_bytes(few, tmp_path, optimizer, at, reached):
    flags = ["--data", few, "--optimizer", optimizer, "--no-figures"]
    done = interrupted(at, *flags, "--epochs", "4", "--out", tmp_path / "run")
    assert (done.returncode, done.stderr.count("\n")) == (130, 1)
    assert f"interrupted in epoch {reached:g} of 4" in done.stderr
    run = load_run(tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert run.interrupted_at == metrics["interrupted_at_epoch"] == reached == run.history.epoch[-1]
    assert run.after.loss(run.test.pixels, run.test.labels) == run.history.test_loss[-1]
    command = re.search(r"to go on: python (.*)", done.stderr)[1].split()
    assert Path(command[0]).resolve() == ROOT / "scripts" / "train.py"
    call("train.py", *command[1:], "--quiet", "--no-figures")
    train(few, tmp_path / "whole", "--optimizer", optimizer, "--epochs", "4", "--batch-size", "16")
    assert listing(tmp_path / "run") == listing(tmp_path / "whole")


def test_ctrl_c_within_an_epoch_leaves_figures_and_explorer_too(few, tmp_path):
    flags = ["--data", few, "--epochs", "3", "--quiet"]
    done = interrupted(6, *flags, "--out", tmp_path / "run")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (130, "", 1)
    assert "interrupted in epoch 1.5 of 3, saved" in done.stderr
    call("train.py", *flags, "--batch-size", "16", "--out", tmp_path / "whole")
    assert {*os.listdir(tmp_path / "run")} == {*os.listdir(tmp_path / "whole")}
    assert "explorer.html" in os.listdir(tmp_path / "run")
    call("train.py", "--resume", *flags, "--out", tmp_path / "run")
    assert listing(tmp_path / "run") == listing(tmp_path / "whole")


def test_a_finished_run_goes_on_to_more_epochs_with_the_same_bytes_figures_included(few, tmp_path):
    flags = ["--data", few, "--optimizer", "adam", "--hidden", "3", "2", "--quiet"]
    for out, *more in (("run", "--epochs", "2"), ("run", "--epochs", "5", "--resume"), ("whole", "--epochs", "5")):
        assert call("train.py", *flags, "--out", tmp_path / out, *more).returncode == 0
    assert listing(tmp_path / "run") == listing(tmp_path / "whole")


def test_ctrl_c_after_the_training_loses_nothing(few, tmp_path):
    flags, evaluation = ["--data", few, "--epochs", "2", "--quiet"], report.evaluation

    def interrupting(run):
        signal.raise_signal(signal.SIGINT)
        return evaluation(run)

    call("train.py", *flags, "--out", tmp_path / "whole")
    with usual_ctrl_c(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "evaluation", interrupting)
        done = call("train.py", *flags, "--out", tmp_path / "run")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    said = "train.py: error: interrupted after the training, saved whole\n"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", said)
    assert listing(tmp_path / "run") == listing(tmp_path / "whole")
    assert {*os.listdir(tmp_path)} == {"run", "whole"}


def test_a_second_ctrl_c_leaves_the_earlier_run(few, tmp_path, monkeypatch):
    before = train(few, tmp_path / "run", "--epochs", "1")

    monkeypatch.setattr(report, "evaluation", lambda _: [signal.raise_signal(signal.SIGINT) for _ in range(2)])
    with usual_ctrl_c():
        done = call("train.py", "--data", few, "--out", tmp_path / "run", "--epochs", "3", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "train.py: error: interrupted\n")
    assert listing(tmp_path / "run") == before
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--hidden", "5"], "--hidden"),
        (["--seed", "1"], "--seed"),
        (["--optimizer", "adam"], "--optimizer"),
        (["--lr", "0.1"], "--lr"),
        (["--batch-size", "7"], "--batch-size"),
        (["--target", "kind"], "--target"),
        (["--epochs", "1"], "--epochs"),
        ([], "--epochs"),
        (["--data", str(ROOT / "data"), "--epochs", "9"], "--data"),
        (["--out", "missing", "--epochs", "9"], "missing"),
    ],
)
def test_what_contradicts_the_run_is_refused_by_its_flag(few, tmp_path, flags, words):
    before = train(few, tmp_path / "run", "--epochs", "2")
    done = call("train.py", "--resume", "--data", few, "--out", tmp_path / "run", *flags)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr
    assert listing(tmp_path / "run") == before


@pytest.mark.parametrize("damage", ["missing", "text", "wrong numbers", "another shape", "not finite"])
def test_a_state_that_does_not_fit_is_refused(few, tmp_path, damage):
    train(few, tmp_path / "run", "--epochs", "1")
    state, arrays = tmp_path / "run" / "resume.json", tmp_path / "run" / "resume.npz"
    content = json.loads(state.read_text())
    if damage == "missing":
        arrays.unlink()
    elif damage == "text":
        state.write_text("{")
    elif damage == "wrong numbers":
        state.write_text(json.dumps(content | {"rng": {"bit_generator": "PCG64", "state": {"state": -1, "inc": 1}}}))
    else:
        values = {
            "parameters": np.zeros(3) if damage == "another shape" else np.full(450, np.nan),
            "velocity": np.zeros(450),
        }
        np.savez(arrays, **values)
    before = listing(tmp_path)
    done = call("train.py", "--resume", "--data", few, "--out", tmp_path / "run", "--epochs", "2", "--quiet")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "train again" in done.stderr
    assert listing(tmp_path) == before


def test_ctrl_c_of_a_real_terminal_is_answered_with_exit_code_130(tmp_path):
    command = [sys.executable, str(ROOT / "scripts" / "train.py"), "--epochs", "100000", "--out", str(tmp_path / "run")]
    usual = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    with subprocess.Popen(
        [*command, "--no-figures"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=usual
    ) as process:
        while not process.stdout.readline().startswith("gradient"):
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists() or load_run(tmp_path / "run").interrupted_at > 0


def test_replacing_run_refuses_the_home_of_something_else(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="other things"), replacing_run(tmp_path / "run"):
        pass
    assert os.listdir(tmp_path / "run") == ["thesis.tex"]
