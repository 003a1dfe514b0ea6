"""Datasets: the training and test images of a folder of CSV files, or of one file, whoever wrote it.

A table is read, which finds its labels, and becomes Patches; pixels that are far from 0 to 1 are brought there.
"""

import csv
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.patches import CLASS_NAMES, KIND_NAMES, InputError, Patches, shape_text, square
from edge_demo.datasets.tables import CONTROL, FLAGS, MOST_CLASSES, listed, number, read_table, words

USUAL = -3.0, 4.0  # pixels within these, and not all within LEAST_SPREAD, are learned from as they are
LEAST_SPREAD = 0.1
NARROW = 10  # pixels whose range is so many times smaller than in training are likely on another scale


@dataclass(frozen=True)
class Scaling:
    """The map that takes pixels from low to high to 0 to 1."""

    low: float
    high: float

    def apply(self, pixels):
        return (pixels - self.low) / (self.high - self.low)


@dataclass
class Dataset:
    """Images to train on and to test on, both scaled.

    unlabelled: pixels (n, p) of a test file without labels, or None. test_rows: where the test images are a part of the
    training file, their rows in it, 1 for the first below the header, or None. generator: None where the patches are
    not the demo's own, or there is no generator.json. scaling: None where pixels are as in the file. pixel_range:
    (lowest, highest) in the training file. label: the names of the columns of its labels, without a header their
    places. understood: how the files were read, and what is odd in them, as lines; of the demo's own patches only what
    is out of the ordinary.
    """

    train: Patches
    test: Patches | None = None
    unlabelled: np.ndarray | None = None
    test_rows: np.ndarray | None = None
    generator: PatchGenerator | None = None
    scaling: Scaling | None = None
    pixel_range: tuple = (0.0, 1.0)
    label: list = field(default_factory=list)
    understood: list = field(default_factory=list)


def load_dataset(source, *, label=None, drop=(), shape=None, test_share=0.2, seed=0, progress=iter):
    """The Dataset of a folder, with train.csv and test.csv, or of one CSV file. Raises InputError or OSError.

    label: the name of the column of labels; drop: names of columns to leave out; shape: (rows, columns) of each image.
    By default all three are found out. Where there are no labels to test on, test_share of the training images are
    held out, as many of each class, drawn by seed. progress: a function around the list of lines, such as tqdm.
    """
    if not 0 < test_share < 1:
        raise InputError(f"the share to test on must be between 0 and 1, not {test_share}")
    train_path, test_path = _files_of(Path(source))
    table = read_table(train_path, label=label, drop=drop, progress=progress)
    data = Dataset(_patches(table, _classes(table), shape), label=table.label)
    data.pixel_range = _pixel_range(table, data.train)
    data.generator = _generator_beside(train_path, data.train)
    if data.generator is None:
        data.scaling = _scaling(*data.pixel_range)
        data.understood.append(_summary(table, data))

    if test_path is not None:
        count = data.train.pixels.shape[1]
        _add_test_file(data, read_table(test_path, label=data.label, drop=drop, pixels=count, progress=progress))
    if data.test is None:
        _hold_out(data, train_path, test_share, seed)
    if len(data.test) < 2:
        raise InputError(f"{source}: {len(data.test)} images to test on, but 2 are needed")
    data.understood += _oddities(data.train, data.test)
    if data.scaling is not None:
        for patches in (data.train, data.test):
            patches.pixels = data.scaling.apply(patches.pixels)
        if data.unlabelled is not None:
            data.unlabelled = data.scaling.apply(data.unlabelled)
    return data


def read_csv(path, class_names=None, *, label=None, drop=(), shape=None):
    """Patches from a CSV file, with the pixels that it holds. Raises InputError that names line and column, or OSError.

    class_names: the classes that labels may name, in order; by default those found in the file (Edge and No Edge in
    that order, numbers in theirs, any others sorted). label, drop, shape: as for load_dataset.
    """
    table = read_table(path, label=label, drop=drop)
    return _patches(table, class_names or _classes(table), shape)


