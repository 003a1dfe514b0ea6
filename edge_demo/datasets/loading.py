"""Datasets: the training and test images of a folder of CSV files, or of one file, whoever wrote it.

Images whose pixels are far from 0 to 1 are brought there. How the columns of a file are understood is in columns.py.
"""

import math
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np

from edge_demo.datasets.csv_files import line_of, quoted_name
from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.patches import CLASS_NAMES, KIND_NAMES, Patches, shape_text, square
from edge_demo.datasets.tables import LABEL_NAMES, Learned, check_same_order, listed, read_table, without

MOST_CLASSES = 50  # more than a figure can show
LONGEST_NAME = 200  # characters
USUAL = -3.0, 4.0  # pixels within these, and not all within LEAST_SPREAD, are learned from as they are
LEAST_SPREAD = 0.1
NARROW = 10  # pixels whose range is so many times smaller than in training are likely on another scale
MISSING = ("", "nan", "na", "n/a", "null", "none")  # how programs write a number that they do not have
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
LEADING_ZERO = re.compile(r"[+-]?0[0-9].*")


@dataclass(frozen=True)
class Scaling:
    """The map that takes pixels from low to high to 0 to 1."""

    low: float
    high: float

    def apply(self, pixels):
        scaled = pixels - self.low
        scaled /= self.high - self.low  # in place: a large file's pixels fill much of the memory
        return scaled


@dataclass
class Dataset:
    """Images to train on and to test on, both scaled.

    unlabelled: pixels (n, p) of a test file without labels, or None. test_rows: where the test images are a part of the
    training file, their rows in it, 1 for the first below the header, or None. generator: None where the patches are
    not the demo's own, or there is no generator.json. scaling: None where pixels are as in the file. pixel_range:
    (lowest, highest) in the training file. label: the name of its column of labels, None where it has no header.
    understood: how the files were read, as lines; of the demo's own patches only what is out of the ordinary.
    """

    train: Patches
    test: Patches | None
    unlabelled: np.ndarray | None = None
    test_rows: np.ndarray | None = None
    generator: PatchGenerator | None = None
    scaling: Scaling | None = None
    pixel_range: tuple = (0.0, 1.0)
    label: str | None = None
    understood: list = field(default_factory=list)


def load_dataset(source, *, label=None, drop=(), shape=None, test_share=0.2, seed=0, progress=False):
    """The Dataset of a folder, with train.csv and test.csv, or of one CSV file. Raises ValueError or OSError.

    label: the name of the column of labels; drop: names of columns to leave out; shape: (rows, columns) of each image.
    By default all three are found out. Where there are no labels to test on, test_share of the training images are
    held out, as many of each class, drawn by seed. progress: a bar on standard error.
    """
    if not 0 < test_share < 1:
        raise ValueError(f"the share to test on must be between 0 and 1, not {test_share}")
    train_path, test_path = _files_of(Path(source))
    table = read_table(train_path, label=label, drop=drop, progress=progress)
    train = _patches(table, _found_classes(table), shape)
    _check_classes(table, train)
    data = Dataset(train, test=None)
    data.label = table.file.columns[table.label_column] if table.file.has_header else label
    data.pixel_range = _pixel_range(train_path, train.pixels)
    data.generator = _generator_beside(train_path, train)
    if data.generator is None:
        data.scaling = _scaling(*data.pixel_range)
        data.understood.append(_summary(table, data))

    if test_path is not None:
        learned = Learned(train.pixels.shape[1], data.label, tuple(drop))
        _add_test_file(data, read_table(test_path, learned=learned, progress=progress), table)
    if data.test is None:
        data.train, data.test, data.test_rows = _split(train_path, train, test_share, seed)
        share = f"about {100 * test_share:g} % of each class"
        data.understood.append(f"{len(data.test):,} images of {train_path.name}, {share}, are held out to test")
        lone = np.setdiff1d(data.train.labels, data.test.labels)
        if len(lone):
            names = listed([train.class_names[k] for k in lone])
            data.understood.append(f"of {names} there is one image each, which is learned from: none is left to test")

    if data.scaling is not None:
        for patches in (data.train, data.test):
            patches.pixels = data.scaling.apply(patches.pixels)
        if data.unlabelled is not None:
            data.unlabelled = data.scaling.apply(data.unlabelled)
    return data


