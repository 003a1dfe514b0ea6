"""Sweeps: every combination once, recorded at once, the same results whatever was interrupted and who worked."""

import csv
import json
import os

import numpy as np
import pytest
from conftest import run_script

from edge_demo.sweeps import combinations, read_results, run_tasks, train_on_fresh_patches

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
        run_script("study_truth.py", *flags, "--jobs", jobs, "--out", tmp_path / str(jobs))
    for name in ("study_truth.csv", "study_truth.png"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    with open(tmp_path / "1" / "study_truth.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    log = (tmp_path / "1" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(log) == 8
    text = run_script("study_truth.py", *flags, "--out", tmp_path / "1").stdout
    assert (tmp_path / "1" / "results.jsonl").read_text(encoding="utf-8").splitlines() == log
    kl = np.mean([float(row["kl_divergence"]) for row in rows if (row["train_size"], row["hidden"]) == ("400", "4")])
    (line,) = [line for line in text.splitlines() if line.split()[:1] == ["400"]]
    assert line.split()[2] == f"{kl:.4f}"
    assert json.loads(log[0])["task"]["train_size"] == 100
