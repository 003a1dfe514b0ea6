"""What several test files share: a way to run a script as a user does, and one trained run."""

import importlib
import io
import os
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import write_csv
from edge_demo.figures.of_run import FIGURES

ROOT = Path(__file__).resolve().parent.parent
OWN_FIGURES = {*FIGURES} - {"08_photograph.png"}  # of a run on patches whose generator nobody knows


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Two processes run the tests, where pytest-xdist is installed and nobody asked for another number (-n)."""
    is_one_of_them = "PYTEST_XDIST_WORKER" in os.environ
    if config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None and not is_one_of_them:
        config.option.numprocesses, config.option.dist = 2, "worksteal"


slow = pytest.mark.skipif("EDGE_DEMO_SKIP_NOTHING" not in os.environ, reason="takes long; .ci/run does it")


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


def call(name, *arguments, stdin=b""):
    """Like run_script, unchecked, but within this process: much faster, in the current folder and environment."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    given = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", [str(ROOT / "scripts" / name), *map(str, arguments)])
        patch.setattr(sys, "stdin", given)
        code = importlib.import_module("scripts." + name.removesuffix(".py")).main([*map(str, arguments)])
    texts = (stream.buffer.getvalue().decode() for stream in (out, err) if stream.flush() is None)
    return subprocess.CompletedProcess([name, *arguments], code, *texts)


def listing(folder):
    """A dict from the path of everything below folder, hidden things included, to its bytes; None for a folder."""
    paths = sorted(Path(folder).rglob("*"))
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in paths}


@pytest.fixture(scope="session")
def few(tmp_path_factory):
    """A dataset folder of 60 patches each, without generator.json: training on it takes a fraction of a second."""
    folder = tmp_path_factory.mktemp("few")
    rng = np.random.default_rng(3)
    for name in ("train.csv", "test.csv"):
        write_csv(folder / name, PatchGenerator().sample(60, rng))
    return folder


def trained_once(tmp_path_factory, name, *flags):
    """(folder, printed text) of a run of train.py; of all processes that test, the first that needs it trains it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    text = folder / "run.txt"
    try:
        folder.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 300
        while not text.exists():
            assert time.monotonic() < deadline, f"another process did not train the run {name}"
            time.sleep(0.05)
    else:
        done = run_script("train.py", *flags, "--out", folder / "run", folder=folder)
        text.with_suffix(".new").write_text(done.stdout, encoding="utf-8")
        text.with_suffix(".new").rename(text)  # there only when it is whole
    return folder / "run", text.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """(folder, printed text) of one default run of train.py, figures included."""
    return trained_once(tmp_path_factory, "trained")


@pytest.fixture(scope="session")
def trained_kinds(tmp_path_factory):
    """(folder, printed text) of one run on the seven kinds, figures included."""
    return trained_once(tmp_path_factory, "kinds", "--target", "kind", "--epochs", "10")
