"""Folders that are replaced whole: each is filled out of sight, and takes its place as the last act.

Beside a folder called name stand, while it is being written: .name.lock, held by the one process that may; .name.new,
which is being filled; and for an instant .name.former, which the new one has replaced. Whatever a killed process
leaves of these is put right by the next one: what belongs to nobody else is deleted, all else moves home.
"""

import ctypes
import errno
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

from edge_demo.files import claimed, sync_folder


@contextmanager
def replacing_folder(target, names, is_ours):
    """Yields an empty folder that takes target's place when the block ends; after an error all is as it was.

    names: the files that such a folder is made of. Anything else in target is kept: it moves into the new folder.
    is_ours(target): may what is there be replaced? Raises ValueError, before anything else happens, where it is
    not, or cannot be, and Busy where another process is writing the same folder.
    """
    shown, target = target, Path(os.path.realpath(target))
    _check(shown, target)
    with _named(shown, target), _parents(target.parent), locked(shown):
        _put_right(target, names)
        if target.exists() and any(target.iterdir()) and not is_ours(target):
            raise ValueError(f"{shown} holds other things than what is written there: name a new or an empty folder")
        new = _hidden(target, "new")
        new.mkdir()
        try:
            yield new
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        try:
            _take_place(new, target)
        finally:
            _put_right(target, names)


@contextmanager
def locked(target):
    """While the block runs, no other process writes the folder target. Raises Busy where one does."""
    path = Path(os.path.realpath(target))
    with _named(target, path), claimed(_hidden(path, "lock"), target):
        yield


def restore(target):
    """Brings a folder back that is away because the process that was replacing it died between two steps."""
    path = Path(os.path.realpath(target))
    if not path.exists() and _hidden(path, "former").exists():
        with locked(target):
            _bring_back(path)


def _hidden(target, suffix):
    return target.with_name(f".{target.name}.{suffix}")


def _check(shown, target):
    if target.exists() and not target.is_dir():
        raise ValueError(f"{shown} is a file: name a folder")
    if target.name == "" or os.path.ismount(target):
        raise ValueError(f"{shown} is where a disk begins, and cannot be replaced: name a folder inside it")
    if Path.cwd().is_relative_to(target):
        raise ValueError(f"{shown} is the folder you work in, and cannot be replaced: name another, or work elsewhere")


@contextmanager
def _parents(folder):
    """Makes a folder and those above it, for a block that fills it; if it ends in an error, they go again."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for path in made:
            if path.exists() and not any(path.iterdir()):
                path.rmdir()
        raise


@contextmanager
def _named(shown, target):
    """Has the system's errors name what the user knows, not what is hidden beside it."""
    try:
        yield
    except OSError as error:
        place, prefix = Path(error.filename or ""), f".{target.name}."
        for hidden in (path for path in (place, *place.parents) if path.name.startswith(prefix)):
            raise ValueError(f"{Path(shown, place.relative_to(hidden))} cannot be written: {error.strerror}") from None
        raise


def _take_place(new, target):
    """new becomes target, and what was there .name.former: in one step where the system can, else in two."""
    sync_folder(new)
    former = _hidden(target, "former")
    if target.exists():
        if _exchange(new, target):
            new.rename(former)
        else:
            target.rename(former)  # a process that dies here leaves no target: see restore
            new.rename(target)
    else:
        new.rename(target)
    sync_folder(target.parent)


def _exchange(one, other):
    """Swaps the names of two folders in one step. False where system or disk cannot."""
    names = os.fsencode(one), os.fsencode(other)
    here, swap = -100, 2  # AT_FDCWD; RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = library.renamex_np(*names, swap)
        else:
            failed = library.renameat2(here, names[0], here, names[1], swap)
    except (AttributeError, TypeError, OSError):  # no such function, no such library
        return False
    if failed and ctypes.get_errno() not in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(other))
    return not failed


def _put_right(target, names):
    """Ends what a dead process, or an error, has left half done; called under the lock."""
    _bring_back(target)
    if not target.exists():
        shutil.rmtree(_hidden(target, "new"), ignore_errors=True)  # never finished
    own = {*names, *(f".{name}.part" for name in names)}
    for left in (_hidden(target, "former"), _hidden(target, "new")):
        entries = list(left.iterdir()) if left.exists() else []
        ours = [entry for entry in entries if entry.name in own and (entry.is_symlink() or not entry.is_dir())]
        for entry in entries:
            if entry not in ours:
                entry.rename(_free(target / entry.name))
        for entry in ours:
            entry.unlink()
        if left.exists():
            left.rmdir()


def _bring_back(target):
    if not target.exists() and _hidden(target, "former").exists():
        _hidden(target, "former").rename(target)


def _free(path):
    """path, or where something has that name already, the first of "path 2", "path 3", … that is free."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.name} {number}")
    return free
