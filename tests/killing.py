"""Kills writers of a run: a program of its own, run by test_runs.py, because it forks before anything has threads.

    python killing.py FOLDER DATA MOMENTS    train.py, killed by SIGKILL at so many random moments, many while it writes
    python killing.py FOLDER                 replacing_folder, stopped before each single step that changes the disk

It prints one line a kill: what the folder held after it.
"""

import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
import cli  # isort: skip (before NumPy is imported: cli keeps that to one thread, and a fork of several may hang)
from edge_demo import folders
from edge_demo.files import Busy

os.fsync = lambda _: None  # matters to a power cut only, which nothing here can cause
NAMES = ("first.txt", "second.txt", "metrics.json")
CHANGES = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"}


def fork(work):
    """The process number of a child that calls work and ends without a trace."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    try:
        work()
    finally:
        os._exit(0)


def write(target, text):
    with folders.replacing_folder(target, NAMES, lambda folder: True) as new:
        for name in NAMES:
            (new / name).write_text(text)


def write_until(target, text, steps):
    """Writes, but ends like a killed process before that many steps are done."""
    done = 0

    def count(event, arguments):
        nonlocal done
        if event in CHANGES and str(target.parent) in str(arguments[0]):
            done += 1
            if done > steps:
                os._exit(9)

    sys.addaudithook(count)
    write(target, text)


def kill_before_each_step(target):
    """A line of JSON a step: what target holds after the kill, and after the next writer has put all right."""
    for exchange in (folders._exchange, lambda *_: False):
        folders._exchange = exchange
        for start in ("absent", "former"):
            steps, status = 0, 9
            while status == 9:
                if start == "former":
                    write(target, "former")
                    (target / "kept").mkdir(exist_ok=True)
                    (target / "kept" / "mine.txt").write_text("mine")
                status = os.waitstatus_to_exitcode(os.waitpid(fork(lambda: write_until(target, "new", steps)), 0)[1])  # noqa: B023
                away = not target.exists()
                folders.restore(target)
                killed = held(target)
                write(target, "last")
                row = {"start": start, "away": away, "killed": killed, "last": held(target)}
                print(json.dumps(row | {"hidden": [path.name for path in target.parent.glob(".*")]}))
                steps += 1
                folders.shutil.rmtree(target)


def one_figure(run):
    from matplotlib.figure import Figure

    return {"01_dataset": lambda: Figure(figsize=(1, 1))}


def free(target):
    try:
        with folders.locked(target):
            return True
    except Busy:
        return False


def held(folder):
    """A dict from path to text of all that folder holds, or None."""
    if not folder.exists():
        return None
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def kill_at_moments(target, data, moments):
    """A line a kill: what the folder holds, absent or a seed, and how long training had been running."""
    import scipy.optimize  # noqa: F401
    import sklearn.calibration  # noqa: F401
    import train
    from tqdm import tqdm

    from edge_demo import evaluation
    from edge_demo.figures import of_run
    from edge_demo.runs import load_run

    evaluation.baselines = lambda *_: {}  # the writing is what shall be hit, so what takes long beside it is left out
    of_run.figures_of = one_figure
    tqdm.monitor_interval = 0  # a thread
    tqdm.set_lock(threading.RLock())  # its own is shared with forked processes: one killed with it stops all others

    def work(seed):
        flags = ["--data", data, "--out", target, "--seed", seed, "--epochs", "2", "--hidden", "2", "--quiet"]
        sys.argv = ["train.py", *map(str, flags)]
        cli.run(train.main)

    work(0)  # this, and the imports above, so that the children need not import anything
    usual = 9.0
    for _ in range(2):
        began = time.perf_counter()
        os.waitpid(fork(lambda: work(0)), 0)
        usual = min(usual, time.perf_counter() - began)
    rng, expected = random.Random(0), 0
    for seed in range(1, moments + 1):
        moment = usual * (rng.uniform(0, 1) if seed % 2 else rng.gauss(0.85, 0.1))
        child = fork(lambda: work(seed))  # noqa: B023
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
        finished = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        while not free(target):  # train.py has two processes; the second one ends an instant after the first
            time.sleep(0.001)
        run = load_run(target)
        found = run.settings["seed"]
        assert found in (expected, seed), (found, expected, seed)
        assert found == seed or not finished
        assert run.after.loss(run.test.pixels, run.test.labels) == run.history.test_loss[-1]
        expected = found
        print(json.dumps({"moment": moment, "new": found == seed, "finished": finished}))
    os.waitpid(fork(lambda: work(moments + 1)), 0)
    assert load_run(target).settings["seed"] == moments + 1
    assert not list(Path(target).parent.glob(".*"))


if __name__ == "__main__":
    folder, *rest = sys.argv[1:]
    if rest:
        kill_at_moments(Path(folder) / "run", Path(rest[0]), int(rest[1]))
    else:
        kill_before_each_step(Path(folder) / "run")
