"""Kills writers, lets others race: a program of its own, because it forks before anything has threads.

    python killing.py steps FOLDER          replacing_folder, killed before each of its steps, twice in a row
    python killing.py race FOLDER           two processes that replace one folder, again and again
    python killing.py moments FOLDER DATA   train.py, killed at random moments

It ends with an AssertionError where a folder is neither a whole former nor a whole new one.
"""

import os
import random
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
import cli  # isort: skip (before NumPy is imported: cli keeps that to one thread, and a fork of several may hang)
import train

from edge_demo.files import replacing_folder, restore
from edge_demo.runs import load_run

NAMES = ("first.txt", "second.txt")
CHANGES = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}
HIDDEN = ".DS_Store"  # not ours, so it stays, whoever writes


def fork(work):
    """The process number of a child that calls work."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def write(target, text):
    with replacing_folder(target, NAMES) as new:
        for name in NAMES:
            (new / name).write_text(text)


def write_until(target, text, steps):
    """Writes, but ends like a killed process before that many changes of the disk are made."""

    def count(event, _):
        nonlocal steps
        if event in CHANGES:
            steps -= 1
            if steps < 0:
                os._exit(9)

    sys.addaudithook(count)
    write(target, text)


def held(target):
    """The one text of all its files, the former one put back where it is away; None for no folder."""
    restore(target)
    if not target.exists():
        return None
    files = {path.name: path.read_text() for path in target.iterdir()}
    assert set(files) - {HIDDEN} == set(NAMES), files
    return files.pop(HIDDEN, ""), *{files[name] for name in NAMES}


def kill_before_each_step(folder):
    kills = 0
    for first in range(99):
        for second in range(first % 3, 99, 3):
            target = folder / f"{first}-{second}"
            write(target, "former")
            (target / HIDDEN).write_text("mine")
            one = ended(fork(lambda: write_until(target, "one", first)))  # noqa: B023
            after_one = held(target) if second % 2 else None  # or nobody looks until the next writer comes
            two = ended(fork(lambda: write_until(target, "two", second)))  # noqa: B023
            assert after_one in (None, ("mine", "former"), ("mine", "one")), after_one
            whole = [("mine", "former"), ("mine", "one"), ("mine", "two")]
            assert held(target) in (whole[1:] if one == 0 else whole), (first, second, held(target))
            assert two != 0 or held(target) == whole[2], held(target)
            write(target, "last")
            assert held(target) == ("mine", "last"), held(target)
            kills += (one == 9) + (two == 9)
            if two == 0:
                break
        if one == 0:
            return kills
    raise AssertionError("it never ended")


def race(folder):
    """Both write a hundred times; whoever writes last finds, or has replaced, a whole folder."""

    def again_and_again(text):
        for _ in range(100):
            write(folder / "run", text)

    children = [fork(lambda text=text: again_and_again(text)) for text in ("one", "two")]
    assert [ended(child) for child in children] == [0, 0]
    assert held(folder / "run") in (("", "one"), ("", "two"))
    assert [path.name for path in folder.iterdir()] == ["run"]
    return 200


def kill_at_moments(folder, data, moments=30):
    target, rng, expected, kills = folder / "run", random.Random(0), 0, 0

    tqdm.set_lock(threading.RLock())  # its own is shared with forked processes: one killed with it stops all others

    def work(seed):
        flags = ["--data", data, "--out", target, "--seed", seed, "--epochs", "2", "--quiet", "--no-figures"]
        sys.argv = ["train.py", *map(str, flags)]
        cli.run(train.main)

    work(0)
    began = time.perf_counter()
    assert ended(fork(lambda: work(0))) == 0
    usual = time.perf_counter() - began
    for seed in range(1, moments + 1):
        child = fork(lambda: work(seed))  # noqa: B023
        time.sleep(usual * (rng.uniform(0, 1) if seed % 3 == 0 else rng.gauss(0.85, 0.1)))
        os.kill(child, signal.SIGKILL)
        finished = ended(child) == 0
        run = load_run(target)
        found = run.settings["seed"]
        assert found in (expected, seed), (found, expected, seed)
        assert found == seed or not finished
        assert run.after.loss(run.test.pixels, run.test.labels) == run.history.test_loss[-1]
        expected, kills = found, kills + (not finished)
    assert ended(fork(lambda: work(moments + 1))) == 0
    assert load_run(target).settings["seed"] == moments + 1
    return kills


if __name__ == "__main__":
    how, *rest = sys.argv[1:]
    print({"steps": kill_before_each_step, "race": race, "moments": kill_at_moments}[how](*map(Path, rest)))
