"""Each recipe of docs/recipes.md works when it is pasted: in a copy of the project, with every script."""

import json
import os
import subprocess
import sys

import pytest
from conftest import slow
from recipes import copy_of_the_project, recipes

pytestmark = pytest.mark.shipped
RECIPES = recipes()
FLAGS = {"RMSProp": ["--optimizer", "rmsprop"], "Weight decay": ["--optimizer", "decay"]}
TRAIN_AND_PREDICT = """
import json, os, sys
import numpy as np

for title, folder, flags in json.loads(sys.argv[1]):
    for name in [name for name in sys.modules if name.split(".")[0] in ("edge_demo", "scripts")]:
        del sys.modules[name]
    sys.path[0] = folder
    os.chdir(folder)
    from edge_demo.runs import load_run, run as runs
    from scripts.train import main

    assert runs.__file__.startswith(folder), runs.__file__
    trained = []
    runs.Run.write, write = lambda run, *rest: (trained.append(run), write(run, *rest)), runs.Run.write
    print("==", title, flush=True)
    assert main(["--data", "data/train.csv", "--epochs", "3", "--no-figures", "--out", "run", *flags]) == 0
    (run,), saved = trained, load_run("run")
    for stage in ("before", "after"):
        assert np.array_equal(run.logits[stage], saved.logits[stage]), title
    assert not np.array_equal(run.logits["before"], run.logits["after"]), title
"""
EVERY_SCRIPT = [  # with what train.py wrote into its own place
    ["train.py", "--epochs", "3"],
    ["train.py", "--epochs", "3", "--seeds", "2"],
    ["plot_logits.py"],
    ["evaluate.py", "--longer", "1"],
    ["predict.py", "data/test.csv"],
    ["detect_edges.py"],
    ["animate.py"],
    ["compare.py", "outputs/train", "outputs/seeds"],
]


def python(folder, *arguments):
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(folder), "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_are_a_dozen_and_each_is_short():
    assert len(RECIPES) == 12
    for title, edits in RECIPES.items():
        for *_, block in edits:
            lines = [line for line in block.splitlines() if line.strip() and not line.strip().startswith('"""')]
            assert 1 <= len(lines) <= 15, title


@slow
def test_each_trains_and_its_run_predicts_the_same(tmp_path):
    """All in one process, which imports each copy anew: most of the time would go into starting them."""
    tasks = []
    for number, (title, edits) in enumerate(RECIPES.items()):
        folder = copy_of_the_project(tmp_path / str(number), edits)
        tasks.append([title, str(folder.resolve()), FLAGS.get(title, [])])
    printed = python(tmp_path, "-c", TRAIN_AND_PREDICT, json.dumps(tasks)).split("== ")[1:]
    assert [part.split("\n")[0] for part in printed] == [*RECIPES]
    for part in printed:
        assert "\nchecks    13 passed" in part
        assert "check     " not in part
        assert ("another one than the mean of -log p" in part) == part.startswith("Label smoothing")


@slow
@pytest.mark.parametrize("title", RECIPES)
def test_every_script_works_with_a_recipe(title, tmp_path):
    copy_of_the_project(tmp_path, RECIPES[title])
    for name, *arguments in EVERY_SCRIPT:
        flags = FLAGS.get(title, []) if name == "train.py" else []
        python(tmp_path, f"scripts/{name}", *arguments, *flags)
