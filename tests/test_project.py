"""Promises about the project itself: its requirements, its imports, its silence."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT

LIBRARY = ROOT / "edge_demo"
READING_ORDER = ["softmax", "network", "optimizers", "training", "gradient_check"]
ORDER = [*READING_ORDER, "files", "patches", "generator", "csv_files", "datasets", "photographs", "evaluation"]
ORDER += ["classifier", "runs", "comparisons", "sweeps", "explorer", "figures"]


def imported(path):
    """The modules of edge_demo that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("edge_demo.")}


def test_requirements_name_what_pyproject_names_and_pytest():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split("\n")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    *named, pytest_line, xdist_line, editable, end = lines
    assert named == project["dependencies"]
    assert pytest_line.startswith("pytest>=")
    assert xdist_line.startswith("pytest-xdist>=")  # the tests run on two cores
    assert (editable, end) == ("-e .", "")
    assert {line.split(">=")[0] for line in named} == {"numpy", "matplotlib", "scikit-learn", "tqdm"}


@pytest.mark.parametrize("name", READING_ORDER)
def test_the_files_that_a_learner_reads_import_only_each_other(name):
    assert imported(LIBRARY / f"{name}.py") <= {*READING_ORDER}


def test_imports_go_down_the_list_of_modules_so_there_is_no_circle():
    for path in LIBRARY.glob("*.py"):
        if path.stem != "__init__":
            above = ORDER[: ORDER.index(path.stem)]
            assert imported(path) <= {*above}, f"{path.stem} imports {imported(path) - {*above}}"
    for path in (LIBRARY / "figures").glob("*.py"):
        assert imported(path) <= {*ORDER}, path


@pytest.mark.parametrize(("module", "absent"), [("train", "sklearn scipy"), ("edge_demo.runs", "matplotlib sklearn")])
def test_the_slow_imports_are_left_to_those_who_need_them(module, absent):
    code = f"import sys, {module}; print({{*{absent.split()}}} & {{*sys.modules}})"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT / "scripts")
    assert done.stdout == "set()\n"


def test_nothing_in_the_library_prints_or_uses_global_random_state():
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("print", "input", "eval", "exec"), path
                assert not re.match(r"(np\.)?random\.(?!default_rng$)[a-z]", called), path
