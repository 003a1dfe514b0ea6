"""Makes what the README and the walkthrough show: pictures, printed output and numbers, from a run of the code itself.

docs/walkthrough.md holds its own sources. A ```python block is followed by a ```text block of what it prints; behind a
number, or a picture, stands a comment with the expression that gives it: 88 %<!--= 100 * p[0] -->.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

import cli

PICTURES = {  # file of a run, of the lesson or of a study -> file in docs/
    "run/01_dataset.png": "dataset.png",
    "run/04_logits_vs_probabilities.png": "logits_vs_probabilities.png",
    "run/05_example_patches.png": "example_patches.png",
    "run/07_hidden_weights.png": "hidden_weights.png",
    "run/10_reliability.png": "reliability.png",
    "run/11_probability_vs_truth.png": "probability_vs_truth.png",
    "lesson/softmax_pipeline.png": "softmax_pipeline.png",
    "lesson/softmax_steps.png": "softmax_steps.png",
    "study/overconfidence.png": "overconfidence.png",
    "study/surprises.png": "surprises.png",
}
COMPUTED = re.compile(
    r"```python\n(?P<code>.*?)```\n(?:```text\n.*?```\n)?"
    r"|(?P<shown>!\[[^]]*\]\((?P<picture>[^)]*)\)|(?P<number>−?\d[\d,]*(?:\.(?P<decimals>\d+))?)(?P<unit>(?: %)?))"
    r"<!--= (?P<expression>.*?) -->",
    re.DOTALL,
)


def main():
    cli.parser(__doc__).parse_args()
    docs, readme = cli.ROOT / "docs", cli.ROOT / "README.md"
    with tempfile.TemporaryDirectory() as folder:
        printed = script("train.py", "--out", f"{folder}/run")
        script("plot_softmax.py", "--out", f"{folder}/lesson")
        script("study_overconfidence.py", "--out", f"{folder}/study")
        for source, name in PICTURES.items():
            (docs / name).write_bytes((Path(folder) / source).read_bytes())
        script("animate.py", "--run", f"{folder}/run", "--out", docs / "training.gif")
        screenshot(Path(folder) / "run" / "explorer.html", docs / "explorer.png")
    text = readme.read_text(encoding="utf-8")
    shown = printed[: printed.index("\nwritten:")]
    readme.write_text(re.sub(r"```text\n.*?```", lambda _: f"```text\n{shown}```", text, flags=re.S), encoding="utf-8")

    from edge_demo.figures.style import save_figure

    os.chdir(cli.ROOT)
    text, figures, _ = computed((docs / "walkthrough.md").read_text(encoding="utf-8"))
    (docs / "walkthrough.md").write_text(text, encoding="utf-8")
    for name, figure in figures.items():
        save_figure(figure, docs / name)


def script(name, *arguments):
    command = [sys.executable, cli.ROOT / "scripts" / name, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=cli.ROOT).stdout


def screenshot(page, picture, width=1280, height=940):
    """The explorer as Debian's chromium shows it; without chromium the picture stays as it is."""
    if shutil.which("chromium") is None:
        cli.say(f"{cli.shown(picture)} stays as it is: apt-get install chromium to have it made")
        return
    with tempfile.TemporaryDirectory() as profile:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
        flags += [f"--window-size={width},{height}", "--virtual-time-budget=3000", f"--screenshot={profile}/page.png"]
        subprocess.run(["chromium", *flags, page.as_uri()], check=True, stderr=subprocess.DEVNULL)
        picture.write_bytes(Path(f"{profile}/page.png").read_bytes())


def computed(text):
    """Runs the text's blocks and expressions, in order, in one namespace.

    Returns the text with what they gave, a dict from picture to Figure, and the namespace.
    """
    names, figures = {}, {}

    def run(found):
        if found["code"] is not None:
            with redirect_stdout(io.StringIO()) as printed:
                exec(found["code"], names)
            output = f"```text\n{printed.getvalue()}```\n" if printed.getvalue() else ""
            return f"```python\n{found['code']}```\n{output}"
        expression, comment = found["expression"], f"<!--= {found['expression']} -->"
        if found["picture"]:
            module = expression.partition("(")[0]  # a figure's function has the name of its module
            drawing = {module: getattr(import_module(f"edge_demo.figures.{module}"), module)}
            figures[found["picture"]] = eval(expression, names | drawing)
            return found["shown"] + comment
        number = f"{eval(expression, names):,.{len(found['decimals'] or '')}f}".replace("-", "−")
        return number + found["unit"] + comment

    return COMPUTED.sub(run, text), figures, names


if __name__ == "__main__":
    cli.run(main)