def read_csv(path, class_names=None, *, label=None, drop=(), shape=None):
    """Patches from a CSV file, with the pixels that it holds. Raises ValueError that names line and column, or OSError.

    class_names: the classes that labels may name, in order; by default those found in the file (Edge and No Edge in
    that order, numbers in theirs, any others sorted). label, drop, shape: as for load_dataset.
    """
    table = read_table(path, label=label, drop=drop)
    return _patches(table, class_names or _found_classes(table), shape)


def read_pixels(source, learned, *, name=None, label=None, drop=()):
    """Pixels (n, p) of a CSV file, a path or its bytes, with or without labels; these are not looked at.

    learned: a Learned, what the images must be like. name: what errors call the file. Raises ValueError or OSError.
    """
    return read_table(source, name=name, label=label, drop=drop, learned=learned).pixels


def unlike(pixels, pixel_range):
    """A note where pixels lie in quite another range than (low, high), those of the training images, or None."""
    low, high = pixel_range
    lowest, highest = float(pixels.min()), float(pixels.max())
    outside = max(low - lowest, highest - high) > high - low
    if outside or 0 < highest - lowest < (high - low) / NARROW:
        return (
            f"pixels from {lowest:g} to {highest:g}, but {low:g} to {high:g} in training: are they on the same scale?"
        )
    return None


def write_csv(path, patches):
    """Writes patches with four decimals a pixel; the kind column is left out where kinds are not known.

    Raises ValueError for class names that read_csv would not read back.
    """
    _check_names(patches.class_names)
    pixel_format = ",%.4f" * patches.pixels.shape[1]
    named = [patches.class_names] if patches.kinds is None else [patches.class_names, KIND_NAMES]
    indexes = [patches.labels] if patches.kinds is None else [patches.labels, patches.kinds]
    columns = [[_quoted(str(names[i])) for i in index] for names, index in zip(named, indexes, strict=True)]
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(",".join(["label", "kind"][: len(columns)] + pixel_names(patches.shape)) + "\n")
        for *names, pixels in zip(*columns, patches.pixels, strict=True):
            file.write(",".join(names) + pixel_format % tuple(pixels) + "\n")


def pixel_names(shape):
    """Column names row by row: p00 … p44 for 5×5 pixels, p0000 … p2727 for 28×28."""
    digits = len(str(max(shape) - 1))
    return [f"p{row:0{digits}}{column:0{digits}}" for row in range(shape[0]) for column in range(shape[1])]


def _add_test_file(data, table, train_table):
    """Adds the images of a test file to data: to test on, or, where it has no labels, to be predicted only."""
    name, count = Path(table.file.name).name, len(table.pixels)
    check_same_order(train_table, table)
    if table.labels is None:
        data.unlabelled = table.pixels
        data.understood.append(f"{name}: {count:,} images without labels: not scored, but predicted")
    elif count < 2:
        raise ValueError(f"{table.file.name} holds 1 image, but 2 are needed to test on")
    else:
        data.test = _patches(table, data.train.class_names, data.train.shape)
        if data.generator is None:
            data.understood.append(f"{name}: {count:,} images")
    if note := unlike(table.pixels, data.pixel_range):
        data.understood.append(f"{name}: {note}")


def _check_classes(table, patches):
    found = len(np.unique(patches.labels))
    if not 2 <= found <= MOST_CLASSES:
        raise ValueError(
            f"{table.file.name}: its labels name {found:,} {'class' if found == 1 else 'classes'}, in column "
            f"{quoted_name(table.file.columns[table.label_column])}; 2 to {MOST_CLASSES} can be learned here, and "
            "--label NAME says where the labels are"
        )


