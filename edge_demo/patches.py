"""Patches: small images with their classes, in memory and in the CSV files of a dataset folder.

A folder holds train.csv and test.csv, and generator.json if the patches were made by PatchGenerator.
Columns: label, kind (may be missing), then one a pixel, p00, p01, … row by row.
"""

import csv
import math
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge_demo.files import open_file, replacing

CLASS_NAMES = ("Edge", "No Edge")
KIND_NAMES = ("vertical", "horizontal", "diagonal", "antidiagonal", "flat", "ramp", "speck")
MOST_CLASSES = 50  # more than a figure can show
LONGEST_LINE, LONGEST_NAME = 1_000_000, 200  # characters
LARGEST_PIXEL = 1e9  # of either sign, so that no product with a weight overflows
EDGE_KINDS = 4  # the first four kinds are edges


@dataclass
class Patches:
    """n square images with their labels.

    pixels: (n, side * side) float64, row by row. labels: (n,) int64, indexes into class_names.
    kinds: (n,) int64, indexes into KIND_NAMES, or None where they are not known.
    """

    pixels: np.ndarray
    labels: np.ndarray
    kinds: np.ndarray | None = None
    class_names: tuple = CLASS_NAMES

    def __post_init__(self):
        self.pixels = np.asarray(self.pixels, dtype=np.float64)
        self.labels = _indexes("labels", self.labels, self.pixels, self.class_names)
        if self.kinds is not None:
            self.kinds = _indexes("kinds", self.kinds, self.pixels, KIND_NAMES)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        """The patches of an index array, a mask or a slice."""
        kinds = None if self.kinds is None else self.kinds[index]
        return Patches(self.pixels[index], self.labels[index], kinds, self.class_names)

    @property
    def side(self):
        """Rows, and columns, of each image. Raises ValueError where the images are not square."""
        side = math.isqrt(self.pixels.shape[1])
        if side * side != self.pixels.shape[1]:
            raise ValueError(f"images of {self.pixels.shape[1]} pixels are not square")
        return side

    def with_kind_labels(self):
        """The same patches with their kind as the label: seven classes in place of two."""
        if self.kinds is None:
            raise ValueError("these patches have no kinds: their files lack the kind column")
        return Patches(self.pixels, self.kinds, self.kinds, KIND_NAMES)


@dataclass
class Dataset:
    """What a dataset folder holds; generator is None where it has no generator.json."""

    train: Patches
    test: Patches
    generator: object


def load_dataset(folder):
    """Reads train.csv, test.csv and, where there is one, generator.json. Raises ValueError or OSError."""
    from edge_demo.generator import PatchGenerator  # here, because generator.py itself needs Patches

    folder = Path(folder)
    train = read_csv(folder / "train.csv")
    found = len(np.unique(train.labels))
    if not 2 <= found <= MOST_CLASSES:
        raise ValueError(
            f"{folder / 'train.csv'}: its labels name {found} classes; 2 to {MOST_CLASSES} can be learned here"
        )
    test = read_csv(folder / "test.csv", class_names=train.class_names)
    if len(test) < 2:
        raise ValueError(f"{folder / 'test.csv'} holds 1 patch, but 2 are needed: to fit a temperature, and to test it")
    if test.side != train.side:
        raise ValueError(
            f"{folder / 'test.csv'} has images of {test.side}×{test.side} pixels, "
            f"but train.csv of {train.side}×{train.side}: they must be the same"
        )
    settings = folder / "generator.json"
    return Dataset(train, test, PatchGenerator.from_json(settings) if settings.exists() else None)


def read_csv(path, class_names=None):
    """Patches from a CSV file. Raises ValueError that names the line and the column, or OSError.

    class_names: the classes that labels may name, in order; by default those found in the file
    (Edge and No Edge in that order, any others sorted).
    """
    with open_text(path) as file:
        blocks = list(read_blocks(file, path, labelled=True))
    if not blocks:
        raise ValueError(f"{path} holds no patches below its header")
    names, lines = blocks[0].cells.keys(), np.concatenate([block.lines for block in blocks])
    cells = {name: [cell for block in blocks for cell in block.cells[name]] for name in names}
    if class_names is None:
        class_names = _found_classes(cells["label"])
    labels = _named("label", path, lines, cells["label"], class_names)
    kinds = _named("kind", path, lines, cells["kind"], KIND_NAMES) if "kind" in cells else None
    return Patches(np.concatenate([block.pixels for block in blocks]), labels, kinds, class_names)


