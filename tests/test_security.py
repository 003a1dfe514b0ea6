"""What comes from others, files and names in them, is shown as text, runs nothing, and writes nothing elsewhere."""

import ast
import io
import json
import warnings

import numpy as np
import pytest
from conftest import ROOT, call, listing
from matplotlib.cbook import is_math_text
from matplotlib.text import Text

from edge_demo.datasets.loading import pixel_names
from edge_demo.figures.of_run import FIGURES
from edge_demo.figures.pipeline import pipeline
from edge_demo.figures.softmax_steps import softmax_steps
from edge_demo.figures.style import fitting
from edge_demo.figures.surprises import surprises
from edge_demo.runs.run import load_run

HOSTILE = [r"$\frac{1}{2}$", "a$b", "<script>alert(1)</script>", "\x1b[31mred\x07", "שלום\u202eevil", "猫", "../../up"]
HOSTILE += ["{0!r} %s", "x^{2}_{3}", "W" * 200, r"$\unknown{"]


def run_with_labels(folder, names):
    """A run of train.py, without figures, on patches whose classes have these names, and what it printed."""
    rng = np.random.default_rng(0)
    rows = [",".join(["label", *pixel_names((2, 2))])]
    for i in range(6 * len(names)):
        quoted = '"' + names[i % len(names)].replace('"', '""') + '"'
        rows.append(",".join([quoted, *(f"{value:.3f}" for value in rng.random(4))]))
    (folder / "data").mkdir()
    for name in ("train.csv", "test.csv"):
        (folder / "data" / name).write_text("\n".join(rows) + "\n", encoding="utf-8")
    flags = ["--data", folder / "data", "--out", folder / "run", "--epochs", "2", "--no-figures"]
    done = call("train.py", *flags)
    assert (done.returncode, done.stderr) == (0, "")
    return load_run(folder / "run"), done.stdout


def shown_texts(figure):
    """All texts of a figure, drawn without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
    return [text for text in figure.findobj(Text) if text.get_text()]


def assert_no_mathtext(figure):
    for text in shown_texts(figure):
        assert not text.get_parse_math() or not is_math_text(text.get_text()), text.get_text()


@pytest.mark.parametrize("names", [HOSTILE[:2], HOSTILE], ids=["two", "many"])
def test_a_name_from_a_file_is_shown_as_text_in_every_figure_and_on_the_terminal(tmp_path, names):
    run, printed = run_with_labels(tmp_path, list(names))
    assert set(run.test.class_names) == set(names)
    assert all(line.isprintable() for line in printed.splitlines())
    assert "\x1b" not in printed
    for name, draw in FIGURES.items():
        if name != "08_photograph.png":
            assert_no_mathtext(draw(run))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "run"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_given_as_flags_are_shown_as_text_too(name):
    logits, names = np.array([2.0, -1.0]), [name, "other"]
    for figure in (pipeline(None, None, logits, names), softmax_steps(logits, names, 1.0)):
        assert_no_mathtext(figure)
    pixels, two = np.random.default_rng(0).random((2, 25)), np.array([[0.5, 0.5], [0.1, 0.9]])
    assert_no_mathtext(surprises([name, "plain"], pixels, two, two, np.ones(2), 1.0, 2.0, names))


def test_what_the_font_cannot_draw_is_written_as_an_escape():
    assert fitting("猫\x07é", 9) == r"\u732b\x07é"
    assert fitting("two\nlines", 9) == "two lines"
    assert "…" in fitting("W" * 200, 1)


def test_no_file_of_a_run_is_written_or_read_elsewhere(few, tmp_path):
    (tmp_path / "inside").mkdir()
    flags = ["--data", few, "--out", tmp_path / "inside" / "run", "--epochs", "1", "--no-figures", "--quiet"]
    assert call("train.py", *flags).returncode == 0
    path = tmp_path / "inside" / "run" / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    metrics["settings"]["class_names"] = ["../../../above", "/absolute"]
    path.write_text(json.dumps(metrics), encoding="utf-8")
    before = {name for name in listing(tmp_path) if not name.endswith((".png", ".html"))}
    assert call("plot_logits.py", "--run", tmp_path / "inside" / "run").returncode == 0
    assert {name for name in listing(tmp_path) if not name.endswith((".png", ".html"))} == before


MODULES = {"pickle", "dill", "marshal", "shelve", "subprocess", "importlib", "runpy", "code"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}


def test_the_package_has_no_pickle_eval_exec_or_shell():
    for path in (ROOT / "edge_demo").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names = {str(name) for name in names} - {"importlib.metadata"}  # which runs nothing
            assert not MODULES & {part for name in names for part in name.split(".")}, path
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in CALLS, path
                allowed = [word.value.value for word in node.keywords if word.arg in ("allow_pickle", "shell")]
                assert not any(allowed), path
                if called == "np.load":
                    assert allowed == [False], path
