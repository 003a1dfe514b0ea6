"""CSV files as people have them: how each is read, or which line refuses it; and what a folder of them becomes."""

import gzip
import re
from dataclasses import dataclass, field

import numpy as np
import pytest
from conftest import ROOT, call, listing, run_script, slow

from edge_demo.datasets import (
    CLASS_NAMES,
    InputError,
    Patches,
    PatchGenerator,
    load_dataset,
    read_csv,
    read_pixels,
    write_csv,
)

# ------------------------------------------------------------------------------------------------ one file

PIXELS = [[0, 0.5, 0.5, 0.25], [0.25, 0, 1, 0.5], [1, 1, 0, 0.75]]  # of three images of 2×2, in nearly every case
ANIMALS = ["cat", "dog", "cat"]
DIGITS = ["7", "3", "7"]
P = dict(zip(("p00", "p01", "p10", "p11"), zip(*PIXELS, strict=True), strict=True))


@dataclass
class Read:
    """A file, the options that read_csv gets, and what it returns; classes: () for the labels, sorted."""

    content: str | bytes
    labels: list = field(default_factory=lambda: ANIMALS)
    pixels: list = field(default_factory=lambda: PIXELS)
    classes: tuple = ()
    options: dict = field(default_factory=dict)


def table(columns, header=True):
    """A file of columns, a dict from name to cells."""
    rows = [[*columns]] * header + [*zip(*columns.values(), strict=True)]
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def labelled(labels, classes=None):
    """The case of a file with these labels."""
    return Read(table({"label": labels, **P}), labels, classes=classes or ())


OURS = table({"label": ANIMALS, **P})
BARE = table({"label": DIGITS, **P}, header=False)
QUOTED = re.sub(r"[^,\n]+", r'"\g<0>"', OURS)
ONE_HOT = {"cat": [1, 0, 1], "dog": [0, 1, 0]}

READ = {
    # the label: by --label, by its name, by a part of it, at one end, one-hot
    "label as the flag says": Read(table({"y": "123", **P, "a": ANIMALS}), options={"label": "a", "drop": ["y"]}),
    "label as the flag says, by place": Read(table({**P, "": DIGITS}, header=False), DIGITS, options={"label": "5"}),
    **{
        f"label called {name}": Read(table({"p00": P["p00"], name: DIGITS, **P}), DIGITS)
        for name in ("label", "Labels", "CLASS", "target", "Digit", "y", "number_label", "classLabel")
    },
    "label at the beginning, numbers": Read(table({"answer": DIGITS, **P}), DIGITS),
    "label at the end, no header": Read(table({**P, "": DIGITS}, header=False), DIGITS),
    "one-hot at the beginning": Read(table({**ONE_HOT, **P})),
    "a whole name before a part": Read(table({"label_id": [1, 2, 3], "label": ANIMALS, **P})),
    "one-hot at the end, called like labels": Read(
        table({**P, "class_a": [1, 0, 1], "class_b": [0, 1, 0]}), ["class_a", "class_b", "class_a"]
    ),
    "one-hot, no header": Read(table({**P, **ONE_HOT}, header=False), ["0", "1", "0"]),
    # headers
    "numbers as names": Read(table({**dict(zip("0123", P.values(), strict=True)), "answer": DIGITS}), DIGITS),
    "no header": Read(BARE, DIGITS),
    # other columns
    "pandas' index": Read(table({"": [0, 1, 2], "label": ANIMALS, **P})),
    "an id of text, and the label at the end beside it": Read(table({"ImageId": "abc", "species": ANIMALS, **P})),
    "what is dropped": Read(table({"a": "abc", "label": ANIMALS, **P, "f": [1, 2, 1]}), options={"drop": ["f", "a"]}),
    "kinds of others": Read(table({"kind": "abc", "label": ANIMALS, **P})),
    # dialects
    "semicolons": Read(OURS.replace(",", ";")),
    "tabs": Read(OURS.replace(",", "\t")),
    "everything quoted": Read(QUOTED),
    "byte-order mark, quoted": Read(QUOTED.encode("utf-8-sig")),
    "CRLF": Read(OURS.replace("\n", "\r\n")),
    "compressed": Read(gzip.compress(OURS.encode())),
    "trailing commas": Read(OURS.replace("\n", ",\n")),
    "trailing commas of the rows alone": Read(OURS.replace("\n", ",,\n").replace(",,\n", "\n", 1)),
    "trailing tabs, no header": Read(BARE.replace("\n", ",\n").replace(",", "\t"), DIGITS),
    "blank lines": Read(f"\n\n{OURS}   \n,,,,\n".replace("cat", "\n\ncat")),
    "spaces around cells": Read(OURS.replace(",", " , ")),
    "numbers of every form": Read(
        "label,a,b,c,d\ncat,+1,-2e-3,.5,1E2\ndog,1.,0,-0.0,100000000\n",
        ["cat", "dog"],
        [[1, -0.002, 0.5, 100], [1, 0, 0, 1e8]],
    ),
    # classes
    "our classes in our order": labelled(["No Edge", "Edge", "No Edge"], CLASS_NAMES),
    "classes that are numbers": labelled(["10", "9", "-2"], ("-2", "9", "10")),
    "classes that are fractions": labelled(["10.5", "2.5", "-1.5"], ("-1.5", "2.5", "10.5")),
    "1.0 and 1 are one class": Read(table({"label": ["1.0", "2e0", "1"], **P}), ["1", "2", "1"]),
    "long numbers are not rounded": labelled([f"900719925474099{k}" for k in (3, 2, 2)]),
    "classes of any script": labelled(["猫", "São Paulo", "🐈"]),
    "classes with commas and quotes": Read(OURS.replace("dog", '"say, ""x"""'), ["cat", 'say, "x"', "cat"]),
    "classes that are known": Read(OURS, classes=("eel", "dog", "cat"), options={"class_names": ("eel", "dog", "cat")}),
}


