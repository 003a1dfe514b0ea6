"""Promises about the project itself: its requirements, its size, its imports."""

import ast
import re
import subprocess
import sys
import tomllib

from conftest import ROOT

LIBRARY = ROOT / "edge_demo"
ORDER = ["files", "folders", "softmax", "network", "optimizers", "training", "resuming", "gradient_check", "patches"]
ORDER += ["generator", "evaluation", "classifier", "runs", "explorer", "sweeps"]


def test_requirements_name_what_pyproject_names_and_pytest():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split("\n")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    *named, pytest_line, xdist_line, editable, end = lines
    assert named == project["dependencies"]
    assert pytest_line.startswith("pytest>=")
    assert xdist_line.startswith("pytest-xdist>=")  # the tests run on two cores
    assert (editable, end) == ("-e .", "")
    assert {line.split(">=")[0] for line in named} == {"numpy", "matplotlib", "scikit-learn", "tqdm"}


def test_the_core_that_a_learner_reads_stays_short():
    names = ("softmax", "network", "optimizers", "training")
    assert sum(len((LIBRARY / f"{name}.py").read_text(encoding="utf-8").splitlines()) for name in names) < 350


def test_imports_go_down_the_list_of_modules_only():
    for position, name in enumerate(ORDER):
        path = LIBRARY / f"{name}.py"
        if not path.exists():
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module.startswith("edge_demo."):
                assert node.module.split(".")[1] in ORDER[:position], f"{name} imports {node.module}"


def test_the_library_imports_neither_matplotlib_nor_scikit_learn_before_they_are_used():
    code = "import sys, edge_demo.runs; print({'matplotlib', 'sklearn', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_nothing_in_the_library_prints_or_uses_global_random_state():
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("print", "input", "eval", "exec"), path
                assert not re.match(r"(np\.)?random\.(?!default_rng$)[a-z]", called), path
