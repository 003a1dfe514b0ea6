"""Sweeps: every combination once, recorded at once, the same results whatever was interrupted and who worked."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
from conftest import ROOT, call

from edge_demo.figures.sweep import sweep_heatmaps, sweep_lines
from edge_demo.runs.sweeps import (
    HAND_OUT,
    combinations,
    projected_seconds,
    read_results,
    run_tasks,
    train_on_fresh_patches,
)

TASK = {"noise": 0.1, "train_size": 300, "hidden": 4, "seed": 0, "optimizer": "adam"}
TASK |= {"rates": [0.01, 0.001], "batch_size": 64, "epochs": 4, "least_steps": 0}


def measure(task):
    """A task that leaves a mark each time it is run."""
    with open(task["marks"], "a", encoding="utf-8") as file:
        file.write(f"{task['number']}\n")
    if task.get("deadly") and not os.path.exists(task["deadly"]):
        with open(task["deadly"], "w", encoding="utf-8"):
            pass
        os._exit(1)
    return {"square": task["number"] ** 2}


def printed(name, *flags):
    """The text of a script that must succeed."""
    done = call(name, *flags)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_combinations_are_all_of_them_in_order():
    assert combinations(a=[1, 2], b=["x", "y"]) == [{"a": a, "b": b} for a in (1, 2) for b in ("x", "y")]


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_task_runs_once_and_a_second_start_runs_only_what_is_missing(tmp_path, jobs):
    tasks = [{"number": n, "marks": str(tmp_path / "marks")} for n in range(6)]
    results = tmp_path / "results.jsonl"
    assert run_tasks(tasks[:3], measure, results, jobs) == [{"square": n**2} for n in range(3)]
    cut = results.read_text(encoding="utf-8")[:-9]  # as a crash leaves it: the last line cut short
    results.write_text(cut, encoding="utf-8")
    assert run_tasks(tasks, measure, results, jobs) == [{"square": n**2} for n in range(6)]
    assert len(read_results(results)) == 6
    runs = sorted(map(int, (tmp_path / "marks").read_text().split()))
    assert sorted(set(runs)) == list(range(6))
    assert len(runs) == 7  # the one whose record was cut short has run twice, and no other


def test_a_worker_that_dies_costs_only_what_it_was_doing(tmp_path):
    tasks = [{"number": n, "marks": str(tmp_path / "marks")} for n in range(8)]
    tasks[5]["deadly"] = str(tmp_path / "died")
    assert run_tasks(tasks, measure, tmp_path / "results.jsonl", jobs=2) == [{"square": n**2} for n in range(8)]
    assert (tmp_path / "died").exists()


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="a signal to a group of processes, as from a terminal")
def test_ctrl_c_is_answered_in_one_line_and_what_had_finished_stays(tmp_path):
    sizes = ["--hidden", "2", "--noise", "0.1", "--train-size", "5000", "--seeds", "50"]
    script, pipe = str(ROOT / "scripts" / "sweep.py"), subprocess.PIPE
    command = [sys.executable, script, *sizes, "--jobs", "2", "--out", str(tmp_path / "out")]
    usual = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, start_new_session=True, preexec_fn=usual
    ) as process:
        results = tmp_path / "out" / "results.jsonl"
        while not (results.exists() and results.read_text()) and process.poll() is None:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "sweep.py: error: interrupted\n")
    assert 0 < len(read_results(results)) < 50


def test_tasks_can_be_run_from_any_thread(tmp_path):
    tasks = [{"number": n, "marks": str(tmp_path / "marks")} for n in range(2)]
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(run_tasks, tasks, measure, tmp_path / "results.jsonl")
        assert done.result() == [{"square": 0}, {"square": 1}]


def test_a_task_depends_on_nothing_but_itself():
    first, again, other = (train_on_fresh_patches(task) for task in (TASK, dict(TASK), TASK | {"seed": 1}))
    assert first == again
    assert first != other
    assert first["kl_divergence"] > 0


def test_more_patches_bring_the_network_closer_to_the_truth():
    few, many = (train_on_fresh_patches(TASK | {"train_size": n, "hidden": 16, "epochs": 8}) for n in (200, 20_000))
    assert many["kl_divergence"] < few["kl_divergence"]


def test_study_truth_resumes_and_gives_the_same_bytes_with_any_number_of_jobs(tmp_path):
    flags = ["--train-size", "100", "400", "--hidden", "2", "4", "--seeds", "2"]
    for jobs in (1, 2):
        printed("study_truth.py", *flags, "--jobs", jobs, "--out", tmp_path / str(jobs))
    for name in ("study_truth.csv", "study_truth.png"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    with open(tmp_path / "1" / "study_truth.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    log = (tmp_path / "1" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(log) == 8
    text = printed("study_truth.py", *flags, "--out", tmp_path / "1")
    assert (tmp_path / "1" / "results.jsonl").read_text(encoding="utf-8").splitlines() == log
    cell = [row for row in rows if (row["train_size"], row["hidden"]) == ("400", "4")]
    lines = [line.split() for line in text.splitlines() if line.split()[:1] == ["400"]]
    for line, name in zip(lines, ("grouping", "calibration"), strict=True):
        assert line[2] == f"{np.mean([float(row[name]) for row in cell]):.4f}"
    assert json.loads(log[0])["task"]["train_size"] == 100


def test_sweep_gives_the_same_bytes_with_any_number_of_jobs_and_after_any_interruption(tmp_path):
    flags = ["--hidden", "0", "4", "--noise", "0.2", "0.1", "--train-size", "400", "100", "--seeds", "3"]
    flags += ["--epochs", "3"]
    text = printed("sweep.py", *flags, "--jobs", "1", "--out", tmp_path / "whole")
    log = (tmp_path / "whole" / "results.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(log) == 24
    (tmp_path / "parts").mkdir()
    kept = [*log[20:7:-3], log[0][:50]]  # some results, in another order, and one cut short
    (tmp_path / "parts" / "results.jsonl").write_text("".join(kept), encoding="utf-8")
    printed("sweep.py", *flags, "--jobs", "2", "--out", tmp_path / "parts")
    for name in ("sweep.csv", "sweep_heatmaps.png", "sweep_lines.png"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert (tmp_path / "parts" / "results.jsonl").read_text(encoding="utf-8").startswith("".join(kept))
    with open(tmp_path / "whole" / "sweep.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    for noise, size in product(("0.1", "0.2"), ("100", "400")):
        (line,) = [line.split() for line in text.splitlines() if line.split()[:2] == [noise, size]]
        for hidden, cells in (("0", line[2:4]), ("4", line[4:6])):
            found = [row for row in rows if (row["noise"], row["train_size"], row["hidden"]) == (noise, size, hidden)]
            means = [np.mean([float(row[name]) for row in found]) for name in ("accuracy", "kl_divergence")]
            assert cells == [f"{mean:.3f}" for mean in means]
    assert "24 trainings" in text


def test_the_projection_is_the_share_the_longest_task_or_the_handing_out_whichever_is_most():
    assert projected_seconds([1, 2, 3], 1) == 6
    assert projected_seconds([1, 2, 3], 2) == 3
    assert projected_seconds([1] * 600, 100) == 6
    assert projected_seconds([1, 2, 3], 10_000) == 3
    assert projected_seconds([0.1] * 1000, 10_000) == 1000 * HAND_OUT


def test_a_figure_of_the_sweep_shows_the_means_that_it_was_given():
    rng = np.random.default_rng(0)
    accuracy, kl = rng.uniform(0.5, 1, (2, 3, 4, 5)), rng.uniform(0.01, 0.6, (2, 3, 4, 5))
    axes = ([0.1, 0.2], [500, 2000, 8000], [2, 4, 8, 16])
    heat = [axes_ for axes_ in sweep_heatmaps(*axes, accuracy, kl).axes if axes_.images]
    for axes_, (row, noise) in zip(heat, product((accuracy, kl), range(2)), strict=True):
        np.testing.assert_array_equal(axes_.images[0].get_array(), row[noise].mean(axis=2))
        numbers = [text.get_text() for text in axes_.texts]
        assert numbers == [f"{value:.3f}" for value in row[noise].mean(axis=2).ravel()]
    lines = [axes_ for axes_ in sweep_lines(*axes, accuracy, kl).axes if len(axes_.lines) >= 4]
    for axes_, (row, noise) in zip(lines, product((accuracy, kl), range(2)), strict=True):
        for hidden, line in enumerate(axes_.lines[:4]):
            np.testing.assert_array_equal(line.get_ydata(), row[noise, :, hidden].mean(axis=1))
