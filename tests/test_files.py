"""Folders: whole or not at all, and nothing of anybody else's is lost; files: exact, and never run."""

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from conftest import listing

from edge_demo.datasets.patches import InputError
from edge_demo.runs.folder import check_replaceable, load_arrays, replacing_folder

NAMES = ("a.txt", "b.txt")


def write(target, text, halfway=None):
    with replacing_folder(target, NAMES) as new:
        for name in NAMES:
            (new / name).write_text(text)
            if halfway:
                raise halfway("halfway")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("old", [None, "what was there"])
def test_an_interrupted_write_leaves_everything_as_it_was(tmp_path, error, old):
    if old:
        write(tmp_path / "folder", old)
    before = listing(tmp_path)
    with pytest.raises(error, match="halfway"):
        write(tmp_path / "folder", "half of the new", halfway=error)
    assert listing(tmp_path) == before


def test_what_is_there_stays_until_the_new_is_whole(tmp_path):
    write(tmp_path / "folder", "old")
    with replacing_folder(tmp_path / "folder", NAMES) as new:
        (new / "a.txt").write_text("new")
        assert (tmp_path / "folder" / "a.txt").read_text() == "old"
    assert listing(tmp_path) == {"folder": None, "folder/a.txt": b"new"}


@pytest.mark.parametrize("left", [(".run.old",), (".run.old", ".run.new"), ("run", ".run.old"), ("run", ".run.new")])
def test_what_a_killed_process_left_is_put_right_by_the_next_that_writes_there(tmp_path, left):
    for name in left:  # a kill before, between and after the two renames
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    check_replaceable(tmp_path / "run", NAMES)
    assert listing(tmp_path) == {"run": None, "run/a.txt": left[0].encode()}


STRANGE = {
    "another name": lambda folder: (folder / "thesis.tex").write_text("years of work"),
    "a folder": lambda folder: (folder / "chapter").mkdir(),
    "a hidden folder": lambda folder: (folder / ".git").mkdir(),
    "a folder of our name": lambda folder: (folder / "a.txt").mkdir(),
    "in a folder of a seed": lambda folder: (folder / "7").mkdir() or (folder / "7" / "thesis.tex").write_text("work"),
}


@pytest.mark.parametrize("put", STRANGE.values(), ids=STRANGE)
def test_a_folder_of_anything_strange_is_refused_by_its_name_and_left_alone(tmp_path, put):
    (tmp_path / "run" / "0").mkdir(parents=True)
    for ours in ("b.txt", "0/a.txt"):
        (tmp_path / "run" / ours).write_text("ours")
    check_replaceable(tmp_path / "run", NAMES)
    put(tmp_path / "run")
    before = listing(tmp_path)
    with pytest.raises(InputError, match=r"run holds (thesis.tex|chapter|.git|a.txt|7/thesis.tex), which is not"):
        write(tmp_path / "run", "new")
    assert listing(tmp_path) == before


def test_what_systems_leave_in_folders_is_no_reason_to_refuse_and_stays(tmp_path):
    write(tmp_path / "run", "old")
    for name in (".DS_Store", "Thumbs.db"):
        (tmp_path / "run" / name).write_text(name)
    write(tmp_path / "run", "new")
    expected = {"a.txt": b"new", "b.txt": b"new", ".DS_Store": b".DS_Store", "Thumbs.db": b"Thumbs.db"}
    assert listing(tmp_path / "run") == expected


def test_a_file_a_mount_point_and_the_folder_of_work_are_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "here" / "below").mkdir(parents=True)
    (tmp_path / "volume").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path).name == "volume")
    monkeypatch.chdir(tmp_path / "here" / "below")
    before = listing(tmp_path)
    for target, words in (
        (tmp_path / "file", "is a file"),
        (tmp_path / "volume", "is a mount point.*name a folder inside it"),
        (tmp_path / "here", "the folder you work in"),
        (Path(), "the folder you work in"),
    ):
        with pytest.raises(InputError, match=words):
            write(target, "new")
    assert listing(tmp_path) == before
    write(tmp_path / "volume" / "inside", "new")


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    write(tmp_path / "run", "old")
    (tmp_path / "link").symlink_to("run")
    write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "run" / "a.txt").read_text() == "new"


# ------------------------------------------------------------------------------------------------ rows and arrays


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


FOREIGN = {
    "empty": lambda _: b"",
    "text": lambda _: b"label,kind\n",
    "truncated": lambda _: npz(a=np.ones((9, 9)))[:-200],
    "damaged": lambda _: npz(a=np.ones(99)).replace(np.ones(9).tobytes(), b"\xff" * 72),
    "texts": lambda _: npz(a=np.array(["hello"])),
    "a pickle": lambda made: pickle.dumps(Bomb(made)),
    "an array of objects": lambda made: npz(a=np.array([Bomb(made)], dtype=object)),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_any_other_file_than_one_of_plain_arrays_is_refused_by_its_name_and_not_run(tmp_path, content):
    path, made = tmp_path / "state.npz", tmp_path / "made"
    path.write_bytes(content(made))
    with pytest.raises(InputError, match=r"state\.npz"):
        load_arrays(path)
    assert not made.exists()
