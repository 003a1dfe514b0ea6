"""Files: written whole or not at all, and read without running anything that is in them."""

import csv
import io
import os
import stat
from contextlib import contextmanager
from pathlib import Path

import numpy as np

try:
    import fcntl
except ImportError:  # Windows, which refuses by itself to delete a file that another process has open
    fcntl = None


class Busy(ValueError):
    """Another process is writing the same file or folder."""


@contextmanager
def claimed(path, what):
    """Yields a new file at path, open for writing bytes, that is this process's own until the block ends or it dies.

    What a killed process left there is taken over. Raises Busy, about the thing called what, where its owner lives.
    """
    while True:
        try:
            if fcntl is None:
                Path(path).unlink(missing_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except PermissionError:
            if fcntl is None and os.path.exists(path):
                raise _busy(what) from None
            raise
        with open(descriptor, "r+b") as file:
            try:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _busy(what) from None
            if not _is(path, file):  # its last owner has just moved or removed it
                continue
            try:
                file.truncate(0)
                yield file
            finally:
                if fcntl is None:
                    file.close()
                    Path(path).unlink(missing_ok=True)
                elif _is(path, file):
                    os.unlink(path)
            return


def _busy(what):
    return Busy(f"{what} is being written by another process: wait until that has ended, or choose another name")


def _is(path, file):
    """Is the open file still the one at path?"""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def replacing(path, mode="w"):
    """Opens a new file that takes the place of path when the block ends; after an error path is as it was."""
    path = Path(path)
    try:
        unfinished_path = path.with_name(f".{path.name}.part")
        with claimed(unfinished_path, path) as unfinished:
            text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
            with open(unfinished.fileno(), mode, closefd=False, **text) as file:
                yield file
            os.fsync(unfinished.fileno())
            if fcntl is None:
                unfinished.close()
            os.replace(unfinished_path, path)
    except OSError as error:
        error.filename, error.filename2 = str(path), None  # the name that the user knows
        raise


def sync_folder(folder):
    """Has the names in a folder written to the disk, as fsync does for the content of a file."""
    if fcntl is not None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_file(path, mode="r", **options):
    """open() for reading, of files only: a folder, a device or a pipe raises ValueError, and does not block."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError(f"{path} is no file, but a folder, a device or a pipe: name a file")
    return open(path, mode, **options)


def write_rows(path, header, rows):
    """Writes a CSV file; floats in full precision, None as an empty cell."""
    with replacing(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def save_arrays(path, arrays):
    """Writes a dict of arrays to an .npz file; the same arrays give the same bytes."""
    archive = io.BytesIO()  # in memory first: a full disk in the middle of np.savez leaves a noise on standard error
    np.savez(archive, **arrays)
    with replacing(path, "wb") as file:
        file.write(archive.getbuffer())


def load_arrays(path):
    """A dict of the arrays in an .npz file. Raises ValueError for other files, and for arrays that hold no numbers."""
    with open_file(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                if any(member.compress_type for member in archive.zip.infolist()):
                    raise ValueError("compressed: a small file could fill the memory")
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
