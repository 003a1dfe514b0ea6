"""Dataset folders: train.csv and test.csv, and generator.json if the patches were made by PatchGenerator.

Columns: label, kind (may be missing), then one a pixel, p00, p01, … row by row. A file is read in one go; only where
that fails is it read once more, cell by cell, to name the line and the column of the mistake.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_demo.files import open_file, replacing
from edge_demo.generator import PatchGenerator
from edge_demo.patches import CLASS_NAMES, KIND_NAMES, Patches, shape_text

MOST_CLASSES = 50  # more than a figure can show
LONGEST_NAME = 200  # characters
LARGEST_PIXEL = 1e9  # of either sign, so that no product with a weight overflows


@dataclass
class Dataset:
    """What a dataset folder holds; generator is None where it has no generator.json."""

    train: Patches
    test: Patches
    generator: PatchGenerator | None


def load_dataset(folder):
    """Reads train.csv, test.csv and, where there is one, generator.json. Raises ValueError or OSError."""
    folder = Path(folder)
    train = read_csv(folder / "train.csv")
    found = len(np.unique(train.labels))
    if not 2 <= found <= MOST_CLASSES:
        raise ValueError(
            f"{folder / 'train.csv'}: its labels name {found} classes; 2 to {MOST_CLASSES} can be learned here"
        )
    test = read_csv(folder / "test.csv", class_names=train.class_names)
    if len(test) < 2:
        raise ValueError(f"{folder / 'test.csv'} holds 1 patch, but 2 are needed")
    if test.shape != train.shape:
        raise ValueError(
            f"{folder / 'test.csv'} has images of {shape_text(test.shape)} pixels, "
            f"but train.csv of {shape_text(train.shape)}: they must be the same"
        )
    settings = folder / "generator.json"
    return Dataset(train, test, PatchGenerator.from_json(settings) if settings.exists() else None)


def read_csv(path, class_names=None):
    """Patches from a CSV file. Raises ValueError that names the line and the column, or OSError.

    class_names: the classes that labels may name, in order; by default those found in the file
    (Edge and No Edge in that order, any others sorted).
    """
    with open_text(path) as file:
        cells, pixels = read_cells(file, path, labelled=True)
    if class_names is None:
        class_names = _found_classes(cells["label"])
    labels = _indexes("label", path, cells["label"], class_names)
    kinds = _indexes("kind", path, cells["kind"], KIND_NAMES) if "kind" in cells else None
    return Patches(pixels, labels, kinds, class_names)


def open_text(path):
    """Opens a CSV file for read_cells. What is not UTF-8 becomes surrogates, by which the line is found."""
    return open_file(path, encoding="utf-8-sig", errors="surrogateescape", newline="")


def read_cells(file, name, labelled=False):
    """A dict of the columns label and kind, lists of text, and pixels (n, side * side), from an open CSV file.

    The column kind may be missing, and label unless labelled. name: what errors call the file. Raises ValueError.
    """
    try:
        header, *rows = [row for row in csv.reader(file, strict=True) if row] or [[]]
    except csv.Error:
        header, rows = [], []
    try:
        leading = _leading_columns(name, header, labelled)
        if not rows:
            raise ValueError(f"{name} holds no patches below its header")
        cells = {column: [row[i] for row in rows] for i, column in enumerate(leading)}
        pixels = np.array([row[len(leading) :] for row in rows], dtype=np.float64)
        usual = pixels.shape == (len(rows), len(header) - len(leading)) and (np.abs(pixels) <= LARGEST_PIXEL).all()
        usual = usual and not any("_" in cell for row in rows for cell in row[len(leading) :])  # float reads 1_0 as 10
        if not usual or not all(_is_name(cell) for column in cells.values() for cell in column):
            raise ValueError
    except (ValueError, LookupError):
        file.seek(0)
        _name_mistake(file, name, labelled)
        raise
    return cells, pixels


def _name_mistake(file, name, labelled):
    """Reads the file once more, cell by cell, and raises ValueError with the line and column of its first mistake."""
    rows = csv.reader(_checked_lines(file, name), strict=True)
    header = None
    try:
        for row in rows:
            if row and header is None:
                header = row
                leading = _leading_columns(name, header, labelled)
            elif row:
                _check_row(f"{name}, line {rows.line_num}", row, header, len(leading))
    except csv.Error as error:
        raise ValueError(f"{name}, line {rows.line_num}: {error}") from None


def _checked_lines(file, name):
    for number, line in enumerate(file, start=1):
        for i, character in enumerate(line, start=1):
            if character == "\0" or "\ud800" <= character <= "\udfff":
                what = "a zero byte" if character == "\0" else f"byte 0x{ord(character) & 0xFF:02x}"
                raise ValueError(
                    f"{name}, line {number}, character {i}: {what} is not UTF-8 text: save the file as CSV UTF-8"
                )
        yield line


def _check_row(place, row, header, leading):
    if len(row) != len(header):
        raise ValueError(f"{place}: {len(row)} cells, but the header has {len(header)}")
    for column, cell in zip(header[:leading], row, strict=False):
        if not _is_name(cell):
            raise ValueError(
                f"{place}, column {column}: {cell[:40]!r} is empty, has spaces around it, "
                f"or more than {LONGEST_NAME} characters"
            )
    for column, cell in zip(header[leading:], row[leading:], strict=True):
        if not _is_pixel(cell):
            raise ValueError(
                f"{place}, column {column}: {cell[:40]!r} is not a pixel, a finite number within ±{LARGEST_PIXEL:.0e}"
            )


def _is_name(cell):
    return cell != "" and cell == cell.strip() and len(cell) <= LONGEST_NAME


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
        file.write(",".join(["label", "kind"][: len(columns)] + pixel_names(patches.shape)) + "\n")
        for *names, pixels in zip(*columns, patches.pixels, strict=True):
            file.write(",".join(names) + pixel_format % tuple(pixels) + "\n")


def pixel_names(shape):
    """Column names of images of a shape (rows, columns), row by row: p00 … p44 for 5×5, p0000 … p1929 for 20×30."""
    rows, columns = shape
    digits = len(str(max(shape) - 1))
    return [f"p{row:0{digits}}{column:0{digits}}" for row in range(rows) for column in range(columns)]


def _leading_columns(name, header, labelled):
    """The columns before the pixels: some of label, kind, in this order."""
    leading = [column for column in ("label", "kind") if column in header[:2] or (labelled and column == "label")]
    side = math.isqrt(max(1, len(header) - len(leading)))
    expected = leading + pixel_names((side, side))
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


def _indexes(column, path, names, known):
    """Indexes of names in known, (n,) int64."""
    index = {name: i for i, name in enumerate(known)}
    for row, name in enumerate(names, start=1):
        if name not in index:
            shown = ", ".join(known[:7]) + (", …" if len(known) > 7 else "")
            raise ValueError(f"{path}, line {_line_of(path, row)}: {column} {name!r} is none of {shown}")
    return np.array([index[name] for name in names], dtype=np.int64)


def _line_of(path, row):
    """The line on which a row ends, the header being row 0."""
    with open_text(path) as file:
        rows = csv.reader(file)
        lines = [rows.line_num for cells in rows if cells]
    return lines[row]


def _quoted(name):
    """name as a CSV cell."""
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',"\r\n') else name
