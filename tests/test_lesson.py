"""Promises about the lesson: the sources in docs/lesson run, and the notebooks beside them are what that gives."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
import warnings
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest
from conftest import ROOT, slow
from matplotlib.figure import Figure

from edge_demo.runs import load_run

pytestmark = pytest.mark.shipped
LESSON = ROOT / "docs" / "lesson"
PARTS = sorted(path.stem for path in LESSON.glob("*.md"))
SOURCES = {part: (LESSON / f"{part}.md").read_text(encoding="utf-8") for part in PARTS}
NOTEBOOKS = {part: json.loads((LESSON / f"{part}.ipynb").read_text(encoding="utf-8")) for part in PARTS}
CELL = re.compile(r"^```\{code-cell\}\n(:tags: [^\n]*\n\n)?(.*?)^```$", re.M | re.S)
SOLUTION = re.compile(r"^<summary>Solution</summary>\n\n```python\n(.*?)^```$", re.M | re.S)
NUMBER = r"(?<![\w.])-?[\d,]*\.?\d+"


def streams(part):
    """What each cell of a committed notebook printed."""
    cells = [cell for cell in NOTEBOOKS[part]["cells"] if cell["cell_type"] == "code"]
    return ["".join("".join(output.get("text", "")) for output in cell["outputs"]) for cell in cells]


def rows(pattern, text):
    return np.array([[float(number.replace(",", "")) for number in found] for found in re.findall(pattern, text)])


def claims(part):
    """(claim, whether what the committed notebook printed bears it out) for what the text says of networks."""
    text = "\n".join(streams(part))
    if part == "1_softmax":
        yield "where softmax fits", re.search(r"Edge +score 2\.5 +probability 88 %\nNo Edge +score 0\.5 +.* 12 %", text)
        yield "a ratio, and one that fails", r"[3, 1] -> [0.75 0.25]" in text and "[2, -1] -> [ 2. -1.]" in text
        yield "exp amplifies", "148 against 20" in text
        yield "three steps", re.search(r"\[2\.5 0\.5\]\n.*\[12\.18 +1\.65\]\n.*\[0\.88 0\.12\]", text)
        yield "stable", re.search(r"\[inf inf\] -> \[nan nan\]\n.*\[0\.88 0\.12\]\n.*\[0\.88 0\.12\]", text)
        yield "three classes", "[3.2, 1.3, 0.2] -> [0.83 0.12 0.04]" in text
    elif part == "2_training":
        ((before, after),) = rows(r"test loss +(\S+) -> (\S+)", text)
        yield "untrained, it pays more than one half for both", before > np.log(2) > 2 * after
        ((ours, average),) = rows(r"at 0: (\d+) of 16 .*, (\S+) on average", text)
        yield "eight units are silent on average, of our patch more", 7.5 < average < 8.5 < ours
        grown, accuracy, without = rows(r"seed \d: (\d+) of 16 .* accuracy (\S+), without units (\S+)", text).T
        yield (
            "six units grew with seed 0, more with the other four",
            grown[0] == 6 < grown[1:].min() and len(grown) == 5,
        )
        yield "without hidden units only chance is left", np.abs(without - 0.5).max() < 0.03 < accuracy.min() - 0.8
        ((pairs, lower),) = rows(r"of the (\d+) pairs .* lower in (\d+)", text)
        yield "almost any pair shows that ReLU ends lower", 0.9 * pairs < lower < pairs
        relu, tanh = rows(r"\w+: test loss .* mean (\S+), spread (\S+)", text)
        yield "the seeds of one kind differ by about as much", 0.2 < relu[1] / (tanh[0] - relu[0]) < tanh[1] / 0.01
    else:
        a, b = rows(r"patch [AB]: p (\S+), exact p\* (\S+)", text)
        yield "one p, and another truth", a[0] == b[0] and a[1] - b[1] > 0.25
        untrained, trained = rows(r"(?:un)?trained +([\d.]+) +([\d.]+) +([\d.]+)", text)
        yield "training takes grouping; the rest above the floor is mostly grouping", trained[1] > 5 * trained[2]
        yield "the floor is one number", untrained[0] == trained[0] > trained[1]
        _, accuracy, end, end_accuracy = rows(r"\n +\d +(\S+) \((\S+)\) +(\S+) \((\S+)\)", text).T
        yield "the loss climbs above one half for each patch", end.min() > np.log(2) and len(end) == 5
        yield "the accuracy falls a little", 0 < min(accuracy - end_accuracy) < max(accuracy - end_accuracy) < 0.06
        table = rows(r"\n +\d +(\d\.\d\d) +(\S+) +(\S+) +([\d,]+) +(\d+) +([\d,]+)", text)
        hot, cool = table[::2], table[1::2]
        yield "a temperature mends calibration", (cool[:, 2] < hot[:, 2] / 10).all() and len(hot) == 5
        yield "and neither grouping nor accuracy", (cool[:, [1, 5]] == hot[:, [1, 5]]).all()
        ((exact, *networks),) = rows(r"checkerboard +(\S+) +(\S+) (\S+) (\S+) (\S+) (\S+)", text)
        yield "the networks call the checkerboard Edge, p* does not", exact < 0.5 < min(networks)
        small, few, coarse = rows(r"(\S+) nats above the floor, spread (\S+)", text)[:, 0]
        yield "units and patches about equally, a better training hardly", 0.7 < few / small < 1.4 > 20 * coarse


@pytest.mark.parametrize("part", PARTS)
def test_what_the_text_says_is_what_the_cells_printed(part):
    found = dict(claims(part))
    assert all(found.values()), [claim for claim, holds in found.items() if not holds]


@pytest.mark.parametrize("part", PARTS)
def test_the_notebook_is_made_from_the_source(part):
    cells = NOTEBOOKS[part]["cells"]
    code = [(bool(tags), code.rstrip("\n")) for tags, code in CELL.findall(SOURCES[part])]
    found = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [("hide-input" in str(cell["metadata"]), "".join(cell["source"])) for cell in found] == code
    assert [cell["id"] for cell in cells] == [f"cell-{number}" for number in range(len(cells))]
    assert not re.search(r"/home|/tmp|/work|[A-Z]:\\|site-packages", "".join(streams(part)))


def test_it_trains_what_train_py_trains_and_follows_its_first_example(trained):
    run = load_run(trained[0])
    loss, accuracy = run.history.test_loss[-1], run.history.test_accuracy[-1]
    assert f"-> {loss:.4f}\n" in "".join(streams("2_training"))
    assert f"test loss {loss:.4f}, accuracy {accuracy:.4f}" in "".join(streams("3_truth"))
    (number,) = {int(found) for source in SOURCES.values() for found in re.findall(r"test\[\[(\d+)\]\]", source)}
    assert number == run.examples()[0]


def execute(code, names):
    """What a cell prints, and its last value."""
    tree, value, printed = ast.parse(code), None, StringIO()
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    return printed.getvalue(), value


def words_and_numbers(text):
    """The text without its numbers, whatever its spaces, and the numbers."""
    return re.sub(NUMBER, "", text).split(), [float(found.replace(",", "")) for found in re.findall(NUMBER, text)]


@pytest.mark.parametrize("part", [PARTS[0], *(pytest.param(part, marks=slow) for part in PARTS[1:])])
def test_the_cells_give_what_the_notebook_shows_and_the_solutions_are_right(part, monkeypatch):
    monkeypatch.chdir(LESSON)
    monkeypatch.setattr(Figure, "_repr_png_", None, raising=False)  # the lesson sets it; here it goes away again
    names, solutions = {}, SOLUTION.findall(SOURCES[part])
    warnings.simplefilter("error")
    cells = [cell for cell in NOTEBOOKS[part]["cells"] if cell["cell_type"] == "code"]
    for cell, committed in zip(cells, streams(part), strict=True):
        code = "".join(cell["source"])
        printed, value = execute(code, names)
        (words, numbers), (words_now, numbers_now) = words_and_numbers(committed), words_and_numbers(printed)
        assert words == words_now
        # another processor may sum in another order, which long training makes visible
        np.testing.assert_allclose(numbers, numbers_now, rtol=0.02, atol=0.002)
        shown = ["image/png" in output["data"] for output in cell["outputs"] if output["output_type"] != "stream"]
        assert shown == ([True] if isinstance(value, Figure) else []), code
        if asked := re.search(r"^\w+ = \.\.\..*\n", code, re.M):
            assert "right" in execute(code.replace(asked[0], solutions.pop(0)), names)[0]
    assert not solutions


def test_the_first_cell_clones_and_installs_what_is_missing(tmp_path, monkeypatch):
    first, address = CELL.findall(SOURCES[PARTS[0]])[0][1], "https://example.org/project"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    commands = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    with pytest.raises(FileNotFoundError, match="set PROJECT to its folder"):
        exec(first.replace('"../.."', "'nowhere'"), {})
    assert commands == []
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").touch()
    exec(first.replace('"../.."', repr(address)), {})
    assert commands == [
        ["git", "clone", "--quiet", address, "project"],
        [sys.executable, "-m", "pip", "install", "--quiet", "project"],
    ]