def open_text(path):
    """Opens a CSV file for read_blocks. What is not UTF-8 becomes surrogates, by which the line is found."""
    return open_file(path, encoding="utf-8-sig", errors="surrogateescape", newline="")


class Block(NamedTuple):
    """Some rows of a CSV file: cells of its columns label and kind, pixels (n, side * side), and line numbers."""

    cells: dict
    pixels: np.ndarray
    lines: np.ndarray


def read_blocks(file, name, size=4096, labelled=False):
    """Yields the rows of an open text file as Blocks of so many rows at most, so that a file may be larger than memory.

    The column kind may be missing, and label unless labelled. name: what errors call the file. Raises ValueError.
    """
    rows = _rows(file, name)
    _, header = next(rows, (1, []))
    header = _cells(header)
    leading = _leading_columns(name, header, labelled)
    while True:
        block = _read_block(name, rows, header, leading, size)
        if len(block.lines):
            yield block
        if len(block.lines) < size:
            return


def _rows(file, name):
    """Yields (line number, row) of each line that is not empty: see _cells.

    A line without a quotation mark is a row as it is; from the first mark on csv.reader, which is slower, takes over,
    because a quoted cell may hold commas and line ends: then a row is a list of cells.
    """
    lines = _lines(file, name)
    for number, line in enumerate(lines, start=1):
        if '"' in line:
            break
        if line := line.rstrip("\r\n"):
            yield number, line
    else:
        return
    rows = csv.reader(chain([line], lines), strict=True)
    try:
        for row in rows:
            if row:
                yield number - 1 + rows.line_num, row
    except csv.Error as error:
        raise ValueError(f"{name}, line {number - 1 + rows.line_num}: {error}") from None


def _cells(row):
    return row.split(",") if isinstance(row, str) else row


def _lines(file, name):
    """The lines of a text file, each of them short enough for memory, and text."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise ValueError(f"{name}, line {number}: longer than {LONGEST_LINE:,} characters: is this a CSV file?")
        if "\0" in line or not line.isascii():
            _check_text(name, number, line)
        yield line


def _check_text(name, number, line):
    for i, character in enumerate(line, start=1):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            what = "a zero byte" if character == "\0" else f"byte 0x{ord(character) & 0xFF:02x}"
            raise ValueError(
                f"{name}, line {number}, character {i}: {what} is not UTF-8 text: save the file as CSV UTF-8"
            )


def _read_block(name, rows, header, leading, size):
    """The next rows, read and checked all at once; only where that fails, cell by cell to find the mistake."""
    lines, found = [], []
    try:
        for line, row in islice(rows, size):
            lines.append(line)
            found.append(row)
    except ValueError:
        _check_rows(name, lines, found, header, leading)  # a mistake further up is named first
        raise
    if not found:
        return Block({}, np.empty((0, 0)), np.empty(0))
    try:
        rows, pixels = _parsed(found, len(leading), len(header) - len(leading))
        cells = {column: [row[i] for row in rows] for i, column in enumerate(leading)}
        names = {cell for column in cells.values() for cell in column}
        if not all(cell and cell == cell.strip() and len(cell) <= LONGEST_NAME for cell in names):
            raise ValueError
        if not (np.abs(pixels) <= LARGEST_PIXEL).all():
            raise ValueError
    except ValueError:
        _check_rows(name, lines, found, header, leading)
        raise
    return Block(cells, pixels, np.array(lines))


def _parsed(found, first, width):
    """Lists that begin with a row's leading cells, and pixels (n, width). Raises ValueError where a row has others."""
    try:
        rows = [row.split(",", first) for row in found]
        texts = [row[first] for row in rows]
        if "" in texts:  # which np.loadtxt would skip
            raise ValueError
        pixels = np.loadtxt(texts, delimiter=",", comments=None, ndmin=2)
    except (ValueError, LookupError, AttributeError):  # a mistake, quoted cells, or digits of another script
        rows = [_cells(row) for row in found]
        if not all(len(row) == first + width and "_" not in "".join(row[first:]) for row in rows):
            raise ValueError from None  # _ because float would read 1_0 as 10
        pixels = np.array([[float(cell) for cell in row[first:]] for row in rows])
    if pixels.shape != (len(found), width):
        raise ValueError
    return rows, pixels


