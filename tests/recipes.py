"""The recipes of docs/recipes.md, read as a person would: which block goes where."""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^In `([^`]+)`, (above|in place of) `(.+)`\n\n```python\n((?:.*\n)*?)```$", re.MULTILINE)


def recipes():
    """A dict from a recipe's title to its edits: (file, above or in place of, line, block)."""
    parts = (ROOT / "docs/recipes.md").read_text(encoding="utf-8").split("\n## ")[1:]
    return {part.split(":")[0].split("\n")[0]: BLOCK.findall(part) for part in parts}


def copy_of_the_project(folder, edits=()):
    """The project in a folder, with these edits."""
    for name in ("edge_demo", "scripts", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, where, line, block in edits:
        lines = (folder / name).read_text(encoding="utf-8").splitlines(keepends=True)
        (place,) = [i for i, text in enumerate(lines) if text.strip().startswith(line)]
        lines[place : place + (where == "in place of")] = [block]
        (folder / name).write_text("".join(lines), encoding="utf-8")
    return folder
