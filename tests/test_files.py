"""Files and folders: whole or not at all, exact, never run, and nothing of anybody else's is lost."""

import csv
import io
import os
import pickle
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import listing

from edge_demo.runs.folder import (
    check_replaceable,
    load_arrays,
    replacing,
    replacing_folder,
    restore,
    save_arrays,
    write_rows,
)

NAMES = ("a.txt", "b.txt")


def write(target, text, halfway=None):
    with replacing_folder(target, NAMES) as new:
        for name in NAMES:
            (new / name).write_text(text)
            if halfway:
                raise halfway("halfway")


def write_file(path, text, halfway):
    with replacing(path) as file:
        file.write(text)
        file.flush()
        raise halfway("halfway")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("old", [None, "what was there"])
def test_an_interrupted_write_leaves_everything_as_it_was(tmp_path, error, old):
    if old:
        (tmp_path / "file.txt").write_text(old)
        write(tmp_path / "folder", old)
    before = listing(tmp_path)
    for interrupted, path in ((write_file, "file.txt"), (write, "folder")):
        with pytest.raises(error, match="halfway"):
            interrupted(tmp_path / path, "half of the new", halfway=error)
    assert listing(tmp_path) == before


def test_what_is_there_stays_until_the_new_is_whole(tmp_path):
    (tmp_path / "file.txt").write_text("old")
    write(tmp_path / "folder", "old")
    with replacing(tmp_path / "file.txt") as file, replacing_folder(tmp_path / "folder", NAMES) as new:
        file.write("new\n")
        file.flush()
        (new / "a.txt").write_text("new")
        assert (tmp_path / "file.txt").read_text() == (tmp_path / "folder" / "a.txt").read_text() == "old"
    assert listing(tmp_path) == {"file.txt": b"new\n", "folder": None, "folder/a.txt": b"new"}


def test_text_is_utf_8_and_bytes_are_bytes(tmp_path):
    with replacing(tmp_path / "text") as file:
        file.write("5×5\n")
    with replacing(str(tmp_path / "bytes"), "wb") as file:
        file.write(b"\r\n\x00")
    assert (tmp_path / "text").read_bytes() == "5×5\n".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\r\n\x00"


def test_a_missing_folder_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "missing" / "file.txt"):
        pass
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------------------------ folders

STRANGE = {
    "another name": lambda folder: (folder / "thesis.tex").write_text("years of work"),
    "a folder": lambda folder: (folder / "chapter").mkdir(),
    "a hidden folder": lambda folder: (folder / ".git").mkdir(),
    "a folder of our name": lambda folder: (folder / "a.txt").mkdir(),
}


@pytest.mark.parametrize("put", STRANGE.values(), ids=STRANGE)
def test_a_folder_of_anything_strange_is_refused_by_its_name_and_left_alone(tmp_path, put):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "b.txt").write_text("ours")
    put(tmp_path / "run")
    before = listing(tmp_path)
    (strange,) = {*os.listdir(tmp_path / "run")} - {"b.txt"}
    for refused in (check_replaceable, lambda target, _: write(target, "new")):
        with pytest.raises(ValueError, match=f"run holds {strange}.*name a new or an empty folder"):
            refused(tmp_path / "run", NAMES)
    assert listing(tmp_path) == before


def test_what_systems_leave_in_folders_is_no_reason_to_refuse_and_stays(tmp_path):
    write(tmp_path / "run", "old")
    for name in (".DS_Store", "Thumbs.db"):
        (tmp_path / "run" / name).write_text(name)
    write(tmp_path / "run", "new")
    expected = {"a.txt": b"new", "b.txt": b"new", ".DS_Store": b".DS_Store", "Thumbs.db": b"Thumbs.db"}
    assert listing(tmp_path / "run") == expected


def test_a_file_in_the_way_and_the_folder_of_work_are_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "here" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" / "below")
    before = listing(tmp_path)
    for target, words in (
        (tmp_path / "file", "is a file"),
        (tmp_path / "file" / "below" / "run", "is a file"),
        (tmp_path / "here", "the folder you work in"),
        (Path(), "the folder you work in"),
    ):
        with pytest.raises(ValueError, match=words):
            write(target, "new")
    assert listing(tmp_path) == before


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    write(tmp_path / "run", "old")
    (tmp_path / "link").symlink_to("run")
    write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "run" / "a.txt").read_text() == "new"