def read_pixels(source, count, *, name=None, label=None, drop=()):
    """Pixels (n, count) of new images in a CSV file, a path or its bytes, whose labels, if any, are not looked at.

    name: what errors call the file. label, drop: names of columns to leave out, where there are such.
    Raises InputError or OSError.
    """
    return read_table(source, name=name, label=label, drop=drop, pixels=count).pixels


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
    """Writes patches with four decimals a pixel; the kind column is left out where kinds are not known."""
    known = patches.kinds is not None
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["label", *["kind"] * known, *pixel_names(patches.shape)])
        for i, pixels in enumerate(patches.pixels):
            kind = [KIND_NAMES[patches.kinds[i]]] if known else []
            writer.writerow([patches.class_names[patches.labels[i]], *kind, *map("{:.4f}".format, pixels)])


def pixel_names(shape):
    """Column names row by row: p00 … p44 for 5×5 pixels, p0000 … p2727 for 28×28."""
    digits = len(str(max(shape) - 1))
    return [f"p{row:0{digits}}{column:0{digits}}" for row in range(shape[0]) for column in range(shape[1])]


def _files_of(source):
    """The files to train and to test on; None for the latter where there is none."""
    if not source.is_dir():
        return source, None
    files = [path for path in source.iterdir() if path.name.lower().endswith((".csv", ".csv.gz"))]
    train, test = (_called(files, word) for word in ("train", "test"))
    if len(files) == 1 and not test:
        train = files
    if len(train) != 1 or len(test) > 1:
        raise InputError(
            f"{source} holds {len(files)} CSV files, of which {len(train)} are called train and {len(test)} test: name "
            "them train.csv and test.csv, or say --data FILE.csv"
        )
    return train[0], test[0] if test else None


def _called(files, word):
    """The files that are called so, train.csv, or else those of whose names it is a part, mnist_train.csv."""
    return [path for path in files if _stem(path) == word] or [path for path in files if word in words(_stem(path))]


def _stem(path):
    return path.name.lower().removesuffix(".gz").removesuffix(".csv")


def _generator_beside(path, patches):
    """The generator of the demo's own patches, or None: of others a generator.json that lies there knows nothing."""
    settings = path.parent / "generator.json"
    ours = _stem(path) == "train" and patches.shape == (5, 5) and patches.class_names == CLASS_NAMES
    return PatchGenerator.from_json(settings) if ours and settings.exists() else None


def _patches(table, class_names, shape):
    pixels = table.pixels.shape[1]
    shape = shape or square(pixels) or (0, 0)
    if math.prod(shape) != pixels:
        what = f"{pixels} pixels are {f'not {shape_text(shape)}' if any(shape) else 'no square'}"
        raise InputError(f"{table.name}: {what}; --shape ROWSxCOLUMNS says what they are, --drop NAME leaves one out")
    names = [_class_name(str(name)) for name in class_names]
    labels = []
    for row, name in enumerate(map(_class_name, table.labels)):
        if name not in names:
            what = f"{name[:40]!r} is none of {listed(names)}; {FLAGS}" if name else "empty, or no text: name the class"
            raise InputError(f"{table.place(row, table.label[0])}: {what}")
        labels.append(names.index(name))
    kinds = table.texts.get("kind", [""])
    known = set(kinds) <= set(KIND_NAMES)  # a column of that name may hold what others call kinds
    kinds = [KIND_NAMES.index(kind) for kind in kinds] if known else None
    return Patches(table.pixels, labels, kinds, class_names, tuple(shape))


def _classes(table):
    """The classes that a file's labels name, in order: Edge, No Edge; numbers in theirs; any others sorted."""
    found = set(map(_class_name, table.labels)) - {""}
    return CLASS_NAMES if found <= set(CLASS_NAMES) else tuple(sorted(found, key=lambda name: (number(name), name)))