@dataclass
class Refused:
    """A file, a regular expression for the refusal, and the options that read_csv gets."""

    content: str | bytes
    message: str
    options: dict = field(default_factory=dict)


def changed(row, column, cell, text=OURS):
    """text with another cell; the header is row 0, and the label column 0."""
    rows = [line.split(",") for line in text.splitlines()]
    rows[row][column] = cell
    return "".join(",".join(cells) + "\n" for cells in rows)


REFUSED = {
    # the label
    "two names": Refused(table({"label": DIGITS, **P, "class": DIGITS}), "--label label or --label class.*--drop"),
    "both ends": Refused(table({"a": DIGITS, **P, "b": ANIMALS}), "--label a or --label b.*--drop"),
    "both ends, no header": Refused(table({"a": DIGITS, **P, "b": DIGITS}, header=False), "--label 1 or --label 6"),
    "neither end": Refused(table({"a": [0.5, 1, 2], **P}), "label.*--label"),
    "a label that is not there": Refused(OURS, "no column 'nope'", {"label": "nope"}),
    "an empty label": Refused(changed(2, 0, " "), "line 3, column label.*empty"),
    "a label that is NaN": Refused(table({"label": ["7", "NaN", "3"], **P}), "line 3, column label"),
    "a label with a control character": Refused(changed(2, 0, "a\x1b[31m"), "line 3, column label"),
    "a label that nobody knows": Refused(OURS, "line 3, column label: 'dog' is none of cat", {"class_names": ["cat"]}),
    "one-hot with two ones": Refused(
        table({**ONE_HOT, **P, "x": [1, 1, 0]}), "line 3, column dog", {"label": ["dog", "x"], "drop": ["cat"]}
    ),
    # other columns
    "text beside the label": Refused(table({"label": ANIMALS, "f": "abc", **P}), "line 2, column f: 'a'.*--drop"),
    "a drop that is not there": Refused(OURS, "no column 'nope'", {"drop": ["nope"]}),
    "a name twice": Refused(OURS.replace("p01", "p00"), "line 1: several columns are named 'p00'"),
    "a name with a control character": Refused("\n" + OURS.replace("p01", "p\x07"), r"line 2: a control .*x07"),
    # no tables
    "nothing": Refused("\n\n", "is empty"),
    "a header only": Refused(OURS.partition("\n")[0], "no images"),
    "spaces": Refused(OURS.replace(",", " "), "line 2: spaces"),
    "spaces, as np.savetxt writes them": Refused("7.0e+00 0.0e+00 1.0e+00\n3.0e+00 0.0e+00 1.0e+00", "line 2: spaces"),
    "pixels in one cell": Refused(f"emotion,pixels\n3,{' 70' * 100_000}\n", "line 2: spaces part the numbers"),
    "a web page": Refused("\n <!DOCTYPE html>\n<p>1,2", "is an HTML page"),
    "a Git-LFS pointer": Refused("version https://git-lfs.github.com/spec/v1\nsize 1\n", "Git-LFS pointer"),
    "gzip that ends too soon": Refused(gzip.compress(OURS.encode())[:-12], "no whole gzip file"),
    "Latin-1": Refused(OURS.replace("dog", "Bär").encode("latin-1"), "line 3.*UTF-8"),
    "UTF-16": Refused(OURS.encode("utf-16"), "line 1.*UTF-8"),
    # rows and cells
    "a row that is short": Refused(OURS + "cat,0,1,0\n", "line 5: 4 cells, but 5"),
    "a row that is long, behind a blank line": Refused(OURS + "\ncat,0,1,0,1,1\n", "line 6: 6 cells, but 5"),
    "a header that is short": Refused(OURS.replace(",p11", ""), "line 2: 5 cells, but 4"),
    "an open quote": Refused(OURS.replace("dog", '"dog'), "line 3: 1 cells"),
    "decimal commas": Refused(OURS.replace(",", ";").replace(".", ","), "line 2, column p01: '0,5'"),
    "a pixel at the end of a row": Refused(changed(3, 4, "x"), "line 4, column p11: 'x'"),
    "no pixel": Refused(changed(3, 3, ""), "line 4, column p10: .*missing"),
    "NaN": Refused(changed(3, 3, "NaN"), "line 4, column p10: 'NaN'.*missing"),
    **{
        f"the pixel {cell!r}": Refused(changed(3, 3, cell), f"line 4, column p10: {re.escape(repr(cell))}")
        for cell in ("x", "-inf", "1e999", "-1.1e9", "0.1.2", "1 2", "0x1", "1_0", "é", "\0")
    },
    # images
    "no square": Refused("label,a,b,c,d,e\ncat,1,2,3,4,5\n", "5 pixels are no square.*--shape"),
    "another shape": Refused(OURS, "4 pixels are not 2×3", {"shape": (2, 3)}),
}


