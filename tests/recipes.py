"""The recipes of docs/recipes.md, read as a person would: which block goes where."""

import re
import shutil

from conftest import ROOT

BLOCK = re.compile(r"^In `([^`]+)`, (above|in place of) `(.+)`\n\n```python\n((?:.*\n)*?)```$", re.MULTILINE)


def recipes():
    """A dict from a recipe's title to its edits: (file, above or in place of, line, block)."""
    parts = (ROOT / "docs/recipes.md").read_text(encoding="utf-8").split("\n## ")[1:]
    return {re.split("[:\n]", part)[0]: BLOCK.findall(part) for part in parts}


def namespace(module):
    """What a module holds, together with the classes of all recipes for it."""
    names = dict(vars(module))
    for name, where, _, block in (edit for edits in recipes().values() for edit in edits):
        if name.endswith(f"/{module.__name__.rpartition('.')[2]}.py") and where == "above":
            exec(block, names)
    return names


def copy_of_the_project(folder, edits=()):
    """The project in a folder, with these edits."""
    for name in ("edge_demo", "scripts"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "data").symlink_to(ROOT / "data")
    for name, where, line, block in edits:
        lines = (folder / name).read_text(encoding="utf-8").splitlines(keepends=True)
        (place,) = [i for i, text in enumerate(lines) if text.strip().startswith(line)]
        lines[place : place + (where == "in place of")] = [block]
        (folder / name).write_text("".join(lines), encoding="utf-8")
    return folder
