"""Promises about the lesson: docs/lesson.md is what runs, and docs/lesson.ipynb is what it gives."""

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
from conftest import ROOT, needs
from matplotlib import _pylab_helpers
from matplotlib.figure import Figure

from edge_demo.datasets.loading import load_dataset

SOURCE = (ROOT / "docs" / "lesson.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\{code-cell\}|python)\n(.*?)^```$", SOURCE, re.M | re.S)
CELLS = [code for kind, code in BLOCKS if kind == "{code-cell}"]
SOLUTIONS = [code for kind, code in BLOCKS if kind == "python"]


@pytest.fixture(scope="module")
def executed():
    """All blocks, run in order as a notebook runs them: their names, and a list of (code, printed text, last value)."""
    names, runs = {}, []
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("error")
        patch.setattr(Figure, "_repr_png_", None, raising=False)  # the lesson sets it; here it goes away again
        for number, (_, code) in enumerate(BLOCKS):
            tree, value, printed = ast.parse(code), None, StringIO()
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            with redirect_stdout(printed):
                exec(compile(tree, f"block {number}", "exec"), names)
                if last is not None:
                    value = eval(compile(ast.Expression(last.value), f"block {number}", "eval"), names)
            if isinstance(value, Figure):
                assert value._repr_png_().startswith(b"\x89PNG")
            runs.append((code, printed.getvalue(), value))
    return names, runs


@pytest.fixture(scope="module")
def results(executed):
    return executed[1]


@pytest.fixture(scope="module")
def printed(results):
    return "\n".join(text for _, text, _ in results)


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(r"Edge +score 2\.5 +probability 88 %", id="where softmax fits: Edge"),
        pytest.param(r"No Edge +score 0\.5 +probability 12 %", id="where softmax fits: No Edge"),
        pytest.param(r"\[3, 1\] -> \[0\.75 0\.25\]", id="a ratio"),
        pytest.param(r"-> \[ 2\. -1\.\]", id="a ratio that fails"),
        pytest.param(r"148 against 20", id="exp amplifies"),
        pytest.param(r"\[2\.5 0\.5\]\n.*\[12\.18 +1\.65\]\n.*\[0\.88 0\.12\]", id="three steps"),
        pytest.param(r"\[inf inf\] -> \[nan nan\]\n.*\[0\.88 0\.12\]\n.*\[0\.88 0\.12\]", id="stable"),
        pytest.param(r"\[3\.2, 1\.3, 0\.2\] -> \[0\.83 0\.12 0\.04\]", id="three classes"),
    ],
)
def test_the_numbers_of_the_lesson_are_printed(printed, numbers):
    assert re.search(numbers, printed)


def test_the_three_steps_stand_in_a_picture_with_their_numbers(results):
    (figure,) = (value for code, _, value in results if "3  divided by the sum" in code)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert [text for text in texts if text[:1].isdigit()] == ["2.5", "0.5", "12.2", "1.6", "88 %", "12 %"]


def test_each_section_asks_before_it_shows(results):
    values = {code: value for code, _, value in results}
    sections = re.split(r"^## (?=\d)", SOURCE, flags=re.M)[1:-1]  # but for the exercises
    assert len(sections) == 18
    for section in sections:
        question, _, after = section.partition("> **Predict, then look.**")
        assert "{code-cell}" not in question, section[:40]
        cells = re.findall(r"^```\{code-cell\}\n(.*?)^```$", after, re.M | re.S)
        assert any(isinstance(values[code], Figure) for code in cells), section[:40]


def test_a_cell_shows_a_figure_or_nothing_beside_what_it_prints(results):
    for code, _, value in results:
        assert value is None or isinstance(value, Figure), code


def test_no_figure_is_left_open(results):
    assert _pylab_helpers.Gcf.figs == {}
    assert "pyplot" not in SOURCE


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("10: untrained, it pays more than one half for both", lambda of: of["history"].test_loss[0] > np.log(2)),
        ("11: no hidden units, no more than chance", lambda of: abs(of["without"].test_accuracy[-1] - 0.5) < 0.03),
        ("12: grouping is largest before training", lambda of: np.argmax(np.abs(of["parts"][0])) == 1),
        ("12: the floor is largest after training", lambda of: np.argmax(np.abs(of["parts"][1])) == 0),
        ("12: then grouping is most of the rest", lambda of: of["parts"][1][1] > 3 * abs(of["parts"][1][2])),
        ("13: the loss climbs above one half for both", lambda of: of["story"].test_loss[-1] > np.log(2)),
        ("13: the accuracy falls a little", lambda of: 0 < max(of["story"].test_accuracy) - of["accuracy"] < 0.06),
        ("15: the checkerboard gets another p than p*", lambda of: abs(of["p_board"] - of["exact"][1, 0]) > 0.5),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_text_answers_is_what_the_cells_measured(executed, claim, holds):
    names, _ = executed
    measured = {
        "accuracy": names["story"].test_accuracy[-1],
        "p_board": names["network"].probabilities(names["strange"][[1]])[0, 0],
    }
    assert holds(names | measured), claim


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """What the first cell would run, in the docs/ of a project of which Python knows nothing."""
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path / "docs")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    commands = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    return commands