def put(folder, content):
    path = folder / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def texts(patches):
    return [patches.class_names[k] for k in patches.labels]


@pytest.mark.parametrize("case", READ.values(), ids=READ)
def test_a_file_is_read_as_it_is_meant(tmp_path, case):
    found = read_csv(put(tmp_path, case.content), **case.options)
    assert found.pixels.tolist() == case.pixels
    assert texts(found) == case.labels
    assert found.class_names == (case.classes or tuple(sorted({*case.labels})))
    assert found.shape == (2, 2)


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_understood_is_refused_in_one_line_with_the_place(tmp_path, case):
    path = put(tmp_path, case.content)
    with pytest.raises(InputError, match=case.message) as caught:
        read_csv(path, **case.options)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------ write_csv


@pytest.mark.parametrize("kinds", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (2, 6), (28, 28)])
def test_what_is_written_comes_back_to_four_decimals(tmp_path, shape, kinds):
    rng, indexes = np.random.default_rng(0), np.arange(9)
    pixels = rng.normal(0.5, 1, (9, shape[0] * shape[1]))
    patches = Patches(pixels, indexes % 2, indexes % 7 if kinds else None, shape=shape)
    write_csv(tmp_path / "a.csv", patches)
    found = read_csv(tmp_path / "a.csv", shape=shape)
    assert found.pixels.tolist() == [[float(f"{value:.4f}") for value in row] for row in patches.pixels]
    np.testing.assert_array_equal(found.labels, patches.labels)
    assert (found.kinds.tolist() if kinds else found.kinds) == (patches.kinds.tolist() if kinds else None)
    assert (found.class_names, found.shape) == (CLASS_NAMES, shape)


@pytest.mark.parametrize(("side", "second_row", "last"), [(10, "p10", "p99"), (28, "p0100", "p2727")])
def test_pixel_columns_are_named_by_row_and_column(tmp_path, side, second_row, last):
    write_csv(tmp_path / "a.csv", Patches(np.zeros((1, side * side)), [0]))
    names = (tmp_path / "a.csv").read_text(encoding="utf-8").partition("\n")[0].split(",")
    assert (names[1 + side], names[-1]) == (second_row, last)


# ------------------------------------------------------------------------------------------------ load_dataset


def images(n=40, high=255, seed=0, names=("cat", "dog")):
    """Labels, one name as often as another, and whole pixels 0 to high (n, 4), both ends among them."""
    pixels = np.random.default_rng(seed).integers(0, high + 1, (n, 4))
    pixels[0, :2] = 0, high
    return [names[i % len(names)] for i in range(n)], pixels