def _class_name(cell):
    """The class that a label names, "" for none; a whole number is the same one however it is written, 1 or 1.0."""
    value = number(cell)
    if cell.lower() == "nan" or CONTROL.search(cell):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else cell


def _pixel_range(table, patches):
    """(lowest, highest) of training images. Raises InputError where nothing can be learned from them."""
    low, high = float(patches.pixels.min()) + 0.0, float(patches.pixels.max()) + 0.0  # not -0
    classes = len(np.unique(patches.labels))
    if low == high:
        raise InputError(f"{table.name}: every pixel is {low:g}, so there is nothing to learn from")
    if not 2 <= classes <= MOST_CLASSES:
        what = f"{classes:,} {'class' if classes == 1 else 'classes'} in column {table.label[0]}"
        raise InputError(f"{table.name}: {what}; 2 to {MOST_CLASSES} can be learned, --label NAME says where they are")
    return low, high


def _scaling(low, high):
    """The Scaling that pixels from low to high need, or None."""
    if low >= 0 and 100 < high <= 255:  # 8 bits, of which not all need occur
        return Scaling(0.0, 255.0)
    if low >= USUAL[0] and high <= USUAL[1] and high - low >= LEAST_SPREAD:
        return None
    return Scaling(low, high)


def _summary(table, data):
    """What was understood of a training file, as one line."""
    pixels = f"pixels {data.pixel_range[0]:g} to {data.pixel_range[1]:g} as they are"
    if data.scaling is not None:
        pixels = f"pixels {data.scaling.low:g} to {data.scaling.high:g} taken as 0 to 1"
    label = f"label in column {table.label[0]}"
    if len(table.label) > 1:
        label = f"labels one-hot in columns {table.label[0]} to {table.label[-1]}"
    parts = [
        f"{len(data.train):,} images of {shape_text(data.train.shape)}",
        *["no header"] * (not table.has_header),
        label,
        pixels,
        f"{len(data.train.class_names)} classes",
        *(f"column {column or 'without a name'} left out" for column in table.left_out),
    ]
    return f"{Path(table.name).name}: {', '.join(parts)}"


def _add_test_file(data, table):
    """Adds the images of a test file to data: to test on, or, where it has no labels, to be predicted only."""
    name, count = Path(table.name).name, len(table.pixels)
    if table.labels is None:
        data.unlabelled = table.pixels
        data.understood.append(f"{name}: {count:,} images without labels: not scored, but predicted")
    else:
        data.test = _patches(table, data.train.class_names, data.train.shape)
        if data.generator is None:
            data.understood.append(f"{name}: {count:,} images")
    if note := unlike(table.pixels, data.pixel_range):
        data.understood.append(f"{name}: {note}")


def _hold_out(data, path, share, seed):
    """Moves a share of each class from data.train to data.test, and notes their rows in the file, from 1."""
    patches, rng, held = data.train, np.random.default_rng(seed), []
    for k in np.unique(patches.labels):
        rows = rng.permutation(np.flatnonzero(patches.labels == k))
        held.append(rows[: min(max(1, round(share * len(rows))), len(rows) - 1)])  # a lone image stays to be learned
    held = np.sort(np.concatenate(held))
    data.train, data.test = patches[np.setdiff1d(np.arange(len(patches)), held)], patches[held]
    data.test_rows = held + 1
    each = f"about {100 * share:g} % of each class"
    data.understood.append(f"{len(held):,} images of {path.name}, {each}, are held out to test")


def _oddities(train, test):
    """What makes scores say less than they seem to, as lines."""
    seen = {hash(row.tobytes()) for row in train.pixels}
    known = sum(hash(row.tobytes()) in seen for row in test.pixels)
    if known:
        yield f"{known:,} of {len(test):,} test images are training images, too: their scores may come from memory"
    untested = [train.class_names[k] for k in np.setdiff1d(train.labels, test.labels)]
    if untested:
        yield f"no test image is of {listed(untested)}: nothing is known of how well that is told apart"
