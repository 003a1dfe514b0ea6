"""Promises about the project itself: its requirements, its imports, its silence."""

import ast
import os
import re
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT

from edge_demo.__main__ import COMMANDS, READING_ORDER, THEN

LIBRARY = ROOT / "edge_demo"
ORDER = [*READING_ORDER, *THEN, "figures"]


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
        if not path.stem.startswith("__"):
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
    for path in {*LIBRARY.rglob("*.py")} - {LIBRARY / "__main__.py"}:  # which is a program
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("print", "input", "eval", "exec"), path
                assert not re.match(r"(np\.)?random\.(?!default_rng$)[a-z]", called), path


def start(*arguments, folder, **environment):
    command = [sys.executable, *arguments]
    variables = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=variables).stdout


def test_python_m_edge_demo_names_the_version_all_files_in_order_and_all_commands(tmp_path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = start("-m", "edge_demo", folder=tmp_path, PYTHONIOENCODING="ascii")
    assert text.startswith(f"edge_demo {project['version']}")
    files = re.findall(r"^  (\w+)\.py ", text, re.M)
    assert files == ORDER[:-1]
    assert {*files} == {path.stem for path in LIBRARY.glob("[a-z]*.py")}
    shown = re.findall(r"^  python .*?(\w+)\.py$", text, re.M)
    assert shown == [*COMMANDS]
    helpers = {"cli", "report"}
    assert {*shown} == {path.stem for path in (ROOT / "scripts").glob("*.py")} - helpers


HIDE = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in {"fcntl", "resource", "termios", "pwd", "grp", "tty", "pty"}:
            raise ImportError(f"no {name} here")
sys.meta_path.insert(0, Finder())
import os, signal
for name in ("fork", "sysconf", "mkfifo", "geteuid", "getuid", "killpg", "setsid"):
    delattr(os, name)
"""


WITH_SCRIPTS = f"{HIDE}sys.path.insert(0, {str(ROOT / 'scripts')!r})\n"


def test_every_module_and_script_can_be_imported_where_there_is_no_posix(tmp_path):
    names = [f"edge_demo.{name}" for name in ORDER] + [*COMMANDS]
    assert start("-c", f"{WITH_SCRIPTS}import {', '.join(names)}; print('all')", folder=tmp_path) == "all\n"


def test_a_run_is_trained_where_there_is_no_posix(few, tmp_path):
    flags = ["train.py", "--data", str(few), "--epochs", "1", "--no-figures", "--out", "run"]
    code = f"{WITH_SCRIPTS}sys.argv = {flags}; import cli, train; cli.run(train.main)"
    assert "written to run" in start("-c", code, folder=tmp_path)
