"""A CSV file as spreadsheets, pandas and Kaggle write it: its names of columns, and its cells, as text or as numbers.

Encoding, delimiter and header are found from the beginning of the file. Almost every file is then read by np.loadtxt;
one that it does not take is read once more, row by row, which takes all that people write, or names the mistake.
What the columns mean is decided in columns.py.
"""

import csv
import gzip
import io
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from tqdm import tqdm

LARGEST_NUMBER = 1e9  # of either sign, so that no product with a weight overflows
NO_NUMBER = f"not a pixel, a finite number within ±{LARGEST_NUMBER:.0e}"
MOST_CELLS = 20_000  # in a row; an image has 10,000 pixels at most
LONGEST_LINE = 1_000_000  # characters; 10,000 pixels with all their digits are 250,000
MOST_CHARACTERS = 4 * 10**9  # of a file: a small compressed one could fill the disk and the memory
SAMPLE = 100  # rows from which a column is known as text or numbers
PANDAS_COLUMNS = 10  # from so many columns on 0,1,2,… are the names that pandas gives, not a first row of numbers
HEADER_WORDS = {"label", "class", "target", "digit", "category", "kind", "id", "index", ""}


@dataclass
class CsvFile:
    """What the beginning of a file tells.

    source: a path, or the bytes themselves. name: what errors call it. columns: their names; without a header their
    places, "1", "2", … sample: the first rows below the header, lists of cells.
    """

    source: object
    name: str
    delimiter: str = ","
    columns: list = field(default_factory=list)
    has_header: bool = True
    sample: list = field(default_factory=list)

    def is_text(self, column):
        """Whether most cells of a column, by its index, are no numbers."""
        cells = [row[column] for row in self.sample if len(row) > column]
        numbers = sum(self.number(cell) is not None for cell in cells)
        return 2 * numbers < len(cells)

    def place(self, line, column):
        """A cell, by its line and the index of its column, as errors name it."""
        return f"{self.name}, line {line}, column {quoted_name(self.columns[column])}"

    def number(self, cell):
        """The finite number that a cell holds, or None. A comma is a decimal one where it does not part the cells."""
        if self.delimiter != ",":
            cell = cell.replace(",", ".")
        try:
            value = float(cell)
        except ValueError:
            return None
        return value if abs(value) <= LARGEST_NUMBER and "_" not in cell else None

    def rows(self, progress=False):
        """Yields (number of its last line, its cells) of every row that is not blank, header included."""
        reader = csv.reader(self.lines(progress), delimiter=self.delimiter, skipinitialspace=True, strict=True)
        try:
            for row in reader:
                if len(row) > MOST_CELLS:
                    raise ValueError(
                        f"{self.name}, line {reader.line_num}: {len(row):,} cells are too many for one image"
                    )
                cells = [cell.strip() for cell in row]
                if any(cells):
                    yield reader.line_num, cells
        except csv.Error as error:
            raise ValueError(f"{self.name}, line {reader.line_num}: {error}") from None

    def lines(self, progress=False):
        """Yields the lines of the file. Raises ValueError for what is no text."""
        shown = {"desc": self.name, "unit": "B", "unit_scale": True, "delay": 2, "disable": not progress}
        try:
            with self._open() as file, tqdm(**shown) as bar:
                characters, number = 0, 0
                while line := file.readline(LONGEST_LINE):
                    number += 1
                    characters += len(line)
                    if len(line) == LONGEST_LINE or characters > MOST_CHARACTERS:
                        raise ValueError(f"{self.name}, line {number}: too long to be a table of small images")
                    if not line.isascii() or "\0" in line:
                        self._check_characters(line, number)
                    bar.update(len(line))
                    yield line if number > 1 or not line.startswith("sep=") else "\n"  # a hint for Excel
        except UnicodeError:
            raise ValueError(f"{self.name} is no whole UTF-16 text: save the file as CSV UTF-8") from None
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise ValueError(f"{self.name} is no whole gzip file: compress or copy it once more") from None

    @contextmanager
    def _open(self):
        """Yields a text file. What is not UTF-8 becomes surrogates, by which its place is found."""
        source = self.source
        with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as raw:
            if any(_begins(raw, mark) for mark in (b"PK\x03\x04", b"BZh", b"\xfd7zXZ")):
                raise ValueError(f"{self.name} is a compressed file of another sort than gzip: unpack it")
            file = gzip.GzipFile(fileobj=raw) if _begins(raw, b"\x1f\x8b") else raw
            utf_16 = _begins(file, b"\xff\xfe") or _begins(file, b"\xfe\xff")  # what Excel calls Unicode text
            encoding, errors = ("utf-16", "strict") if utf_16 else ("utf-8-sig", "surrogateescape")
            yield io.TextIOWrapper(io.BufferedReader(file), encoding=encoding, errors=errors, newline="")

    def _check_characters(self, line, number):
        for place, character in enumerate(line, start=1):
            if character == "\0" or "\ud800" <= character <= "\udfff":
                what = "a zero byte" if character == "\0" else f"byte 0x{ord(character) & 0xFF:02x}"
                raise ValueError(
                    f"{self.name}, line {number}, character {place}: {what} is not UTF-8 text: "
                    "save the file as CSV UTF-8"
                )


