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
from edge_demo.figures.softmax_steps import softmax_steps
from edge_demo.runs.run import load_run

HOSTILE = [r"$\frac{1}{2}$", "a$b", "<script>alert(1)</script>", "猫", "../../up", "{0!r} %s", "W" * 200, r"$\unknown{"]


def trained_on(folder, names):
    """What train.py did, without figures, with patches whose classes have these names."""
    rng = np.random.default_rng(0)
    rows = [",".join(["label", *pixel_names((2, 2))])]
    for name in names * 6:
        rows.append(",".join([f'"{name}"', *(f"{value:.3f}" for value in rng.random(4))]))
    (folder / "data").mkdir()
    for file in ("train.csv", "test.csv"):
        (folder / "data" / file).write_text("\n".join(rows) + "\n", encoding="utf-8")
    return call("train.py", "--data", folder / "data", "--out", folder / "run", "--epochs", "2", "--no-figures")


def assert_shown_as_text(figure):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
    for text in figure.findobj(Text):
        assert not (text.get_parse_math() and is_math_text(text.get_text())), text.get_text()


@pytest.mark.parametrize("names", [HOSTILE[:2], HOSTILE], ids=["two", "many"])
def test_a_name_from_a_file_is_shown_as_text_in_every_figure(tmp_path, names):
    done = trained_on(tmp_path, names)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    run = load_run(tmp_path / "run")
    assert set(run.test.class_names) == set(names)
    for name, draw in FIGURES.items():
        if name != "08_photograph.png":  # of patches whose generator is known
            assert_shown_as_text(draw(run))
    assert_shown_as_text(softmax_steps(np.arange(len(names)), names, 1.0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "run"]


@pytest.mark.parametrize("name", ["\x1b[31mred", "bell\x07", "שלום\u202eevil"])
def test_a_name_that_may_do_things_to_a_terminal_is_refused_where_it_is_read(tmp_path, name):
    done = trained_on(tmp_path, ["good", name])
    assert done.returncode == 2
    assert done.stderr.rstrip("\n").isprintable()
    assert "train.csv, line 3" in done.stderr


def test_no_file_of_a_run_is_written_or_read_elsewhere(few, tmp_path):
    folder = tmp_path / "inside" / "run"
    assert call("train.py", "--data", few, "--out", folder, "--epochs", "1", "--no-figures", "--quiet").returncode == 0
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    metrics["settings"]["class_names"] = ["../../../above", "/absolute"]
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    before = {name for name in listing(tmp_path) if not name.endswith((".png", ".html"))}
    assert call("plot_logits.py", "--run", folder).returncode == 0
    assert {name for name in listing(tmp_path) if not name.endswith((".png", ".html"))} == before


MODULES = {"pickle", "dill", "marshal", "shelve", "subprocess", "importlib", "runpy", "code"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}


def test_the_package_has_no_pickle_eval_exec_or_shell():
    for path in (ROOT / "edge_demo").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not MODULES & {part for name in names for part in str(name).split(".")}, path
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in CALLS, path
                allowed = [word.value.value for word in node.keywords if word.arg in ("allow_pickle", "shell")]
                assert not any(allowed), path
                assert called != "np.load" or allowed == [False], path
