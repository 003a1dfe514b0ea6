"""Files: whole or not at all, exact, and never run."""

import csv
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edge_demo.files import load_arrays, replacing, save_arrays, write_rows


def stop_halfway(path, error):
    with replacing(path) as file:
        file.write("half of the new")
        file.flush()
        raise error("halfway")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("old", [None, "what was there"])
def test_an_interrupted_write_leaves_the_folder_as_it_was(tmp_path, error, old):
    path = tmp_path / "file.txt"
    if old:
        path.write_text(old)
    with pytest.raises(error, match="halfway"):
        stop_halfway(path, error)
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ([old] if old else [])


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with replacing(path) as file:
        file.write("new\n")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_bytes() == b"new\n"
    assert list(tmp_path.iterdir()) == [path]


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
