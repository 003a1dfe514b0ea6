"""python -m edge_demo: which version this is, what to read in which order, and what to run."""

import ast
import os
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent
SCRIPTS = LIBRARY.parent / "scripts"
READING_ORDER = ("softmax", "network", "optimizers", "training", "gradient_check")  # the core; these stand alone
THEN = ("files", "patches", "generator", "csv_files", "columns", "datasets", "photographs", "evaluation")
THEN += ("classifier", "runs", "comparisons", "sweeps", "explorer")
COMMANDS = ("plot_softmax", "train", "plot_logits", "evaluate", "detect_edges", "predict", "compare", "animate")
COMMANDS += ("make_data", "sweep", "study_truth", "study_overconfidence")


def main():
    if hasattr(sys.stdout, "reconfigure"):  # what a terminal cannot show, × in ASCII, is no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        print(*lines(), sep="\n", flush=True)
    except BrokenPipeError:  # the reader has gone, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def lines():
    yield f"edge_demo {known_version()}: a 5×5-pixel edge classifier that shows what softmax does"
    yield "\nTo read, in this order; each file builds on those before it, and the first five stand alone:"
    for name in (*READING_ORDER, *THEN):
        yield f"  {name + '.py':20}{first_line(LIBRARY / (name + '.py'))}"
    yield "  figures/            One module a figure."
    if not SCRIPTS.is_dir():
        yield "\nThe scripts are in the project's folder, not in the installed package."
        return
    yield "\nTo run; each has --help:"
    for name in COMMANDS:
        yield f"  python {os.path.relpath(SCRIPTS / f'{name}.py')}\n      {first_line(SCRIPTS / f'{name}.py')}"


def known_version():
    try:
        return version("edge_demo")
    except PackageNotFoundError:  # a folder that was not installed
        return tomllib.loads((LIBRARY.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def first_line(path):
    """The first line of a file's docstring, read without importing it."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).partition("\n")[0]


if __name__ == "__main__":
    main()