def _files_of(source):
    """The files to train and to test on; None for the latter where there is none."""
    if not source.is_dir():
        return source, None
    files = sorted(path for path in source.iterdir() if path.name.lower().endswith((".csv", ".csv.gz")))
    train, test = (
        [path for path in files if path.name.lower().startswith(f"{word}.csv")] for word in ("train", "test")
    )
    if train:
        return train[0], test[0] if test else None
    train, test = ([path for path in files if f"{word}.csv" in path.name.lower()] for word in ("train", "test"))
    if len(train) == 1 and len(test) <= 1:  # as mnist_train.csv and mnist_test.csv
        return train[0], test[0] if test else None
    if len(files) == 1 and not test:
        return files[0], None
    if files == test:
        raise ValueError(f"{source} holds no CSV file to train on: train.csv, and test.csv, were expected")
    raise ValueError(
        f"{source} holds {len(files)} CSV files, but none named train.csv: rename them to train.csv and test.csv, or "
        "name a single one with --data FILE.csv"
    )


def _pixel_range(path, pixels):
    low, high = float(pixels.min()) + 0.0, float(pixels.max()) + 0.0  # not -0
    if low == high:
        raise ValueError(f"{path}: every pixel is {low:g}, so there is nothing to learn from")
    return low, high


def _generator_beside(path, patches):
    """The generator of the demo's own patches, or None: of others a generator.json that lies there knows nothing."""
    settings = path.parent / "generator.json"
    ours = path.name.startswith("train.csv") and patches.shape == (5, 5) and patches.class_names == CLASS_NAMES
    return PatchGenerator.from_json(settings) if ours and settings.exists() else None


def _patches(table, class_names, shape):
    shape = _shape(table.file.name, table.pixels.shape[1], shape)
    kinds = None
    if table.kinds is not None:
        remedy = "; --drop kind leaves the column out"
        kinds = _indexes(table, table.file.columns.index("kind"), table.kinds, KIND_NAMES, remedy)
    return Patches(table.pixels, _labels(table, class_names), kinds, class_names, shape)


def _shape(name, pixels, shape):
    if shape is not None:
        if math.prod(shape) != pixels:
            raise ValueError(f"{name}: images of {pixels} pixels are not {shape[0]}x{shape[1]}, see --shape")
        return tuple(shape)
    if square(pixels):
        return square(pixels)
    if pixels % 3 == 0 and square(pixels // 3):
        raise ValueError(
            f"{name}: {pixels} pixels are three times {shape_text(square(pixels // 3))}, as in colour images: make "
            "them grey, one number a pixel, or say --shape ROWSxCOLUMNS"
        )
    rows = next(rows for rows in range(math.isqrt(pixels), 0, -1) if pixels % rows == 0)
    remedy = f"--shape ROWSxCOLUMNS says what they are, such as {rows}x{pixels // rows}"
    for more in (1, 2):
        if square(pixels - more):
            remedy = (
                f"{more} more than {shape_text(square(pixels - more))} have: --drop NAME leaves out a column that is "
                "no pixel, or --shape ROWSxCOLUMNS says what they are"
            )
    raise ValueError(f"{name}: {pixels} pixels are no square image: {remedy}")


def _found_classes(table):
    """The classes that a file's labels name, in order: Edge, No Edge; numbers in theirs; any others sorted.

    What is no name is left out here, and refused with its line where labels become indexes.
    """
    found = {cell for cell in set(table.labels) if _is_name(cell)}
    numbers = {cell for cell in found if cell.lower() not in MISSING}
    found = numbers if numbers and _are_numbers(numbers) else found  # beside numbers, NaN is a number that is missing
    if found and found <= set(CLASS_NAMES):
        return CLASS_NAMES
    if _are_numbers(found):
        return tuple(sorted({_shortest(name) for name in found}, key=Decimal))
    return tuple(sorted(found))


def _labels(table, class_names):
    """Labels as indexes, (n,) int64; of classes that are numbers, 1 and 1.0 are the same."""
    cells, names = table.labels, [str(name) for name in class_names]
    if _are_numbers(names):
        cells = [_shortest(cell) if _are_numbers([cell]) else cell for cell in cells]
        names = [_shortest(name) for name in names]
    return _indexes(table, table.label_column, cells, names)


def _indexes(table, column, cells, names, remedy=""):
    """The index in names of each cell, (n,) int64. remedy: for a cell that is none of them."""
    index = {name: k for k, name in enumerate(names)}
    for row, cell in enumerate(cells):
        if cell not in index:
            what = f"none of {listed(names)}{remedy}"
            if cell.lower() in MISSING:
                what = "no name: fill it in, or remove the row"
            elif not _is_name(cell):
                what = f"no name, 1 to {LONGEST_NAME} characters on one line"
            raise ValueError(f"{table.file.place(line_of(table.file, row), column)}: {cell[:40]!r} is {what}")
    return np.array([index[cell] for cell in cells], dtype=np.int64)


def _is_name(cell):
    return cell == cell.strip() and 1 <= len(cell) <= LONGEST_NAME and "\n" not in cell and "\r" not in cell


def _are_numbers(names):
    """Whether all are plain numbers; one with a leading zero, as of a postal code, is text."""
    return all(NUMBER.fullmatch(name) and not LEADING_ZERO.fullmatch(name) for name in names)


def _shortest(number):
    """A number as the shortest text: 1 for 1.0."""
    value = Decimal(number)
    return str(int(value)) if value == value.to_integral_value() else str(value.normalize())


def _check_names(names):
    """Refuses class names that would not be read back."""
    names = [str(name) for name in names]
    wrong = [name for name in names if not _is_name(name)]
    if wrong:
        raise ValueError(
            f"class name {wrong[0][:40]!r}: a CSV file takes 1 to {LONGEST_NAME} characters on one line, "
            "without spaces at the ends"
        )
    if _are_numbers(names) and len({_shortest(name) for name in names}) < len(names):
        raise ValueError(f"class names {listed(names)}: some are the same number, and would be read as one class")


def _quoted(name):
    """name as a CSV cell."""
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',"') else name


