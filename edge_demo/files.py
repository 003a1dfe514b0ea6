"""Files: written whole or not at all, and read without running anything that is in them."""

import csv
import os
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np


@contextmanager
def replacing(path, mode="w"):
    """Opens a new file that takes the place of path when the block ends; after an error path is as it was."""
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    try:
        with open(unfinished, mode, **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_rows(path, header, rows):
    """Writes a CSV file; floats in full precision, None as an empty cell."""
    with replacing(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def save_arrays(path, arrays):
    """Writes a dict of arrays to an .npz file; the same arrays give the same bytes."""
    with replacing(path, "wb") as file:
        np.savez(file, **arrays)


def load_arrays(path):
    """A dict of the arrays in an .npz file. Raises ValueError for any other file, and for one that holds objects."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, EOFError, AttributeError, zipfile.BadZipFile):
        raise ValueError(f"{path} is not a whole .npz file of plain arrays") from None
