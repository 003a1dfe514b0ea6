"""While train.py draws, a second process works out what the probabilities are worth: only the time may tell."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import ROOT, listing

linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the second process is forked on Linux only")
HEAD = f"""
import os, signal, sys, time
sys.path.insert(0, {str(ROOT / "scripts")!r})
import cli
first = os.getpid()
def work():
    return os.getpid() == first, 6 * 7
"""


def python(program, *arguments):
    command = [sys.executable, "-c", HEAD + program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def train(*flags, program=""):
    """train.py in a process of its own, changed by a program before it begins."""
    return python(f"import train\n{program}\nsys.argv[0] = 'train.py'\ncli.run(train.main)", *flags)


@linux
def test_the_work_is_done_in_a_second_process_and_its_result_comes_back():
    done = python("with cli.meanwhile(work) as result:\n    print(*result())")
    assert (done.stdout, done.stderr) == ("False 42\n", "")


@pytest.mark.parametrize(
    "program",
    [
        "cli.os.listdir = lambda _: ['1', '2']",
        "import threading; threading.Thread(target=time.sleep, args=(1,), daemon=True).start()",
        "cli.os.listdir = lambda _: open('/no/such/folder')",
        "import multiprocessing.popen_fork\nos.fork = lambda: open('/no/such/process')",
    ],
    ids=["two threads", "a thread of Python", "another system", "no room for a process"],
)
def test_without_a_second_process_the_first_does_the_work(program):
    done = python(program + "\nwith cli.meanwhile(work) as result:\n    print(*result())")
    assert (done.stdout, done.stderr) == ("True 42\n", "")


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)", "1 / 0", "sys.exit(3)"])
def test_where_the_second_process_fails_the_first_does_the_work(end):
    program = f"def work():\n    if os.getpid() != first:\n        {end}\n    return 42\n"
    done = python(program + "with cli.meanwhile(work) as result:\n    print(result())")
    assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")


def test_an_error_of_the_work_is_shown_once_and_as_usual():
    program = "def work():\n    raise ValueError('a wrong number: name another')\n"
    program += "def main():\n    with cli.meanwhile(work) as result:\n        result()\ncli.run(main)"
    done = python(program)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "-c: error: a wrong number: name another\n")


def lives(process):
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_first_process_ends_the_second(number):
    program = """
signal.signal(signal.SIGINT, signal.default_int_handler)
def work():
    print(os.getpid(), flush=True)
    time.sleep(60)
with cli.meanwhile(work):
    time.sleep(60)
"""
    command = [sys.executable, "-c", HEAD + program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as first:
        second = int(first.stdout.readline())
        first.send_signal(number)
        try:
            first.wait(timeout=20)
            until = time.monotonic() + 20
            while lives(second) and time.monotonic() < until:
                time.sleep(0.01)
            assert not lives(second)
        finally:
            first.kill()
            with suppress(ProcessLookupError):
                os.kill(second, signal.SIGKILL)


@linux
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_in_a_terminal_reaches_both_processes_and_the_first_one_answers(few, tmp_path, times):
    program = f"""
from edge_demo.figures import of_run
save_figures = of_run.save_figures
def interrupting(*arguments, **options):
    if not options:  # while the second process is at work
        for _ in range({times}):
            time.sleep(0.2)
            os.killpg(0, signal.SIGINT)
    return save_figures(*arguments, **options)
of_run.save_figures = interrupting
signal.signal(signal.SIGINT, signal.default_int_handler)
os.setpgid(0, 0)
"""
    flags = ["--data", few, "--epochs", "2", "--quiet"]
    done = train(*flags, "--out", tmp_path / "run", program=program)
    said = "interrupted after the training, saved whole" if times == 1 else "interrupted"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"train.py: error: {said}\n")
    if times == 1:
        assert train(*flags, "--out", tmp_path / "whole").returncode == 0
        assert listing(tmp_path / "run") == listing(tmp_path / "whole")
    else:
        assert not any(tmp_path.iterdir())


@linux
def test_no_ctrl_c_disturbs_the_second_process():
    program = """
signal.signal(signal.SIGINT, signal.default_int_handler)
os.setpgid(0, 0)
def work():
    time.sleep(0.6)
    return os.getpid() == first
with cli.stoppable(), cli.meanwhile(work) as result:
    for _ in range(2):
        time.sleep(0.2)
        try:
            os.killpg(0, signal.SIGINT)
            time.sleep(0.1)
        except KeyboardInterrupt:
            print("second Ctrl-C")
    print(result())
"""
    done = python(program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "second Ctrl-C\nFalse\n", "")


@linux
def test_train_gives_the_same_bytes_with_and_without_a_second_process(few, tmp_path):
    program = """
from edge_demo import evaluation
evaluate = evaluation.evaluate
def noting(*arguments):
    open(os.environ["NOTE"], "a").write("first " if os.getpid() == first else "second ")
    return evaluate(*arguments)
evaluation.evaluate = noting
"""
    printed = []
    for processes, more in (("two", ""), ("one", "cli._has_one_thread = lambda: False")):
        out = tmp_path / processes
        more += f"\nos.environ['NOTE'] = {str(tmp_path / 'note')!r}"
        done = train("--data", few, "--epochs", "3", "--out", out, program=program + more)
        assert (done.returncode, done.stderr) == (0, "")
        printed.append(done.stdout.replace(str(out), "OUT"))
    assert (tmp_path / "note").read_text() == "second first "
    assert printed[0] == printed[1]
    assert listing(tmp_path / "one") == listing(tmp_path / "two")
