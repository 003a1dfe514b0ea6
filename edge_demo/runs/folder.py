"""A folder that is written whole, and the plain files in it.

What is new is written beside its target as .NAME.new, the former one is renamed to .NAME.old, the new one takes its
place, and the old one is deleted. Where a process was killed in between, the next one that writes there puts it right.
"""

import csv
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from edge_demo.datasets.patches import InputError


@contextmanager
def replacing_folder(target, names):
    """Yields an empty folder that takes target's place when the block ends; after an error all is as it was.

    names: the files that such a folder may hold; errors as for check_replaceable.
    """
    check_replaceable(target, names)
    target, new, old = _places(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    new.mkdir()
    try:
        yield new
        if target.exists():
            for entry in filter(_is_ignored, target.iterdir()):
                shutil.copy2(entry, new)
            target.rename(old)
        new.rename(target)
    finally:
        put_right(target)


def put_right(target):
    """Clears what a process that ended too early left beside target; the former folder comes back where it is away."""
    target, new, old = _places(target)
    if old.exists() and not target.exists():
        old.rename(target)
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)


def check_replaceable(target, names):
    """Raises InputError where target holds what the demo did not write, or cannot be renamed.

    names: the files that it may hold, itself and in folders named by a seed.
    """
    put_right(target)
    path, _, _ = _places(target)
    if path.is_file():
        raise InputError(f"{target} is a file: name a folder")
    if os.path.ismount(path):
        raise InputError(f"{target} is a mount point, which cannot be replaced: name a folder inside it")
    if Path.cwd().is_relative_to(path):
        raise InputError(f"{target} is the folder you work in, which cannot be replaced: name another")
    strange = sorted(_strange(path, names)) if path.exists() else []
    if strange:
        raise InputError(f"{target} holds {strange[0]}, which is not written there: name a new or an empty folder")


def _places(target):
    """The folder itself, behind any link, and the two names beside it."""
    target = Path(target).resolve()
    return target, target.parent / f".{target.name}.new", target.parent / f".{target.name}.old"


def _strange(folder, names):
    """Names of what is in a folder and not among names."""
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name.isdecimal():
            yield from (f"{entry.name}/{name}" for name in _strange(entry, names))
        elif entry.is_dir() or not (entry.name in names or _is_ignored(entry)):
            yield entry.name


def _is_ignored(entry):
    """A file that systems and editors leave in folders: it is no reason to refuse, and it stays."""
    return entry.is_file() and (entry.name.startswith(".") or entry.name == "Thumbs.db")


def write_rows(path, header, rows):
    """Writes a CSV file; floats in full precision, None as an empty cell."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_json(path, data):
    """Writes a JSON file. Raises ValueError for infinities and NaN, which JSON has not."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        json.dump(data, file, indent=2, allow_nan=False)
        file.write("\n")


def load_arrays(path):
    """A dict of the arrays in an .npz file. Raises InputError where there are none, or not of numbers; or OSError."""
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: np.asarray(archive[name]) for name in archive.files}
        except Exception as error:  # a damaged archive fails in a dozen ways
            raise InputError(f"{path} is not a whole .npz file of plain arrays") from error
    if not all(array.dtype.kind in "biuf" for array in arrays.values()):
        raise InputError(f"{path} holds arrays of something else than numbers")
    return arrays
