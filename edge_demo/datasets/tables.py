"""A CSV table as spreadsheets, pandas, R and Kaggle write it: its pixels, and the labels beside them.

Which column is what is told by the names of the columns and, for the labels, by what they hold; where two readings are
possible the file is refused. np.loadtxt reads the numbers. Where it refuses, one loop over the lines finds the place.
"""

import csv
import gzip
import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_demo.datasets.patches import InputError

LABEL_WORDS = {"label", "labels", "class", "target", "digit", "number", "y"}  # in any case, or as a part: number_label
INDEX_WORDS = {"id", "index", "unnamed"}  # of a column that counts the rows, such as pandas' "Unnamed: 0"
MOST_CLASSES = 50  # more than a figure can show
LARGEST_NUMBER = 1e9  # of either sign, so that no product with a weight overflows
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]")  # no text: it may do things to a terminal
SPACED = re.compile(r"[0-9] +[-+.0-9e]+ +[-0-9]")
NO_TABLES = {  # how files begin that are often taken for a table
    b"<": "an HTML page: download the file itself",
    b"version https://git-lfs": "a Git-LFS pointer to a file: git lfs pull fetches the file itself",
    b"PK\x03\x04": "a zip archive or an Excel workbook: unpack it, or save it as CSV",
}
FLAGS = "--label NAME says which column holds the labels, --drop NAME leaves one out"
csv.field_size_limit(2**31 - 1)  # a cell may be as long as a file, and is refused where it should be short


@dataclass
class Table:
    """What a file holds: pixels (n, p); labels, a text for each row, or None; and how it was read.

    columns: their names, without a header their places "1", "2", … rows: (number of the line, the line) of each image.
    numbers: (rows, columns), infinite for text; texts: a dict from names of columns that may hold text to their cells.
    label: the names of the columns of labels: one, several of 0 and 1, or none. left_out: of those passed over.
    """

    name: str
    delimiter: str
    columns: list
    has_header: bool
    rows: list
    numbers: np.ndarray = None
    texts: dict = None
    pixels: np.ndarray = None
    labels: list = None
    label: list = ()
    left_out: list = ()

    def place(self, row, column):
        """A cell as errors name it."""
        return f"{self.name}, line {self.rows[row][0]}, column {column}"


def read_table(source, *, name=None, label=None, drop=(), pixels=None, progress=iter):
    """The Table of a file: a path, or its bytes. Raises InputError or OSError.

    name: what errors call it. label: the name of the column of labels, or the names of several; drop: of columns to
    leave out. pixels: how many an image has, of a file that needs no labels, and no column to drop.
    progress: a function around the list of lines, such as tqdm.
    """
    table = _first_look(source, str(name or source))
    given = [label] if isinstance(label, str) else label or []
    missing = [column for column in (*given, *drop) if column not in table.columns]
    if missing and not pixels:
        raise InputError(f"{table.name} has no column {missing[0]!r}: it has {listed(table.columns)}")
    table.left_out = [c for c in table.columns if c in drop or (_is_no_pixel(table, c) and c not in given)]
    columns = [column for column in table.columns if column not in table.left_out]
    _read(table, {*given, *table.left_out, *columns[:1], *columns[-1:]}, progress)

    table.label = _label(table, columns, given, pixels)
    columns = [column for column in columns if column not in table.label]
    if not columns or (pixels and len(columns) != pixels):
        trained = f", but {pixels} were trained on" if pixels else ""
        raise InputError(f"{table.name} has {len(columns)} pixels an image{trained}; {FLAGS}")
    table.pixels = table.numbers[:, np.isin(table.columns, columns)]
    if not max(table.pixels.max(), -table.pixels.min()) <= LARGEST_NUMBER:  # which is so of NaN, too
        _refuse(table, columns)
    table.labels = _labels(table)
    if pixels and not any(table.labels or ()):
        table.labels = None  # the column is there, and empty
    table.numbers = None  # which of a large file fill much of the memory
    return table


def number(cell):
    """The number that a cell holds, or infinity."""
    return float(cell) if NUMBER.fullmatch(cell) else math.inf


def words(name):
    """The words of a name, in small letters: number_label and NumberLabel are number and label."""
    return {word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", name)}


def listed(names, most=8):
    return ", ".join(names[:most]) + ", …" * (len(names) > most)


def _text(source, name):
    """The text of a file. Raises InputError for what is none."""
    content = source if isinstance(source, bytes) else Path(source).read_bytes()
    try:
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        for beginning, what in NO_TABLES.items():
            if content[:100].lstrip().startswith(beginning):
                raise InputError(f"{name} is {what}")
        return content.decode("utf-8-sig")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{name} is no whole gzip file: compress or copy it once more") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{name}, line {line}: no UTF-8 text ({error.reason}): save the file as CSV UTF-8") from None


