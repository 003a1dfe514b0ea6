"""Files: written whole or not at all, and read without running anything that is in them."""

import csv
import os
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
    except OSError as error:
        error.filename = str(path)  # the name that the user knows
        raise
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
    """A dict of the arrays in an .npz file. Raises ValueError for other files, and for arrays that hold no numbers."""
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            if all(array.dtype.kind in "biuf" for array in arrays.values()):
                return arrays
        except Exception as error:  # a damaged archive fails in a dozen ways
            raise ValueError(f"{path} is not a whole .npz file of plain arrays") from error
    raise ValueError(f"{path} holds arrays of something else than numbers")


def save_blocks(path, blocks):
    """Writes a list of arrays, a network's layers, to an .npz file."""
    save_arrays(path, {f"layer{i}": block for i, block in enumerate(blocks)})


def load_blocks(path, blocks):
    """Fills blocks with what save_blocks wrote. Raises ValueError, naming both shapes, where they differ."""
    found = list(load_arrays(path).values())
    shapes, expected = [array.shape for array in found], [block.shape for block in blocks]
    if shapes != expected:
        raise ValueError(f"{path} holds layers of shapes {shapes}, but this network has {expected}")
    if not all(np.isfinite(array).all() for array in found):
        raise ValueError(f"{path} holds a weight that is not a finite number")
    for block, array in zip(blocks, found, strict=True):
        block[:] = array
