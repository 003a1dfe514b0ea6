"""What several test files share: a way to run a script as a user does, and one trained run."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Two processes run the tests, where pytest-xdist is installed and nobody asked for another number (-n)."""
    is_one_of_them = "PYTEST_XDIST_WORKER" in os.environ
    if config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None and not is_one_of_them:
        config.option.numprocesses = 2


def needs(module, extra):
    """Skips a test file whose optional dependency is missing, or fails it where EDGE_DEMO_SKIP_NOTHING is set."""
    if "EDGE_DEMO_SKIP_NOTHING" in os.environ:
        return importlib.import_module(module)
    return pytest.importorskip(module, reason=f"needs pip install -e '.[{extra}]'")


def run_script(name, *arguments, folder=None, check=True, **environment):
    """Runs scripts/name in a subprocess, from another folder than the project's, and returns the finished process."""
    command = [sys.executable, str(ROOT / "scripts" / name), *map(str, arguments)]
    variables = {k: v for k, v in os.environ.items() if k != "DISPLAY"} | {"PYTHONUTF8": "1"} | environment
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", cwd=folder, env=variables, timeout=300
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """(folder, printed text) of one default run of train.py, figures included."""
    folder = tmp_path_factory.mktemp("trained")
    done = run_script("train.py", "--out", folder / "run", folder=folder)
    return folder / "run", done.stdout


@pytest.fixture(scope="session")
def trained_kinds(tmp_path_factory):
    """(folder, printed text) of one run on the seven kinds, figures included."""
    folder = tmp_path_factory.mktemp("kinds")
    done = run_script("train.py", "--target", "kind", "--epochs", "10", "--out", folder / "run", folder=folder)
    return folder / "run", done.stdout