def save(path, labels, pixels, name="label", header=True):
    """A CSV file of labels, or of none, and pixels."""
    columns = {} if labels is None else {name: labels}
    columns |= {f"pixel{i}": column.tolist() for i, column in enumerate(np.transpose(pixels))}
    path.parent.mkdir(exist_ok=True)
    path.write_text(table(columns, header), encoding="utf-8")
    return path


def says(dataset, words):
    return any(re.search(words, line) for line in dataset.understood)


def test_a_dataset_is_read_with_the_classes_of_its_training_set(tmp_path):
    labels, pixels = images(names=("1", "2", "10"))
    save(tmp_path / "train.csv", [f"{label}.0" for label in labels], pixels)
    save(tmp_path / "test.csv", labels[1::3] + labels[2::3], pixels[:26], "Target")
    dataset = load_dataset(str(tmp_path))
    assert dataset.train.class_names == dataset.test.class_names == ("1", "2", "10")
    assert texts(dataset.train) == labels
    assert texts(dataset.test) == labels[1::3] + labels[2::3]
    assert (dataset.generator, dataset.unlabelled, dataset.test_rows) == (None, None, None)


def test_a_test_file_that_does_not_fit_its_training_file_is_refused(tmp_path):
    labels, pixels = images()
    save(tmp_path / "train.csv", labels, pixels)
    save(tmp_path / "test.csv", ["cat", "cta"] * 20, pixels)
    with pytest.raises(InputError, match=r"test\.csv, line 3, column label: 'cta' is none of cat, dog"):
        load_dataset(tmp_path)
    save(tmp_path / "test.csv", labels, np.hstack([pixels, pixels]))
    with pytest.raises(InputError, match=r"test\.csv has 8 pixels an image, but 4 were trained on"):
        load_dataset(tmp_path)
    save(tmp_path / "test.csv", labels[:1], pixels[:1])
    with pytest.raises(InputError, match="1 images to test on, but 2 are needed"):
        load_dataset(tmp_path)


def test_what_nothing_can_be_learned_from_is_refused(tmp_path):
    labels, pixels = images(60)
    for wrong, message in ((["cat"] * 60, "1 class"), ([f"class {i}" for i in range(60)], "60 classes")):
        with pytest.raises(InputError, match=rf"a\.csv: {message}"):
            load_dataset(save(tmp_path / "a.csv", wrong, pixels))
    with pytest.raises(InputError, match=r"a\.csv: every pixel is 7"):
        load_dataset(save(tmp_path / "a.csv", labels, np.full((60, 4), 7)))
    for share in (0, 1, float("nan")):
        with pytest.raises(InputError, match="share"):
            load_dataset(save(tmp_path / "a.csv", labels, pixels), test_share=share)


FOLDERS = {  # the files of a folder, those to train and to test on
    "in any case, compressed": (["Train.CSV", "TEST.csv.gz"], "Train.CSV", "TEST.csv.gz"),
    "beside others": (["train.csv", "test.csv", "my_train.csv", "x.csv"], "train.csv", "test.csv"),
    "parts of names": (["mnist_train.csv", "mnist-test.csv"], "mnist_train.csv", "mnist-test.csv"),
    "no whole words": (["train.csv", "latest.csv", "contest.csv"], "train.csv", None),
    "no whole words, but one": (["old_train.csv", "contest.csv", "strain.csv"], "old_train.csv", None),
    "a single file": (["mnist.csv"], "mnist.csv", None),
    "two files": (["one.csv", "two.csv"], None, None),
    "two to test on": (["train.csv", "test_a.csv", "test_b.csv"], None, None),
    "nothing to train on": (["test.csv"], None, None),
    "none": ([], None, None),
}


@pytest.mark.parametrize(("names", "train", "test"), FOLDERS.values(), ids=FOLDERS)
def test_the_files_to_train_and_to_test_on_are_those_whose_names_have_these_words(tmp_path, names, train, test):
    for seed, name in enumerate(names):
        path = save(tmp_path / "data" / name, *images(20 + seed))
        if name.endswith("gz"):
            path.write_bytes(gzip.compress(path.read_bytes()))
    if train is None:
        with pytest.raises((InputError, OSError), match=re.escape(str(tmp_path))):
            load_dataset(tmp_path / "data")
        return
    dataset = load_dataset(tmp_path / "data")
    trained = 20 + names.index(train)
    assert len(dataset.train) + (0 if test else len(dataset.test)) == trained
    assert (dataset.test_rows is None) == (test is not None)
    if test:
        assert len(dataset.test) == 20 + names.index(test)


