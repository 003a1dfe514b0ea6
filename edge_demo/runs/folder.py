"""Files and folders, written whole or not at all, and read without running anything that is in them.

What is new is written beside its target under a hidden name, and takes its place by a rename. Of two processes that
write the same target at once, the last one wins.
"""

import csv
import errno
import glob
import io
import json
import os
import secrets
import shutil
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

ABANDONED = 3600  # seconds after which a hidden folder that nobody has touched was left by a process that died


@contextmanager
def replacing_folder(target, names):
    """Yields an empty folder that takes target's place when the block ends; after an error all is as it was.

    names: the files that such a folder may hold; errors as for check_replaceable.
    """
    target = Path(os.path.realpath(target))
    check_replaceable(target, names)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = _hidden(target, "new")
    try:
        new.mkdir()
        yield new
        for entry in _entries(target):
            if _is_ignored(entry):
                shutil.copy2(entry, new)
        _take_place(new, target)
    except BaseException as error:
        shutil.rmtree(new, ignore_errors=True)
        if isinstance(error, OSError) and error.errno:
            error.filename, error.filename2 = str(target), None  # the name that the user knows
        raise


def check_replaceable(target, names):
    """Raises ValueError where replacing_folder would destroy, or could not replace, what is at target."""
    restore(target)
    path = Path(os.path.realpath(target))
    if path.is_file():
        raise ValueError(f"{target} is a file: name a folder")
    if Path.cwd().is_relative_to(path):
        raise ValueError(f"{target} is the folder you work in, and cannot be replaced: name another, or work elsewhere")
    there = next(folder for folder in path.parents if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise ValueError(
            f"{target} cannot be written, because {there} is {'read-only' if there.is_dir() else 'a file'}"
        )
    if _is_read_only(path):
        raise ValueError(f"{target} cannot be written, because it is read-only")
    strange = [entry.name for entry in _entries(path) if not _is_ours(entry, names)]
    if strange:
        raise ValueError(f"{target} holds {min(strange)}, which is not written there: name a new or an empty folder")


def restore(target):
    """Puts right what a process that died left beside a folder: the former one comes back where it is away."""
    target = Path(os.path.realpath(target))
    formers = _beside(target, "former")
    if formers and not target.exists():
        with suppress(OSError):  # another process has just put it, or its own, in place
            formers[-1].rename(target)
    for left in [*_beside(target, "former"), *_beside(target, "new"), *_beside(target, "old")]:
        if time.time() - _changed(left) > ABANDONED:
            shutil.rmtree(left, ignore_errors=True)


def _take_place(new, target):
    former, old = _hidden(target, "former"), _hidden(target, "old")
    while True:
        with suppress(FileNotFoundError):  # there is none, or another process has just moved it aside
            target.rename(former)  # a process that dies here leaves no target: see restore
        try:
            new.rename(target)
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            _delete(former, old)  # another process was quicker by an instant, and is replaced in turn
    _delete(former, old)


def _delete(former, old):
    """Under another name, so that what is half deleted is never put back."""
    with suppress(FileNotFoundError):
        former.rename(old)
        shutil.rmtree(old, ignore_errors=True)  # what is new is in place: what cannot be deleted is no reason to fail


def _beside(target, what):
    """Hidden folders of any process, the one that was changed last at the end."""
    return sorted(target.parent.glob(f".{glob.escape(target.name)}.{what}-*"), key=_changed)


def _changed(folder):
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:  # by now its process has put it in place
        return time.time()


def _hidden(path, what):
    return path.with_name(f".{path.name}.{what}-{secrets.token_hex(4)}")  # a process number can come again


def _entries(folder):
    try:
        return list(folder.iterdir())
    except FileNotFoundError:  # it is not there, or another process has just moved it aside
        return []


def _is_read_only(folder):
    with suppress(FileNotFoundError):
        found = folder.stat()
        return not os.access(folder, os.W_OK) and os.path.samestat(found, folder.stat())  # not just moved aside
    return False


def _is_ours(entry, names):
    return (entry.name in names and not entry.is_dir()) or _is_ignored(entry)


def _is_ignored(entry):
    """A file that systems and editors leave in folders: it is no reason to refuse, and it stays."""
    return entry.is_file() and (entry.name.startswith(".") or entry.name == "Thumbs.db")


def open_file(path, mode="r", **options):
    """open() for reading, of files only: a folder, a device or a pipe raises ValueError, and does not block."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError(f"{path} is no file, but a folder, a device or a pipe: name a file")
    return open(path, mode, **options)


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


def save_arrays(path, arrays):
    """Writes a dict of arrays to an .npz file; the same arrays give the same bytes."""
    archive = io.BytesIO()  # in memory first: a full disk in the middle of np.savez leaves a noise on standard error
    np.savez(archive, **arrays)
    with open(path, "wb") as file:
        file.write(archive.getbuffer())


def load_arrays(path):
    """A dict of the arrays in an .npz file. Raises ValueError for other files, and for arrays that hold no numbers."""
    with open_file(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                if any(member.compress_type for member in archive.zip.infolist()):
                    raise ValueError("compressed: a small file could fill the memory")
                arrays = {name: archive[name] for name in archive.files}
        except Exception as error:  # a damaged archive fails in a dozen ways
            raise ValueError(f"{path} is not a whole .npz file of plain arrays") from error
    if not all(array.dtype.kind in "biuf" for array in arrays.values()):
        raise ValueError(f"{path} holds arrays of something else than numbers")
    return arrays
