"""compare.py and folders of seeds: what was stored is what is compared, whatever network.py builds now."""

import csv
import json
import shutil

import numpy as np
import pytest
from conftest import call

from edge_demo.runs import load_run

FAST = ["--epochs", 2, "--no-figures", "--quiet"]


def done(name, *arguments):
    result = call(name, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def runs(few, tmp_path_factory):
    """A dict from name to folder: a run, one of more units, and folders of three seeds, of 2 and of 8 units."""
    folder = tmp_path_factory.mktemp("runs")
    flags = {"plain": [], "wide": ["--hidden", 64]}
    flags |= {"three": ["--seeds", 3, "--seed", 4, "--hidden", 2], "eight": ["--seeds", 3, "--seed", 4, "--hidden", 8]}
    for name, given in flags.items():
        done("train.py", "--data", few, *FAST, *given, "--out", folder / name)
    return {name: folder / name for name in flags}


def test_the_table_says_what_each_run_reaches_and_how_far_it_is_from_the_first(runs, tmp_path):
    folders = [runs[name] for name in ("plain", "wide", "eight")]
    text = done("compare.py", *folders, "--out", tmp_path)
    rows = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    with open(tmp_path / "comparison.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    words = " ".join(text.split())
    assert [row["network"] for row in rows] == ["25-16-2 ReLU", "25-64-2 ReLU", "25-8-2 ReLU"]
    seeds = [[folders[0]], [folders[1]], [folders[2] / seed for seed in "456"]]
    for row, line, folders in zip(rows, lines, seeds, strict=True):
        losses = [load_run(folder).history.test_loss[-1] for folder in folders]
        assert row["cross_entropy"] == pytest.approx(np.mean(losses))
        assert float(line["cross_entropy"]) == row["cross_entropy"]
        assert f"{row['parameters']:,} {row['accuracy']:.4f} {row['cross_entropy']:.4f}" in words
    assert "difference" not in rows[0]
    for row in rows[1:]:
        loss = row["difference"]["cross_entropy"]
        assert f"{loss['mean']:.4f} {loss['low']:.4f} {loss['high']:.4f}" in words
    assert "second" not in text
    assert {path.name for path in tmp_path.iterdir()} == {
        "comparison.json",
        "comparison.csv",
        "curves.png",
        "differences.png",
    }


def test_where_the_truth_is_known_grouping_and_calibration_stand_apart_from_the_loss_on_labels(tmp_path):
    done("train.py", *FAST, "--out", tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    parts = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))["parts"]["after"]
    text = done("compare.py", tmp_path / "run", tmp_path / "copy", "--out", tmp_path / "comparison")
    assert f"{parts['grouping']:.4f}  {parts['calibration']:16.4f}" in text
    assert "loss on labels" in text
    assert "within the chance of the test patches" in text


def test_groups_are_judged_by_what_their_seeds_explain(few, runs, tmp_path):
    done("train.py", "--data", few, *FAST, "--seeds", 3, "--seed", 40, "--hidden", 8, "--out", tmp_path / "again")
    text = done("compare.py", runs["eight"], tmp_path / "again", "--out", tmp_path / "comparison")
    assert "again (3 seeds): loss" in text
    assert "no more than the seeds differ" in text
    assert "one draw" not in text


def test_runs_that_were_tested_on_other_patches_are_refused_with_the_reason(few, runs, tmp_path):
    shutil.copytree(few, tmp_path / "data")
    head, first, *rest = (few / "test.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "data" / "test.csv").write_text("".join([head, *rest, first]), encoding="utf-8")
    done("train.py", "--data", tmp_path / "data", *FAST, "--out", tmp_path / "turned")
    done("train.py", "--data", few, *FAST, "--target", "kind", "--out", tmp_path / "kinds")
    for other, why in (("turned", "as many, but not the same"), ("kinds", "classes are vertical, horizontal")):
        result = call("compare.py", runs["plain"], tmp_path / other, "--out", tmp_path / "comparison")
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert why in result.stderr
    assert not (tmp_path / "comparison").exists()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["plain"], "2 to 8 runs"),
        (["plain"] * 9, "2 to 8 runs"),
        (["plain", "plain"], "named twice"),
        (["plain", "missing"], "holds no run"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(runs, tmp_path, names, words):
    folders = [runs.get(name, tmp_path / name) for name in names]
    result = call("compare.py", *folders, "--out", tmp_path / "comparison")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert words in result.stderr