def kill(*arguments):
    """What killing.py counts."""
    command = [sys.executable, str(Path(__file__).with_name("killing.py")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a process that it has forked")


@forks
def test_a_writer_killed_before_any_of_its_steps_leaves_a_whole_folder(tmp_path):
    assert kill("steps", tmp_path) > 50


@forks
def test_of_two_writers_at_once_the_last_one_wins_whole(tmp_path):
    assert kill("race", tmp_path) == 200


def test_of_two_writers_in_one_process_the_last_one_wins_whole(tmp_path):
    with replacing_folder(tmp_path / "run", ["a.txt"]) as first:
        (first / "a.txt").write_text("first")
        with replacing_folder(tmp_path / "run", ["a.txt"]) as second:
            (second / "a.txt").write_text("second")
    assert listing(tmp_path) == {"run": None, "run/a.txt": b"first"}


@forks
def test_train_killed_at_random_moments_leaves_a_whole_run(few, tmp_path):
    assert kill("moments", tmp_path, few) > 0  # about half of thirty


@pytest.mark.parametrize("name", ["run", "[run]*?"])
def test_what_killed_processes_left_is_put_back_where_it_is_missing_and_else_deleted_in_time(tmp_path, name):
    target = tmp_path / name
    for i, (text, what) in enumerate(
        [("half", "old-7"), ("half", "new-8"), ("older", "former-9"), ("last", "former-10")]
    ):
        left = tmp_path / f".{name}.{what}"
        left.mkdir()
        (left / "a.txt").write_text(text)
        os.utime(left, (time.time() + i, time.time() + i))
    restore(target)
    assert (target / "a.txt").read_text() == "last"
    assert len(os.listdir(tmp_path)) == 4  # the others may still be somebody's
    for left in tmp_path.iterdir():
        os.utime(left, (0, 0))
    restore(target)
    assert os.listdir(tmp_path) == [name]


# ------------------------------------------------------------------------------------------------ rows and arrays


def test_rows_come_back_exactly(tmp_path):
    numbers = [0.1, 1 / 3, -1e-300, np.float64(2 / 3), 5e-324, 12]
    rows = [[number, None, f"No Edge, {i}", 'a "quoted"\nname'] for i, number in enumerate(numbers)]
    write_rows(tmp_path / "rows.csv", ["number", "nothing", "name", "other"], iter(rows))
    text = (tmp_path / "rows.csv").read_bytes().decode()
    assert "\r" not in text
    header, *found = csv.reader(io.StringIO(text, newline=""))
    assert header == ["number", "nothing", "name", "other"]
    assert [float(row[0]) for row in found] == numbers
    assert [row[1:] for row in found] == [["", *row[2:]] for row in rows]


def test_arrays_come_back_exactly_and_give_the_same_bytes(tmp_path):
    arrays = {"second": np.random.default_rng(0).normal(size=(3, 2)), "first": np.arange(4), "empty": np.zeros((0, 2))}
    for name in ("one.npz", "two.npz"):
        save_arrays(tmp_path / name, arrays)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    found = load_arrays(tmp_path / "one.npz")
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def zipped(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return bytearray(file.getvalue())


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def damaged():
    """An archive whose compressed content does not decompress."""
    content = zipped("layer0.npy", npy(np.arange(100.0)))
    content[50:60] = b"\xff" * 10
    return content


FOREIGN = {
    "empty": b"",
    "text": b"label,kind\n",
    "truncated": npz(a=np.ones((9, 9)))[:-200],
    "only_the_start": npz(a=np.ones((9, 9)))[:40],
    "one_array_npy": npy(np.ones((26, 2))),
    "objects": npz(a=np.array([{}], dtype=object)),
    "archive_of_text": zipped("readme.txt", "hello"),
    "archive_of_no_array": zipped("layer0.npy", "hello"),
    "damaged": damaged(),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_any_other_file_is_refused_by_its_name(tmp_path, content):
    path = tmp_path / "network.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"network\.npz"):
        load_arrays(path)
    path.unlink()  # not held open


def test_a_missing_file_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.npz"):
        load_arrays(tmp_path / "missing.npz")


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_reading_never_runs_what_a_file_holds(tmp_path):
    path, made = tmp_path / "network.npz", tmp_path / "made"
    for content in (pickle.dumps(Bomb(made)), npz(a=np.array([Bomb(made)], dtype=object))):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"network\.npz"):
            load_arrays(path)
        assert not made.exists()
    with np.load(path, allow_pickle=True) as arrays:  # the bomb is a real one
        assert arrays["a"].shape == (1,)
    assert made.exists()