def _split(path, patches, share, seed):
    """Training patches, a share of each class to test on, and the rows of the latter in the file, from 1."""
    rng = np.random.default_rng(seed)
    held = []
    for k in np.unique(patches.labels):
        rows = rng.permutation(np.flatnonzero(patches.labels == k))
        held.append(rows[: min(max(1, round(share * len(rows))), len(rows) - 1)])  # a lone image stays to be learned
    held = np.sort(np.concatenate(held))
    if len(held) < 2:
        raise ValueError(f"{path} holds {len(patches)} images: too few to hold some out to test on")
    return patches[np.setdiff1d(np.arange(len(patches)), held)], patches[held], held + 1


def _scaling(low, high):
    """The Scaling that pixels from low to high need, or None."""
    if low >= 0 and 100 < high <= 255:  # 8 bits, of which not all need occur
        return Scaling(0.0, 255.0)
    if (low >= USUAL[0] and high <= USUAL[1] and high - low >= LEAST_SPREAD) or low == high:
        return None
    return Scaling(low, high)


def _summary(table, data):
    """What was understood of a training file, as one line."""
    file, column, (low, high) = table.file, table.label_column, data.pixel_range
    name, others = file.columns[column], without(range(len(file.columns)), table.index_columns)
    place = {others[0]: "label first", others[-1]: "label last"}.get(column, "")
    if not place or (file.has_header and name.lower() not in LABEL_NAMES):
        place = f"label in column {quoted_name(name)}"
    pixels = f"pixels {low:g} to {high:g} as they are"
    if data.scaling is not None:
        pixels = f"pixels {data.scaling.low:g} to {data.scaling.high:g} taken as 0 to 1"
    parts = [
        f"{len(data.train):,} images of {shape_text(data.train.shape)}",
        *([] if file.has_header else ["no header"]),
        place,
        pixels,
        f"{len(data.train.class_names)} classes",
        *(f"column {quoted_name(file.columns[i])}, counting up, left out" for i in table.index_columns),
    ]
    return f"{Path(file.name).name}: {', '.join(parts)}"
