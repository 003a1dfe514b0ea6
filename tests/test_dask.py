"""sweep.py on a real Dask cluster: a scheduler and two worker processes, one of which is killed in the middle."""

import json
import subprocess
import sys
import time
from contextlib import contextmanager

from conftest import ROOT, needs, run_script

needs("distributed", "dask")

FLAGS = ["--hidden", "4", "8", "--noise", "0.1", "--train-size", "2000", "4000", "--seeds", "4", "--epochs", "6"]


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened for too long"
        time.sleep(0.02)


@contextmanager
def cluster(folder, workers):
    """(address, scheduler process, worker processes), as a user would start them, all on this machine."""
    file, started = folder / "scheduler.json", []

    def start(name, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.{name}", "--no-dashboard", "--scheduler-file", str(file)]
        started.append(subprocess.Popen([*command, *arguments], stderr=subprocess.DEVNULL, cwd=folder))

    try:
        start("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
        wait_for(file.exists)
        for _ in range(workers):
            start("dask_worker", "--nthreads", "1", "--no-nanny")

        from distributed import Client

        address = json.loads(file.read_text(encoding="utf-8"))["address"]
        with Client(address, timeout=60) as client:
            wait_for(lambda: len(client.nthreads()) == workers)
        yield address, started[0], started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


def records(folder):
    log = folder / "results.jsonl"
    return log.read_bytes().count(b"\n") if log.exists() else 0


@contextmanager
def sweep(address, out):
    command = [sys.executable, str(ROOT / "scripts" / "sweep.py"), *FLAGS, "--dask", address, "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(lambda: records(out) >= 3 or process.poll() is not None)
            yield process
        finally:
            process.kill()


def test_a_killed_worker_changes_nothing_in_the_results(tmp_path):
    with cluster(tmp_path, 2) as (address, _, workers), sweep(address, tmp_path / "dask") as process:
        workers[0].kill()
        at_death = records(tmp_path / "dask")
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert at_death < 14  # it did die in the middle
        assert workers[1].poll() is None
    assert records(tmp_path / "dask") == 16  # each combination once
    run_script("sweep.py", *FLAGS, "--jobs", "1", "--out", tmp_path / "serial")
    for name in ("sweep.csv", "sweep_heatmaps.png", "sweep_lines.png"):
        assert (tmp_path / "dask" / name).read_bytes() == (tmp_path / "serial" / name).read_bytes(), name


def test_a_scheduler_without_workers_and_one_that_is_not_there_are_named(tmp_path):
    with cluster(tmp_path, 0) as (address, *_):
        done = run_script("sweep.py", "--dask", address, "--out", tmp_path / "out", check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "has no workers" in done.stderr
    done = run_script("sweep.py", "--dask", "no address", "--out", tmp_path / "out", check=False)
    assert done.returncode == 2
    assert "no Dask scheduler answers at no address" in done.stderr.splitlines()[-1]