def open_csv(source, name=None):
    """The CsvFile of a path, or of bytes. Raises ValueError where there is no table, or OSError."""
    file = CsvFile(source, str(name or source))
    first_lines = list(islice((line for line in file.lines() if line.strip()), 2))
    if not first_lines:
        raise ValueError(f"{file.name} is empty: a header and a row for each image were expected")
    file.delimiter = _delimiter(first_lines)

    rows = [row for _, row in islice(file.rows(), SAMPLE + 1)]
    if not rows:
        raise ValueError(f"{file.name} holds no images: nothing but delimiters")
    rows[0][0] = rows[0][0].removeprefix("#").lstrip()  # as np.savetxt begins a header
    file.has_header = _is_header(file, rows)
    file.sample = rows[1:] if file.has_header else rows
    width = _width(rows)
    if width == 1 and any(mark in first_lines[0] for mark in " |:"):
        raise ValueError(f"{file.name}, line 1: cells must be parted by commas, semicolons or tabs")
    file.columns = rows[0][:width] if file.has_header else [str(place) for place in range(1, width + 1)]
    return file


def read_columns(file, text_columns, progress=False):
    """All rows below the header: (n, columns) float64, and a dict from each of text_columns, an index, to its cells.

    In the array text columns are 0. Raises ValueError that names the line and the column.
    """
    if not file.sample:
        raise ValueError(f"{file.name} holds no images below its header")
    try:
        return _read_fast(file, text_columns, progress)
    except ValueError:
        return _read_row_by_row(file, text_columns, progress)


def line_of(file, row):
    """The line on which a row ends, 0 the first one below the header."""
    number, _ = next(islice(file.rows(), row + file.has_header, None))
    return number


def _read_fast(file, text_columns, progress):
    """By np.loadtxt. Raises ValueError for everything that is not plain."""
    texts = {column: [] for column in text_columns}

    def keep(column):
        def converted(cell):
            texts[column].append(cell.strip())
            return 0.0

        return converted

    lines = file.lines(progress)
    if file.has_header:
        header = next(line for line in lines if line.strip())
        if len(next(csv.reader([header], delimiter=file.delimiter))) != len(file.columns):
            raise ValueError
    numbers = np.loadtxt(
        lines,
        delimiter=file.delimiter,
        comments=None,
        quotechar='"',
        converters={column: keep(column) for column in text_columns},
        encoding="utf-8",
        ndmin=2,
    )
    plain = not any('"' in cell or "\n" in cell for cells in texts.values() for cell in cells)
    if numbers.shape[1] != len(file.columns) or not plain or not _all_usable(numbers):
        raise ValueError
    return numbers, texts


def _all_usable(numbers):
    return max(-numbers.min(), numbers.max()) <= LARGEST_NUMBER  # which nan is not


def _read_row_by_row(file, text_columns, progress):
    texts = {column: [] for column in text_columns}
    width, numbers, decimals = len(file.columns), [], set()
    for line, row in islice(file.rows(progress), int(file.has_header), None):
        while len(row) > width and not row[-1]:
            row.pop()
        if len(row) != width:
            first = "header" if file.has_header else "first row"
            raise ValueError(f"{file.name}, line {line}: {len(row)} cells, but the {first} has {width}")
        for column, cells in texts.items():
            cells.append(row[column])
            row[column] = "0"
        values = [file.number(cell) for cell in row]
        if None in values:
            column = values.index(None)
            raise ValueError(
                f"{file.place(line, column)}: {row[column][:40]!r} is {NO_NUMBER}: correct it, or remove the row"
            )
        decimals |= {mark for mark in ".," if any(mark in cell for cell in row)}
        if len(decimals) == 2:
            column = next(i for i, cell in enumerate(row) if "," in cell or "." in cell)
            raise ValueError(f"{file.place(line, column)}: {row[column][:40]!r}: decimal commas and points in one file")
        numbers.append(np.array(values))
    return np.array(numbers).reshape(-1, width), texts


def quoted_name(name):
    """A column's name as one would type it in a shell."""
    return name if name.isidentifier() or name.isalnum() else repr(name)


def _begins(file, mark):
    found = file.read(len(mark)) == mark
    file.seek(0)
    return found


def _delimiter(lines):
    """The tab, semicolon or comma that cuts the first two lines into equally many cells; else the first that cuts."""
    cuts = {}
    for delimiter in "\t;,":
        rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        try:
            cuts[delimiter] = [len(row) for row in rows]
        except csv.Error:
            continue
    for delimiter, counts in cuts.items():
        if counts[0] > 1 and len(set(counts)) == 1:
            return delimiter
    return next((delimiter for delimiter, counts in cuts.items() if counts[0] > 1), ",")


def _width(rows):
    """How many columns the first row has, without those that are empty in all: what a delimiter at each end leaves."""
    width = len(rows[0])
    while width and not any(len(row) >= width and row[width - 1] for row in rows):
        width -= 1
    return width


def _is_header(file, rows):
    """Whether the first row names the columns: by a word that columns are called, or because it holds no number."""
    first = list(rows[0])
    while first and not first[-1]:
        first.pop()
    numbers = [number for number in map(file.number, first) if number is not None]
    words = [cell for cell in first if file.number(cell) is None]
    counting = len(numbers) > 1 and numbers[0] in (0, 1) and set(np.diff(numbers)) == {1}
    named_by_pandas = counting and len(numbers) >= PANDAS_COLUMNS and len(rows) > 1
    known = any(word.lower() in HEADER_WORDS or word.lower().startswith("unnamed:") for word in words)
    return not numbers or known or named_by_pandas