def test_the_first_cell_installs_the_package_where_it_is_missing(tmp_path, commands):
    (tmp_path / "pyproject.toml").touch()
    exec(CELLS[0], {})
    assert commands == [[sys.executable, "-m", "pip", "install", "--quiet", ".."]]


def test_the_first_cell_takes_the_address_of_a_repository(commands):
    address = "git+https://example.org/project"
    exec(CELLS[0].replace('".."', repr(address)), {})
    assert commands[0][-1] == address


def test_the_first_cell_says_what_to_do_where_it_cannot_install(commands):
    with pytest.raises(FileNotFoundError, match="set SOURCE to"):
        exec(CELLS[0], {})
    assert commands == []


def test_the_first_cell_does_nothing_where_the_package_is_there(monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)
    exec(CELLS[0], {})


def test_cells_are_short():
    for code in (*CELLS, *SOLUTIONS):
        lines = code.splitlines()
        assert len(lines) <= 12, code
        assert max(map(len, lines)) <= 120, code


def test_ten_exercises_have_a_folded_solution_that_prints_something(results):
    exercises = SOURCE.partition("## 19.")[2]
    numbers = re.findall(r"^\*\*(\d+)\.\*\*", exercises, re.M)
    assert numbers == [str(number) for number in range(1, 11)]
    folded = re.findall(r"^<details>\n<summary>Solution</summary>\n\n```python\n(.*?)^```$", exercises, re.M | re.S)
    assert folded == SOLUTIONS
    assert len(folded) == 10
    output = {code: text for code, text, _ in results}
    assert all(output[code] for code in folded)


def test_a_glossary_explains_ten_words():
    rows = re.findall(r"^\| (?!word|---)(.+?) \| (.+?) \|$", SOURCE.partition("## Ten words")[2], re.M)
    assert len(rows) == 10


def test_the_patches_that_the_lesson_draws_are_those_of_the_committed_files(executed):
    names, _ = executed
    committed = load_dataset(ROOT / "data")
    for patches, drawn in ((committed.train, names["train_patches"]), (committed.test, names["test"])):
        np.testing.assert_allclose(drawn.pixels, patches.pixels, atol=0.5001e-4)  # files have four decimals
        np.testing.assert_array_equal(drawn.labels, patches.labels)


def notebook():
    return json.loads((ROOT / "docs" / "lesson.ipynb").read_text(encoding="utf-8"))


def outputs(cell, kind):
    return [output for output in cell["outputs"] if output["output_type"] == kind]


def words_and_numbers(text):
    """The text with its numbers left out, whatever its spaces, and the numbers."""
    number = r"(?<![\w.])-?[\d,]*\.?\d+"
    return re.sub(number, "", text).split(), [float(found.replace(",", "")) for found in re.findall(number, text)]


def test_the_committed_notebook_prints_what_the_source_prints(results):
    cells = [cell for cell in notebook()["cells"] if cell["cell_type"] == "code"]
    runs = [run for (kind, _), run in zip(BLOCKS, results, strict=True) if kind == "{code-cell}"]
    for cell, (code, printed, value) in zip(cells, runs, strict=True):
        assert "".join(cell["source"]) == code.rstrip("\n")
        stream = "".join(text for output in outputs(cell, "stream") for text in output["text"])
        (words, numbers), (words_now, numbers_now) = words_and_numbers(stream), words_and_numbers(printed)
        assert words == words_now
        # another processor may sum in another order, which long training makes visible
        np.testing.assert_allclose(numbers, numbers_now, rtol=0.02, atol=0.002)
        shown = ["image/png" in output["data"] for output in outputs(cell, "execute_result")]
        assert shown == ([True] if isinstance(value, Figure) else [])


def test_the_committed_notebook_has_no_times_no_random_names_and_no_paths():
    cells = notebook()["cells"]
    assert [cell["id"] for cell in cells] == [f"cell-{number}" for number in range(len(cells))]
    assert all(cell["metadata"] == {} for cell in cells)
    texts = [text for cell in cells for output in cell.get("outputs", []) for text in output.get("text", [])]
    assert not re.search(r"/home|/tmp|/work|[A-Z]:\\|site-packages", "".join(texts))
    assert set(notebook()["metadata"]) == {"jupytext", "kernelspec", "language_info"}


def test_jupytext_reads_the_committed_notebook_from_the_source():
    jupytext = needs("jupytext", "docs")
    read = jupytext.reads(SOURCE, fmt="md:myst")
    assert [(cell.cell_type, cell.source) for cell in read.cells] == [
        (cell["cell_type"], "".join(cell["source"])) for cell in notebook()["cells"]
    ]
