"""Makes what the README shows: the pictures in docs/ and the printed output, from a run of the scripts themselves."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cli

PICTURES = {  # file of a run or of the lesson -> file in docs/
    "run/01_dataset.png": "dataset.png",
    "run/04_logits_vs_probabilities.png": "logits_vs_probabilities.png",
    "run/05_example_patches.png": "example_patches.png",
    "run/07_hidden_weights.png": "hidden_weights.png",
    "lesson/softmax_steps.png": "softmax_steps.png",
}


def main():
    cli.parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        printed = script("train.py", "--out", f"{folder}/run")
        script("plot_softmax.py", "--out", f"{folder}/lesson")
        for source, name in PICTURES.items():
            (cli.ROOT / "docs" / name).write_bytes((Path(folder) / source).read_bytes())
    readme = cli.ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    shown = printed[: printed.index("\nwritten:")]
    readme.write_text(re.sub(r"```text\n.*?```", lambda _: f"```text\n{shown}```", text, flags=re.S), encoding="utf-8")


def script(name, *arguments):
    command = [sys.executable, cli.ROOT / "scripts" / name, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=cli.ROOT).stdout


if __name__ == "__main__":
    cli.run(main)