@pytest.mark.parametrize("name", ["train.csv", "Train.CSV"])
@pytest.mark.parametrize(("names", "known"), [(CLASS_NAMES, True), (("Line", "Blank"), False)])
def test_a_generator_beside_the_file_counts_for_the_demos_own_patches_only(tmp_path, name, names, known):
    generator = PatchGenerator(brightness=(50, 20), contrast=(30, 10), noise=10)
    patches = generator.sample(40, np.random.default_rng(0))
    generator.to_json(tmp_path / "generator.json")
    write_csv(tmp_path / name, Patches(patches.pixels, patches.labels, None, names))
    dataset = load_dataset(tmp_path)
    assert (dataset.generator, dataset.scaling is None) == (generator if known else None, known)
    assert load_dataset(save(tmp_path / "own.csv", *images())).generator is None


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_a_split_takes_its_share_of_each_class_by_the_seed_and_names_the_rows(tmp_path, share):
    labels = ["7"] * 100 + ["3"] * 30 + ["5"] * 10
    pixels = np.random.default_rng(0).random((140, 4)).round(4)
    path = save(tmp_path / "a.csv", labels, pixels, header=False)
    path.write_text(path.read_text().replace("\n", "\n\n"))  # rows are counted without blank lines
    dataset = load_dataset(path, test_share=share)
    rows = np.asarray(dataset.test_rows) - 1
    rest = np.setdiff1d(np.arange(140), rows)
    for part, chosen in ((dataset.test, rows), (dataset.train, rest)):
        np.testing.assert_array_equal(part.pixels, pixels[chosen])
        assert texts(part) == [labels[row] for row in chosen]
    assert np.bincount(dataset.test.labels).tolist() == [30 * share, 10 * share, 100 * share]
    assert load_dataset(path, test_share=share).test_rows.tolist() == dataset.test_rows.tolist()
    assert load_dataset(path, test_share=share, seed=1).test_rows.tolist() != dataset.test_rows.tolist()


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("extra", [{}, {"id": range(7)}, {"label": [""] * 7}])
def test_a_test_file_without_labels_is_kept_apart_and_scores_come_from_the_training_file(tmp_path, extra, header):
    labels, pixels = images(names=("1", "0"))
    _, new = images(7, seed=1)
    save(tmp_path / "train.csv", labels, pixels, header=header)
    columns = (extra if header else {}) | {f"pixel{i}": column for i, column in enumerate(new.T.tolist())}
    (tmp_path / "test.csv").write_text(table(columns, header))
    dataset = load_dataset(tmp_path, label=None if header else "1")
    np.testing.assert_array_equal(dataset.unlabelled, new / 255)
    np.testing.assert_array_equal(dataset.test.pixels, pixels[np.asarray(dataset.test_rows) - 1] / 255)
    assert says(dataset, "test.csv: 7 images without labels")


def test_label_drop_and_shape_hold_for_both_files(tmp_path):
    labels, pixels = images(names=("7", "3"))
    for name in ("train.csv", "test.csv"):
        columns = {"fold": labels, **dict(zip("abcd", pixels.T.tolist(), strict=True)), "answer": labels}
        (tmp_path / name).write_text(table(columns))
    dataset = load_dataset(tmp_path, label="answer", drop=["fold"], shape=(1, 4))
    assert texts(dataset.train) == texts(dataset.test) == labels
    assert dataset.train.shape == dataset.test.shape == (1, 4)
    np.testing.assert_array_equal(dataset.test.pixels, pixels / 255)


SCALES = [  # the lowest and highest pixel of a training file, and the range that is brought to 0 to 1
    (0, 254, (0, 255)),
    (3, 101, (0, 255)),
    (0, 100, (0, 100)),
    (0, 65535, (0, 65535)),
    (-1000, 3000, (-1000, 3000)),
    (0.5, 0.55, (0.5, 0.55)),
    (0, 4.5, (0, 4.5)),
    (-3.5, 1, (-3.5, 1)),
    (0, 1, None),
    (-3, 4, None),
    (0.2, 0.31, None),
]


