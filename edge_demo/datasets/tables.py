"""Which column of a CSV file is what: labels, pixels, the kinds of patches, or nothing that is learned from.

It is found by the names of the columns and by what they hold. Where two readings are possible the file is refused, with
the option that decides.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from edge_demo.datasets.csv_files import NO_NUMBER, CsvFile, line_of, open_csv, quoted_name, read_columns

LABEL_NAMES = ("label", "class", "target", "y", "digit", "category")  # in any case
INDEX_NAMES = ("", "id", "index")  # of a column that pandas writes beside the data; also Unnamed: 0
MOST_PIXELS = 10_000  # of an image


@dataclass
class Table:
    """What a file holds: pixels (n, p); labels and kinds, lists of text, or None; and how its columns were read."""

    file: CsvFile
    pixels: np.ndarray
    labels: list | None
    kinds: list | None
    label_column: int | None
    pixel_columns: list
    index_columns: list


@dataclass(frozen=True)
class Learned:
    """What a file of new images must be like: the number of pixels, and what the other columns were called."""

    pixels: int
    label: str | None = None
    drop: tuple = ()


def read_table(source, *, name=None, label=None, drop=(), learned=None, progress=False):
    """The Table of a file. learned: a Learned, for a file that needs no labels."""
    file = open_csv(source, name)
    drop = [*drop, *(column for column in learned.drop if column in file.columns)] if learned else drop
    dropped = [_index(file, column, "--drop") for column in drop]
    if label in drop:
        raise ValueError(f"{file.name}: column {quoted_name(label)} cannot be both --label and --drop")
    columns = without(range(len(file.columns)), dropped)
    index_columns = [i for i in columns if _is_index(file, i) and file.columns[i] != label]
    columns = without(columns, index_columns)
    label_column = _label_column(file, columns, label, learned)
    columns = without(columns, [label_column])
    kind_column = next((i for i in columns if file.columns[i] == "kind" and file.is_text(i)), None)
    columns = without(columns, [kind_column])
    _check_pixel_columns(file, columns, learned)

    text_columns = without(range(len(file.columns)), columns)
    numbers, cells = read_columns(file, text_columns, progress)
    for i in index_columns:
        _check_counting(file, i, cells[i])
    labels = cells.get(label_column)
    if labels is not None and file.delimiter != "," and all(file.number(cell) is not None for cell in set(labels)):
        labels = [cell.replace(",", ".") for cell in labels]
    if learned and labels is not None and not any(labels):
        labels = None  # the column is there, and empty
    first, last = columns[0], columns[-1]
    beside = len(columns) == last - first + 1  # then no copy is needed, of what may be large
    pixels = numbers[:, first : last + 1] if beside else numbers[:, columns]
    return Table(file, pixels, labels, cells.get(kind_column), label_column, columns, index_columns)


def without(columns, others):
    """The columns, by their indexes, that are none of the others."""
    others = set(others)
    return [i for i in columns if i not in others]


def _index(file, column, flag):
    """The index of a column by its name. Raises ValueError where there is none, or more than one."""
    if column not in file.columns:
        raise ValueError(f"{file.name} has no column {quoted_name(column)} for {flag}: it has {listed(file.columns)}")
    if file.columns.count(column) > 1:
        raise ValueError(
            f"{file.name}, line {line_of(file, -1)}: several columns are named {quoted_name(column)}: rename"
        )
    return file.columns.index(column)


def _is_index(file, i):
    name = file.columns[i].lower()
    return file.has_header and (name in INDEX_NAMES or name.startswith("unnamed:"))


def _label_column(file, columns, label, learned):
    """The index of the column of labels; None where there is none, and none is needed."""
    if label is not None:
        return _index(file, label, "--label")
    if not file.has_header and learned and len(columns) == learned.pixels:
        return None
    if learned and learned.label in file.columns:
        return file.columns.index(learned.label)
    found = [i for i in columns if file.has_header and file.columns[i].lower() in LABEL_NAMES]
    if not found and not (learned and learned.label):
        found = [i for i in columns if file.is_text(i)]
    if len(found) > 1:
        names = listed([file.columns[i] for i in found])
        raise ValueError(
            f"{file.name}: each of the columns {names} may hold the labels: --label NAME says which, and --drop NAME "
            "leaves another one out"
        )
    if found:
        return found[0]
    if not file.has_header and all(_is_whole(file.number(row[columns[0]])) for row in file.sample):
        return columns[0]
    if learned:
        return None
    raise ValueError(
        f"{file.name}, line {line_of(file, -1 if file.has_header else 0)}: {len(columns)} columns, and none is "
        f"named {', '.join(LABEL_NAMES)}: --label NAME says which holds the labels"
    )


def _is_whole(number):
    return number is not None and number == int(number)


def _check_pixel_columns(file, columns, learned):
    texts = [i for i in columns if file.is_text(i)]
    if texts:
        cell, remedy = file.sample[0][texts[0]], _remedy_for_text(file, columns, texts, learned)
        raise ValueError(f"{file.place(line_of(file, 0), texts[0])}: {cell[:40]!r} is {NO_NUMBER}{remedy}")
    _check_names_alike(file, columns)
    if not 1 <= len(columns) <= MOST_PIXELS:
        raise ValueError(f"{file.name} has {len(columns):,} pixels an image; 1 to {MOST_PIXELS:,} can be learned from")
    if learned and len(columns) != learned.pixels:
        raise ValueError(
            f"{file.name} has {len(columns)} pixels an image, but {learned.pixels} were trained on; "
            "--label NAME and --drop NAME name columns that are no pixels"
        )
    _check_order([file.columns[i] for i in columns], file)


def _remedy_for_text(file, columns, texts, learned):
    """What to do about columns of text where pixels should be."""
    if learned and learned.label and not file.has_header:
        return "; the training file has a header, and this one has none: add it"
    if learned and learned.label and learned.label not in file.columns and len(texts) == 1:
        return f"; name it {quoted_name(learned.label)}, as in training, if it holds labels, or else remove it"
    if 2 * len(texts) >= len(columns):
        return ""
    names = " ".join(quoted_name(file.columns[i]) for i in texts)
    return f"; --drop {names} leaves out {'the column' if len(texts) == 1 else 'all columns of text'}"


def _check_names_alike(file, columns):
    """Refuses a column among the pixels that is called otherwise: an id, a second label."""
    names = [file.columns[i] for i in columns]
    patterns = [re.sub("[0-9]+", "#", name) for name in names]
    usual = max(set(patterns), key=patterns.count) if patterns else ""
    odd = [name for name, pattern in zip(names, patterns, strict=True) if pattern != usual]
    if file.has_header and 0 < len(odd) < len(names) / 10:
        raise ValueError(
            f"{file.name}, line {line_of(file, -1)}: column {quoted_name(odd[0])} among the pixels is named otherwise: "
            f"--drop {' '.join(map(quoted_name, odd))} leaves out what is no pixel"
        )


def _check_order(names, file):
    """Refuses columns such as pixel1, pixel10, pixel2: sorted as text, they are no image row by row."""
    places = [tuple(map(int, re.findall("[0-9]+", name))) for name in names]
    alike = len({re.sub("[0-9]+", "#", name) for name in names}) == 1 and len(set(places)) == len(places) > 3
    if file.has_header and alike and places[0]:
        for (before, after), (name, following) in zip(pairwise(places), pairwise(names), strict=True):
            if after < before:
                raise ValueError(
                    f"{file.name}, line {line_of(file, -1)}: column {following} comes after {name}: pixels must stand "
                    "row by row, in the order of their numbers"
                )


def check_same_order(train, test):
    """Refuses a test file with the columns of the training file in another order."""
    names, others = ([table.file.columns[i] for i in table.pixel_columns] for table in (train, test))
    if train.file.has_header and test.file.has_header and names != others and set(names) == set(others):
        wrong, right = next((b, a) for a, b in zip(names, others, strict=True) if a != b)
        raise ValueError(
            f"{test.file.name}, line {line_of(test.file, -1)}: column {quoted_name(wrong)} stands where "
            f"{Path(train.file.name).name} has {quoted_name(right)}: the order must be the same"
        )


def _check_counting(file, i, cells):
    """Refuses a column that is called like an index, and is none."""
    numbers = [file.number(cell) for cell in cells]
    for row, (before, number) in enumerate(zip([None, *numbers], numbers, strict=False)):
        if not _is_whole(number) or (before is not None and number != before + 1):
            raise ValueError(
                f"{file.place(line_of(file, row), i)}: {cells[row][:40]!r} does not count up, as the index of a table "
                f"would; --drop {quoted_name(file.columns[i])} leaves it out"
            )


def listed(names, most=8):
    shown = ", ".join(map(quoted_name, names[:most]))
    return f"{shown}, …" if len(names) > most else shown
