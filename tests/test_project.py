"""Promises about the project itself: its requirements, its imports, its silence."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT

LIBRARY = ROOT / "edge_demo"
CORE = ("softmax", "network", "optimizers", "training", "checks")
BELOW = {  # of each room those that it may enter, beside itself
    "core": {"core"},
    "datasets": {"core"},
    "photographs": {"core", "datasets"},
    "classifier": {"core", "datasets"},
    "evaluation": {"core", "datasets"},
    "runs": {"core", "datasets", "evaluation"},
}
BELOW["figures"] = BELOW["explorer"] = {*BELOW}
BELOW["console"] = {*BELOW}


def test_requirements_name_what_pyproject_names_and_pytest():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split("\n")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    *named, pytest_line, xdist_line, editable, end = lines
    assert named == project["dependencies"]
    assert pytest_line.startswith("pytest>=")
    assert xdist_line.startswith("pytest-xdist>=")  # the tests run on two cores
    assert (editable, end) == ("-e .", "")
    assert {line.split(">=")[0] for line in named} == {"numpy", "matplotlib", "scikit-learn", "tqdm"}


def imported(path):
    """The rooms of edge_demo, or of its single modules, that a file imports from, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    rooms = {name.split(".")[1] for name in names if name.startswith("edge_demo.")}
    return {"core" if room in CORE else room for room in rooms}


@pytest.mark.parametrize("room", BELOW)
def test_imports_go_one_way(room):
    files = [LIBRARY / f"{name}.py" for name in (CORE if room == "core" else [room])]
    files = [path for path in files if path.exists()] or [*(LIBRARY / room).glob("*.py")]
    for path in files:
        above = imported(path) - BELOW[room] - {room}
        assert not above, f"{path} enters {above}"


def test_every_module_is_in_a_room_that_the_order_knows():
    found = {path.relative_to(LIBRARY).parts[0].removesuffix(".py") for path in LIBRARY.rglob("*.py")}
    assert {"core" if name in CORE else name for name in found} == {*BELOW, "__init__"}


@pytest.mark.parametrize(
    ("module", "absent"), [("scripts.train", "sklearn scipy"), ("edge_demo.runs", "matplotlib sklearn")]
)
def test_the_slow_imports_are_left_to_those_who_need_them(module, absent):
    code = f"import sys, {module}; print({{*{absent.split()}}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "set()\n"


def test_only_the_console_prints_and_nothing_uses_global_random_state():
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("print", "tqdm") or path.parent.name == "console", path
                assert called not in ("input", "eval", "exec"), path
                assert not re.match(r"(np\.)?random\.(?!default_rng$)[a-z]", called), path


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
del signal.SIGPIPE
"""


def test_a_run_is_trained_where_there_is_no_posix(few, tmp_path):
    scripts = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))
    flags = ["--data", str(few), "--epochs", "1", "--no-figures", "--out", str(tmp_path / "run")]
    code = f"{HIDE}from scripts import {', '.join(scripts)}; train.main({flags})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "written to" in done.stdout