@pytest.mark.parametrize(("low", "high", "expected"), SCALES)
def test_pixels_far_from_0_to_1_are_brought_there_by_the_range_of_the_training_file(tmp_path, low, high, expected):
    labels, pixels = images(high=1)
    other = np.array([[low, high, high + 7, low - 9]] * 4)  # of the test file, which decides nothing
    save(tmp_path / "train.csv", labels, np.where(pixels, high, low))
    save(tmp_path / "test.csv", labels[:4], other)
    dataset = load_dataset(tmp_path)
    assert (dataset.scaling is None) == (expected is None)
    low_1, high_1 = expected or (0, 1)
    np.testing.assert_array_equal(dataset.train.pixels, (np.where(pixels, high, low) - low_1) / (high_1 - low_1))
    np.testing.assert_array_equal(dataset.test.pixels, (other - low_1) / (high_1 - low_1))
    np.testing.assert_array_equal(read_csv(tmp_path / "test.csv").pixels, other)  # as they are written


def test_what_was_understood_is_said(tmp_path):
    labels, pixels = images()
    save(tmp_path / "train.csv", labels, pixels)
    save(tmp_path / "test.csv", labels, images(seed=1)[1])
    assert load_dataset(tmp_path).understood == [
        "train.csv: 40 images of 2×2, label in column label, pixels 0 to 255 taken as 0 to 1, 2 classes",
        "test.csv: 40 images",
    ]
    columns = {"id": range(40), **dict(zip("abcd", pixels.T.tolist(), strict=True))}
    for k, name in enumerate(("cat", "dog")):
        columns[name] = [int(label == ("cat", "dog")[k]) for label in labels]
    path = put(tmp_path, table(columns))
    assert says(load_dataset(path), "one-hot in columns cat to dog, .*2 classes, column id left out$")
    assert says(load_dataset(path), "8 images of a.csv, about 20 % of each class, are held out to test")
    assert load_dataset(ROOT / "data").understood == []


def test_what_makes_scores_say_less_is_said(tmp_path):
    labels, pixels = images(names=("cat", "dog", "eel"))
    save(tmp_path / "train.csv", labels, pixels * 255)
    save(tmp_path / "test.csv", ["dog"] * 5, np.vstack([pixels[:2] * 255, pixels[2:5]]))
    dataset = load_dataset(tmp_path)
    assert says(dataset, "2 of 5 test images are training images, too")
    assert says(dataset, "no test image is of cat, eel:")
    save(tmp_path / "test.csv", labels, images(seed=1)[1])
    assert says(load_dataset(tmp_path), "0 to 255, but 0 to 65025 in training: are they on the same scale?")
    save(tmp_path / "test.csv", labels, images(high=7000)[1])
    assert not says(load_dataset(tmp_path), "same scale")
    lone = load_dataset(save(tmp_path / "a.csv", ["fox", *["owl"] * 2, *["elk"] * 3, *labels[6:]], pixels))
    assert "fox" in texts(lone.train)
    assert texts(lone.test).count("owl") == texts(lone.test).count("elk") == 1
    assert says(lone, "no test image is of fox:")


def test_new_images_are_read_with_labels_of_any_sort_or_none(tmp_path):
    labels, pixels = images()
    for given in (None, labels, ["what"] * 40, [""] * 40, ["", "cat"] * 20):
        content = save(tmp_path / "new.csv", given, pixels).read_bytes()
        np.testing.assert_array_equal(read_pixels(content, 4, label=["label"], drop=["file"]), pixels)
    with pytest.raises(InputError, match=r"^standard input has 4 pixels an image, but 9 were trained on"):
        read_pixels(content, 9, name="standard input")


@slow
def test_the_committed_data_is_what_its_script_writes(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    run_script("make_data.py", "--out", tmp_path)
    for name in ("train.csv", "test.csv", "generator.json"):
        assert (tmp_path / name).read_bytes() == (ROOT / "data" / name).read_bytes()
    assert sorted(listing(tmp_path)) == ["README.md", "generator.json", "test.csv", "train.csv"]
    dataset = load_dataset(tmp_path)
    exact = -dataset.generator.log_posterior(dataset.test.pixels)[np.arange(2000), dataset.test.labels]
    assert (dataset.generator, len(dataset.train)) == (PatchGenerator(), 4000)
    assert abs(dataset.generator.bayes_loss - exact.mean()) < 4 * exact.std() / 2000**0.5
    assert dataset.generator.bayes_loss == pytest.approx(0.182, abs=0.001)  # as the design says


def test_make_data_never_replaces_patches_that_it_has_not_made(tmp_path):
    save(tmp_path / "train.csv", *images())
    before = listing(tmp_path)
    done = call("make_data.py", "--train", "9", "--test", "9", "--out", tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "patches that were not made here" in done.stderr
    assert listing(tmp_path) == before
