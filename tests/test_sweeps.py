"""Sweeps: every combination once, recorded at once, the same results whatever was interrupted and whoever worked."""

import csv
import importlib
import os
import signal
import subprocess
import sys
import time
from itertools import product

import numpy as np
import pytest
from conftest import ROOT, call, slow

from edge_demo.runs import sweeps
from edge_demo.runs.sweeps import read_results, run_tasks, train_on_fresh_patches

TASK = {"noise": 0.1, "train_size": 300, "hidden": 4, "seed": 0, "optimizer": "adam"}
TASK |= {"rates": [0.01, 0.001], "batch_size": 64, "epochs": 4, "least_steps": 0}


def measure(task):
    """A task that leaves a mark each time it is run."""
    with open(task["marks"], "a", encoding="utf-8") as file:
        file.write(f"{task['number']}\n")
    return {"square": task["number"] ** 2}


def printed(name, *flags):
    """The text of a script that must succeed."""
    done = call(name, *flags)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def table(folder, name):
    with open(folder / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_task_runs_once_and_again_only_where_its_record_was_cut_short_or_the_core_has_changed(
    tmp_path, monkeypatch
):
    tasks = [{"number": n, "marks": str(tmp_path / "marks")} for n in range(6)]
    results = tmp_path / "results.jsonl"
    assert run_tasks(tasks[:3], measure, results, jobs=2) == [{"square": n**2} for n in range(3)]
    cut = results.read_text(encoding="utf-8")[:-9]  # as a crash leaves it
    results.write_text(cut, encoding="utf-8")
    assert run_tasks(tasks, measure, results, jobs=2) == [{"square": n**2} for n in range(6)]
    assert len(read_results(results)) == 6
    assert len((tmp_path / "marks").read_text().split()) == 7  # that one has run twice, and no other
    monkeypatch.setattr(sweeps, "code_hash", lambda: "of another network.py")
    assert read_results(results) == {}


def test_the_hash_of_the_core_changes_with_each_of_its_files(tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    for name in ("softmax.py", "network.py", "optimizers.py", "training.py"):
        (tmp_path / name).write_text("")
    monkeypatch.setattr(sweeps, "__file__", str(tmp_path / "runs" / "sweeps.py"))
    hashes = {sweeps.code_hash()}
    for name in ("softmax.py", "network.py", "optimizers.py", "training.py"):
        (tmp_path / name).write_text(f"# {name}")
        hashes.add(sweeps.code_hash())
    assert len(hashes) == 5


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
        while not read_results(results) and process.poll() is None:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "sweep.py: error: interrupted\n")
    assert 0 < len(read_results(results)) < 50


def test_a_task_depends_on_nothing_but_itself_and_more_patches_bring_it_closer_to_the_truth():
    first, again, other = (train_on_fresh_patches(task) for task in (TASK, dict(TASK), TASK | {"seed": 1}))
    assert first == again
    assert first != other
    few, many = (train_on_fresh_patches(TASK | {"train_size": n, "hidden": 16, "epochs": 8}) for n in (200, 20_000))
    assert 0 < many["kl_divergence"] < few["kl_divergence"]


def test_sweep_gives_the_same_bytes_with_any_number_of_jobs_and_after_any_interruption(tmp_path):
    flags = ["--hidden", "0,4", "--noise", "0.2", "0.1", "--train-size", "400", "100", "--seeds", "2", "--epochs", "2"]
    text = printed("sweep.py", *flags, "--jobs", "1", "--out", tmp_path / "whole")
    log = (tmp_path / "whole" / "results.jsonl").read_text(encoding="utf-8").split("\n")[1:]
    assert len(log) == 16
    (tmp_path / "parts").mkdir()
    kept = "\n".join([*log[14:5:-3], log[0][:50]])  # some results, in another order, and one cut short
    (tmp_path / "parts" / "results.jsonl").write_text(kept, encoding="utf-8")
    printed("sweep.py", *flags, "--jobs", "2", "--out", tmp_path / "parts")
    for name in ("sweep.csv", "sweep_heatmaps.png", "sweep_lines.png"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    rows = table(tmp_path / "whole", "sweep.csv")
    assert len(rows) == 16
    for noise, size in product(("0.1", "0.2"), ("100", "400")):
        (line,) = [line.split() for line in text.splitlines() if line.split()[:2] == [noise, size]]
        for hidden, cells in (("0", line[2:4]), ("4", line[4:6])):
            found = [row for row in rows if (row["noise"], row["train_size"], row["hidden"]) == (noise, size, hidden)]
            means = [np.mean([float(row[name]) for row in found]) for name in ("accuracy", "kl_divergence")]
            assert cells == [f"{mean:.3f}" for mean in means]


@slow
def test_study_truth_prints_the_means_of_its_tables_and_three_reasons_whose_sum_is_what_is_above_the_floor(
    tmp_path, monkeypatch
):
    module = importlib.import_module("scripts.study_truth")
    monkeypatch.setattr(module, "UNITS", 4)  # as if train.py had so many units
    monkeypatch.setattr(module, "PATCHES", 60)  # and patches
    flags = ["--train-size", "100,400", "--hidden", "2,4", "--seeds", "2", "--jobs", "2"]
    text = printed("study_truth.py", *flags, "--out", tmp_path)
    rows = table(tmp_path, "study_truth.csv")
    cells = [(row["train_size"], row["hidden"], row["seed"]) for row in rows]
    assert cells == [*product(("100", "400"), ("2", "4"), ("0", "1"))]
    lines = [line.split() for line in text.splitlines() if line.split()[:1] == ["400"]]
    for line, name in zip(lines, ("grouping", "calibration"), strict=True):
        assert line[2] == f"{np.mean([float(row[name]) for row in rows[-2:]]):.4f}"

    reasons = table(tmp_path, "what_holds_it_back.csv")
    total = sum(float(value) for name, value in reasons[2].items() if name != "seed")
    of_seed = {"hidden": 4, "seed": 2}
    usual = train_on_fresh_patches(module.USUAL | of_seed | {"train_size": 60})
    assert total == pytest.approx(usual["kl_divergence"])
    most = train_on_fresh_patches(module.SCHEDULE | of_seed | {"train_size": 400})
    assert float(reasons[2]["network too small"]) == most["kl_divergence"]
    for name in [*reasons[0]][1:]:
        assert f"{np.mean([float(row[name]) for row in reasons]):.4f}" in text