def _check_rows(name, lines, found, header, leading):
    """Raises ValueError that names the line and the column of the first mistake."""
    for line, row in zip(lines, map(_cells, found), strict=True):
        if len(row) != len(header):
            raise ValueError(f"{name}, line {line}: {len(row)} cells, but the header has {len(header)}")
        for column, cell in zip(leading, row, strict=False):
            if not cell or cell != cell.strip() or len(cell) > LONGEST_NAME:
                raise ValueError(
                    f"{name}, line {line}, column {column}: {cell[:40]!r} is empty, has spaces around it, "
                    f"or more than {LONGEST_NAME} characters"
                )
        for column, cell in zip(header[len(leading) :], row[len(leading) :], strict=True):
            if not _is_pixel(cell):
                shown = repr(cell[:40])
                raise ValueError(
                    f"{name}, line {line}, column {column}: {shown} is not a pixel, a finite number within ±1e9"
                )


def _is_pixel(cell):
    try:
        return "_" not in cell and abs(float(cell)) <= LARGEST_PIXEL
    except ValueError:
        return False


def write_csv(path, patches):
    """Writes patches with four decimals a pixel; the kind column is left out where kinds are not known."""
    pixel_format = ",%.4f" * patches.pixels.shape[1]
    named = [patches.class_names] if patches.kinds is None else [patches.class_names, KIND_NAMES]
    indexes = [patches.labels] if patches.kinds is None else [patches.labels, patches.kinds]
    columns = [[_quoted(names[i]) for i in index] for names, index in zip(named, indexes, strict=True)]
    with replacing(path) as file:
        file.write(",".join(["label", "kind"][: len(columns)] + pixel_names(patches.side)) + "\n")
        for *names, pixels in zip(*columns, patches.pixels, strict=True):
            file.write(",".join(names) + pixel_format % tuple(pixels) + "\n")


def pixel_names(side):
    """Column names row by row: p00 … p44 for a side of 5, p0000 … p2727 for 28."""
    digits = len(str(side - 1))
    return [f"p{row:0{digits}}{column:0{digits}}" for row in range(side) for column in range(side)]


def _leading_columns(name, header, labelled):
    """The columns before the pixels: some of label, kind, in this order."""
    leading = [column for column in ("label", "kind") if column in header[:2] or (labelled and column == "label")]
    side = math.isqrt(max(1, len(header) - len(leading)))
    expected = leading + pixel_names(side)
    others = [leading + names for names in _other_pixel_names(side)]
    if header != expected and header not in others:
        found = f"{len(header)} columns"
        for position, (column, right) in enumerate(zip(header, expected, strict=False), start=1):
            if column != right:
                found = f"column {position} is {column[:40]!r} where {right!r} was expected"
                break
        raise ValueError(
            f"{name}, line 1: {found}; the header must be label, kind (may be missing), then a column for each "
            f"pixel of a square image, row by row: p00, p01, … (p00 to p44 for 5×5)"
        )
    return leading


def _other_pixel_names(side):
    """Other namings in the same order, read but never written: rows and columns of two digits, or as short as they are
    (p010 for row 0, column 10), or pixels counted through (p00 to p63 for 8×8).
    """
    places = [(row, column) for row in range(side) for column in range(side)]
    two_digits = [f"p{row:02}{column:02}" for row, column in places]
    shortest = [f"p{row}{column}" for row, column in places]
    return [two_digits, shortest, [f"p{i:02}" for i in range(side * side)]]


def _found_classes(labels):
    found = set(labels)
    if found <= set(CLASS_NAMES):
        return CLASS_NAMES
    if all(name.isdecimal() for name in found):
        return tuple(sorted(found, key=int))
    return tuple(sorted(found))


def _named(column, path, lines, names, known):
    """Indexes of names in known, (n,) int64."""
    index = {name: i for i, name in enumerate(known)}
    try:
        return np.array([index[name] for name in names], dtype=np.int64)
    except KeyError:
        line, name = next((line, name) for line, name in zip(lines, names, strict=True) if name not in index)
        shown = ", ".join(known[:7]) + (", …" if len(known) > 7 else "")
        raise ValueError(f"{path}, line {line}: {column} {name!r} is none of {shown}") from None


def _quoted(name):
    """name as a CSV cell."""
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',"\r\n') else name


def _indexes(what, values, pixels, names):
    values = np.asarray(values)
    if pixels.ndim != 2 or values.shape != (len(pixels),):
        raise ValueError(f"pixels must be (n, pixels) and {what} (n,), not {pixels.shape} and {values.shape}")
    if len(values) and (values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= len(names)):
        raise ValueError(f"{what} must be whole numbers from 0 to {len(names) - 1}: {', '.join(names)}")
    return values.astype(np.int64)
