"""The README holds: its commands run, its Python runs, its printed output is what train.py prints."""

import importlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, slow

from edge_demo.checks import check_gradient
from edge_demo.datasets import load_dataset
from edge_demo.network import Dense, Network

pytestmark = pytest.mark.shipped
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", README, re.S)
COMMANDS = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines() if "python scripts/" in line]
COMMANDS = [line for line in COMMANDS if "&&" not in line]  # those that set up are run by .ci/run


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_of_every_command_is_known(command):
    words = shlex.split(command.partition(">")[0], comments=True)
    script = importlib.import_module("scripts." + words[1].removeprefix("scripts/").removesuffix(".py"))
    script.parse(words[2:])


def copy_of_project(folder):
    """What the README needs of the project, in a folder of its own."""
    for name in ("data", "scripts", "edge_demo"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.mark.parametrize("page", ["README.md", "docs/code.md"])
def test_the_python_runs_when_each_block_is_pasted_alone(page, tmp_path, monkeypatch):
    monkeypatch.chdir(copy_of_project(tmp_path))
    names = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S):
        pasted = {}
        exec(block, pasted)
        names |= pasted
    if page == "README.md":
        rng, test = np.random.default_rng(0), load_dataset("data").test[:20]
        network = Network([Dense(25, 16, rng), names["Tanh"](), Dense(16, 2, rng)])
        assert check_gradient(network, test.pixels, test.labels) < 1e-4


@slow
def test_python_and_commands_run_in_the_order_in_which_they_stand(tmp_path, monkeypatch):
    monkeypatch.chdir(copy_of_project(tmp_path))
    for kind, block in BLOCKS:
        if kind == "python":
            exec(block, {})
        for line in block.splitlines():
            if line in COMMANDS:
                line = line.replace(".venv/bin/python", shlex.quote(sys.executable))
                subprocess.run(line, shell=True, check=True, env=os.environ | {"PYTHONPATH": str(tmp_path)})


def shown(name):
    """The text that the README shows below a mark."""
    return re.search(rf"<!-- {name} -->\n```text\n(.*?)```", README, re.S)[1].rstrip()


def test_the_output_shown_is_what_train_prints(trained):
    printed = trained[1].partition("\nwritten")[0].replace(str(ROOT / "data"), "data").rstrip()

    def comparable(text):  # the error of the gradient check is rounding, which differs from processor to processor
        return re.sub(r"gradient [^,\s]+", "gradient", text)

    assert comparable(shown("train.py")) in comparable(printed)


@slow
def test_the_comparison_shown_is_what_its_commands_print(tmp_path):
    spec = importlib.util.spec_from_file_location("build", DOCS / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert build.compare_tanh(tmp_path / "project").rstrip() == shown("compare.py")


PAGES = ["README.md", "data/README.md", *(str(path.relative_to(ROOT)) for path in sorted(DOCS.rglob("*.md")))]


@pytest.mark.parametrize("page", PAGES)
def test_every_linked_file_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert "://" in target or ((ROOT / page).parent / target).exists(), target
