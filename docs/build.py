"""Makes what README and docs show, from the committed data: pictures, the explorer, and the text that train.py prints.

The same data and versions give the same bytes. `python docs/build.py` takes about a minute and needs the extra [docs];
`python docs/build.py lesson` makes the notebooks of the lesson, `python docs/build.py long` what takes minutes: the
pictures of sweep.py, and docs/edges.md with its own. docs/study_truth.csv and docs/what_holds_it_back.* are what
study_truth.py writes to outputs/study_truth in some ten minutes.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from edge_demo.figures.certainty import certainty
from edge_demo.figures.scaling import scaling
from edge_demo.figures.style import save_figure
from edge_demo.runs.run import load_run

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
COMMANDS = (  # what is run, with its outputs in a folder of its own
    ("train", "train.py"),
    ("kinds", "train.py", "--target", "kind", "--epochs", "10"),
    ("evaluation", "evaluate.py", "--run", "{folder}/train"),
    ("animation", "animate.py", "--run", "{folder}/train", "--photograph"),
    ("study", "study_overconfidence.py"),
    ("digits", "train.py", "--data", "{folder}/digits.csv", "--label", "1", "--hidden", "32"),
)
COPIED = {  # file in docs/ -> where it comes from
    "dataset.png": "train/01_dataset.png",
    "explorer.html": "train/explorer.html",
    "logits_vs_probabilities.png": "train/04_logits_vs_probabilities.png",
    "loss_parts.png": "evaluation/loss_parts.png",
    "overconfidence.png": "study/overconfidence.png",
    "photograph.gif": "animation/photograph.gif",
    "photograph_kinds.png": "kinds/08_photograph.png",
    "probability_vs_truth.png": "evaluation/probability_vs_truth.png",
    "surprises.png": "study/surprises.png",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["lesson", "long"], help="make the lesson only, or what takes long")
    options = parser.parse_args()

    with timed("all"):
        if options.part == "long":
            make_what_takes_long()
            return
        if options.part is None:
            make_pictures_and_texts()
        for source in sorted((DOCS / "lesson").glob("*.md")):
            with timed(source.name):
                make_lesson(source)


def make_what_takes_long():
    with tempfile.TemporaryDirectory() as folder:
        with timed("sweep.py"):
            run("sweep.py", "--out", folder)
        for name in ("sweep_heatmaps.png", "sweep_lines.png"):
            shutil.copyfile(Path(folder) / name, DOCS / name)
    with timed("benchmarks/edges.py"):
        subprocess.run([sys.executable, ROOT / "benchmarks" / "edges.py", "--write-docs"], check=True)


def make_pictures_and_texts():
    with tempfile.TemporaryDirectory() as folder:
        save_digits(Path(folder) / "digits.csv")
        printed = {}
        for name, script, *arguments in COMMANDS:
            arguments = [text.format(folder=folder) for text in arguments]
            with timed(" ".join([script, *arguments])):
                printed.setdefault(name, run(script, *arguments, "--out", f"{folder}/{name}"))
        for target, source in COPIED.items():
            shutil.copyfile(Path(folder) / source, DOCS / target)
        with timed("pictures that no script draws"):
            save_figure(draw_certainty(load_run(Path(folder) / "train")), DOCS / "certainty.png")
            save_figure(draw_scaling(DOCS / "study_truth.csv"), DOCS / "study_truth.png")
        with timed("ReLU against Tanh, five seeds each"):
            compared = compare_tanh(Path(folder) / "project")
    eight_lines = re.search("measured on labels.*?\\nafter [^\\n]*", printed["train"], re.S)[0]
    fill(ROOT / "README.md", "train.py", eight_lines)
    fill(ROOT / "README.md", "compare.py", compared)
    understood = printed["digits"].partition("\ncheck")[0].replace(folder + "/", "")
    fill(DOCS / "data.md", "train.py --data digits.csv", understood)
    fill(DOCS / "reading_probabilities.md", "evaluate.py", printed["evaluation"].partition("\nwritten")[0])


def save_digits(path):
    """scikit-learn's digits as the README writes them."""
    pixels, labels = load_digits(return_X_y=True)
    np.savetxt(path, np.column_stack([labels, pixels]), fmt="%d", delimiter=",")


def compare_tanh(copy):
    """What compare.py prints of the README's change of the network, made in a copy of the project."""
    for name in ("edge_demo", "scripts", "data"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    network = copy / "edge_demo" / "network.py"
    text = network.read_text(encoding="utf-8")
    tanh = re.search(r"class Tanh:.*?(?=```)", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)[0]
    for name in ("relu", "tanh"):
        run("train.py", "--seeds", "5", "--quiet", "--out", f"outputs/{name}", project=copy)
        network.write_text(f"{text.replace('ReLU()]', 'Tanh()]')}\n\n{tanh}", encoding="utf-8")
    return run("compare.py", "outputs/relu", "outputs/tanh", project=copy).partition("\nwritten")[0]


@contextmanager
def timed(what):
    started = time.perf_counter()
    yield
    print(f"{time.perf_counter() - started:5.1f} s  {what}", flush=True)


def run(script, *arguments, project=ROOT):
    """What a script prints, run in the project's folder or in that of a copy."""
    command = [sys.executable, f"scripts/{script}", *arguments]
    environment = os.environ | {"PYTHONPATH": str(project)}
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=project, env=environment
    ).stdout


def draw_certainty(run):
    return certainty(run.test.pixels, np.exp(run.log_posterior[:, 0]), run.test.class_names[0])


def draw_scaling(table):
    """The picture of study_truth.py, from its table."""
    rows = np.genfromtxt(table, delimiter=",", names=True)
    sizes, widths = (np.unique(rows[name]).astype(int) for name in ("train_size", "hidden"))
    grouping, calibration = (rows[name].reshape(len(sizes), len(widths), -1) for name in ("grouping", "calibration"))
    return scaling(sizes, widths, grouping, calibration)


def make_lesson(source):
    """Executes the cells of a part and writes them, with their outputs, as a notebook beside it; an error stops it."""
    import jupytext  # here, because pictures can be made without the extra [docs]
    from nbclient import NotebookClient

    notebook = jupytext.read(source, fmt="md:myst")
    notebook.nbformat_minor = 5  # the format in which cells have names
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # instead of random ones
        if "hide-input" in cell.metadata.get("tags", []):
            cell.metadata.jupyter = {"source_hidden": True}
    client = NotebookClient(notebook, kernel_name="python3", record_timing=False, coalesce_streams=True, timeout=300)
    client.resources = {"metadata": {"path": str(source.parent)}}
    client.execute(env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})  # more threads sum in another order

    notebook.metadata.language_info = {"name": "python"}  # not which version
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    complaints = [output["text"] for output in outputs if output.get("name") == "stderr"]
    if complaints:
        raise ValueError(f"{source.name} complains: {complaints}")
    jupytext.write(notebook, source.with_suffix(".ipynb"))


def fill(page, script, printed):
    """Puts what a script printed into the text block that follows the comment <!-- script --> in a page."""
    text = page.read_text(encoding="utf-8")
    block = rf"(<!-- {re.escape(script)} -->\n```text\n).*?```"
    page.write_text(
        re.sub(block, lambda found: f"{found[1]}{printed.rstrip()}\n```", text, flags=re.S), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