def _first_look(source, name):
    """A Table without numbers: its delimiter, the names of its columns, and its rows."""
    lines = enumerate(_text(source, name).splitlines(), start=1)
    rows = [(place, line) for place, line in lines if line.strip(" \t,;")]
    if not rows:
        raise InputError(f"{name} is empty: a header and a row for each image were expected")
    place, first = rows[0]
    delimiter = max(",;\t", key=first.count)
    ends = " " + delimiter  # a delimiter behind the last cell means nothing
    columns = _cells(first.rstrip(ends), delimiter)
    has_header = _is_header(columns)
    if not has_header:
        columns = [str(i) for i in range(1, len(columns) + 1)]
    for column in columns:
        if columns.count(column) > 1 or CONTROL.search(column):
            what = "a control character in the name" if CONTROL.search(column) else "several columns are named"
            raise InputError(f"{name}, line {place}: {what} {column!r}")
    rows = [(place, line.rstrip(ends) if line.count(delimiter) >= len(columns) else line) for place, line in rows]
    if rows[has_header:] and SPACED.search(rows[has_header][1]):
        raise InputError(f"{name}, line {rows[has_header][0]}: spaces part the numbers: each pixel needs a column")
    return Table(name, delimiter, columns, has_header, rows[has_header:])


def _cells(line, delimiter):
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]


def _is_header(cells):
    """Whether a first row names the columns: by words alone, by one such as label, or by numbers that count up."""
    numbers = [number(cell) for cell in cells if NUMBER.fullmatch(cell)]
    counting = len(numbers) > 3 and numbers[0] in (0, 1) and set(np.diff(numbers)) == {1}
    return not numbers or counting or any(words(cell) & LABEL_WORDS for cell in cells)


def _is_no_pixel(table, column):
    return table.has_header and (column in ("", "kind") or bool(words(column) & INDEX_WORDS))


def _read(table, text_columns, progress):
    """Sets numbers and texts; columns that are called like labels may hold text as well as text_columns."""
    may_be_text = [c for c in table.columns if c in text_columns or words(c) & LABEL_WORDS]
    table.texts = {column: [] for column in may_be_text}
    if not table.rows:
        raise InputError(f"{table.name} holds no images below its header")

    def keeping(cells):
        def converted(cell):
            cells.append(cell.strip())
            return number(cell.strip())

        return converted

    try:
        table.numbers = np.loadtxt(
            progress([line for _, line in table.rows]),
            delimiter=table.delimiter,
            comments=None,
            quotechar='"',
            converters={table.columns.index(column): keeping(cells) for column, cells in table.texts.items()},
            encoding="utf-8",
            ndmin=2,
        )
        if table.numbers.shape == (len(table.rows), len(table.columns)):
            return
        problem = "a quote is not closed"
    except ValueError as error:
        problem = error
    _refuse(table, [column for column in table.columns if column not in table.texts])
    raise InputError(f"{table.name}: {problem}")


def _refuse(table, columns):
    """Raises InputError for the first row of another length, or cell in one of columns that is no pixel."""
    for row, (line, text) in enumerate(table.rows):
        cells = _cells(text, table.delimiter)
        if len(cells) != len(table.columns):
            raise InputError(f"{table.name}, line {line}: {len(cells)} cells, but {len(table.columns)} columns")
        for column, cell in zip(table.columns, cells, strict=True):
            if column in columns and cell.lower() in ("", "nan", "na"):
                raise InputError(f"{table.place(row, column)}: {cell!r}, a missing value: fill it in or remove the row")
            if column in columns and not abs(number(cell)) <= LARGEST_NUMBER:
                raise InputError(
                    f"{table.place(row, column)}: {cell[:40]!r} is no pixel, a number within ±1e9; {FLAGS}"
                )


def _label(table, columns, given, pixels):
    """The names of the columns of labels; none where none is needed. Raises InputError where several may be meant."""
    chosen = [column for column in columns if column in given]
    if chosen and (table.has_header or len(columns) != pixels):
        return chosen
    if len(columns) == pixels:
        return []
    named = [column for column in columns if column.lower() in LABEL_WORDS]
    named = named or [column for column in columns if words(column) & LABEL_WORDS]
    if len(named) != 1:
        for ordered in (columns, columns[::-1]):
            if count := _one_hot(table, ordered[:MOST_CLASSES]):
                return [column for column in columns if column in ordered[:count]]
    ends = dict.fromkeys((*columns[:1], *columns[-1:]))
    found = named or [column for column in ends if _are_classes(table.texts[column])]
    if len(found) == 1:
        return found
    what = f"no column is named {', '.join(sorted(LABEL_WORDS))}, and neither end holds 2 to {MOST_CLASSES} classes"
    if found:
        what = f"{' or '.join(f'--label {column}' for column in found[:3])}? {len(found)} columns may hold the labels"
    raise InputError(f"{table.name}: {what}; {FLAGS}")


def _one_hot(table, columns):
    """How many of the first columns, as few as possible, hold a single 1 in each row and else 0; 0 for none."""
    sums = 0
    for count, column in enumerate(columns, start=1):
        cells = table.numbers[:, table.columns.index(column)]
        if not np.isin(cells, (0, 1)).all():
            return 0
        sums = sums + cells
        if count > 1 and (sums == 1).all():
            return count
    return 0


def _labels(table):
    """The texts of the labels, or None; of columns of 0 and 1 their names, without a header their places from 0."""
    if len(table.label) < 2:
        return table.texts[table.label[0]] if table.label else None
    names = table.label if table.has_header else range(len(table.label))
    ones = table.numbers[:, np.isin(table.columns, table.label)]
    return [str(names[row.argmax()]) if row.max() == row.sum() == 1 else "" for row in ones]


def _are_classes(cells):
    """Whether these are 2 to 50 whole numbers or texts."""
    found = set(cells)
    return 2 <= len(found) <= MOST_CLASSES and all(value in (math.inf, value // 1) for value in map(number, found))
