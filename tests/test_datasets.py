"""CSV files of every sort: how each is read, or which line refuses it; and what a folder of them becomes.

A case is a small file and the one reading that is right, or the words that a refusal must hold.
"""

import csv
import gzip
import io
import itertools
import re
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest
from conftest import ROOT, call, listing, run_script
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import load_dataset, read_csv, write_csv
from edge_demo.datasets.patches import CLASS_NAMES, Patches
from edge_demo.explorer.page import write_explorer
from edge_demo.runs.run import load_run

# ------------------------------------------------------------------------------------------------ cases

PIXELS = [[0, 1, 0.5, 1], [0.25, 0, 1, 0], [1, 1, 0, 0]]  # of three images of 2×2, in nearly every case
ANIMALS = ["cat", "dog", "cat"]
DIGITS = ["7", "3", "7"]


@dataclass
class Read:
    """A file, the options that read_csv gets, and what it returns."""

    content: str | bytes
    labels: list = field(default_factory=lambda: ANIMALS)
    pixels: list = field(default_factory=lambda: PIXELS)
    classes: tuple = ()  # () for the labels, sorted
    shape: tuple = (2, 2)
    options: dict = field(default_factory=dict)


@dataclass
class Refused:
    """A file, the options that read_csv gets, and a regular expression for the refusal."""

    content: str | bytes
    message: str
    options: dict = field(default_factory=dict)


def grey(*names):
    """The columns of PIXELS by these names."""
    return dict(zip(names, zip(*PIXELS, strict=True), strict=True))


P00 = grey("p00", "p01", "p10", "p11")


def table(columns, sep=",", header=True):
    """A file of columns, a dict from name to cells."""
    rows = [[*columns]] * header + [*zip(*columns.values(), strict=True)]
    return "".join(sep.join(map(str, row)) + "\n" for row in rows)


OURS = table({"label": ANIMALS, **P00})
SEMICOLONS = OURS.replace(",", ";")
TABS = OURS.replace(",", "\t")
BARE = table({"label": DIGITS, **P00}, header=False)  # MNIST as CSV
PIXEL = {f"pixel{i}": cells for i, cells in enumerate(P00.values())}


def classes(labels, expected=None):
    """The case of a file with these labels, whose classes are in this order; by default sorted."""
    rows = "".join(f"{label},0,1,{i}\n" for i, label in enumerate(labels))
    pixels = [[0, 1, i] for i in range(len(labels))]
    names = tuple(expected or sorted({*labels}))
    return Read("label,a,b,c\n" + rows, labels, pixels, names, (1, 3), {"shape": (1, 3)})


LONG = ("9007199254740992", "9007199254740993", "12345678901234567")  # the first two are one as float64

READ = {
    # headers
    "our header": Read(OURS),
    "our header and kinds": Read(table({"label": ANIMALS, "kind": ["ramp", "flat", "speck"], **P00})),
    "Kaggle's header": Read(table({"label": DIGITS, **PIXEL}), DIGITS),
    "pixels that count from 1": Read(table({"label": DIGITS, **grey("pixel1", "pixel2", "pixel3", "pixel4")}), DIGITS),
    "pixels named 1x1": Read(table({"label": DIGITS, **grey("1x1", "1x2", "2x1", "2x2")}), DIGITS),
    "scikit-learn's header": Read(
        table({**grey("pixel_0_0", "pixel_0_1", "pixel_1_0", "pixel_1_1"), "target": DIGITS}), DIGITS
    ),
    "any names in any order": Read(table({"label": ANIMALS, **grey("north", "East", "a b", "Ünten")})),
    "numbers as names": Read(table({"label": DIGITS, **grey("0", "1", "2", "3")}), DIGITS),
    "numbers as names, label last": Read(table({**grey("0", "1", "2", "3"), "target": DIGITS}), DIGITS),
    "a quoted header": Read('"label","p00","p01","p10","p11"\n' + OURS.partition("\n")[2]),
    "no header": Read(BARE, DIGITS),
    "no header, label by its place": Read(table({**P00, "": DIGITS}, header=False), DIGITS, options={"label": "5"}),
    "no header, label in text": Read(table({"": ANIMALS, **P00}, header=False)),
    "no header, label in text, last": Read(table({**P00, "": ANIMALS}, header=False)),
    "a header after a hash, as np.savetxt writes it": Read("# " + OURS),
    "a hint for Excel": Read("sep=;\n" + SEMICOLONS),
    "no header, a class called y": Read(table({"": "yny", **P00}, header=False), [*"yny"]),
    "no header, an image that counts": Read(
        "cat,0,1,2,3\ndog,1,0,0,1\ncat,0,0,0,0\n", pixels=[[0, 1, 2, 3], [1, 0, 0, 1], [0] * 4]
    ),
    "no header and one row": Read("7,0,1,0.5,1\n", ["7"], PIXELS[:1]),
    # the label column
    **{
        f"label called {name}, {'last' if last else 'first'}": Read(
            table({**P00, name: DIGITS} if last else {name: DIGITS, **P00}), DIGITS
        )
        for name in ("label", "class", "target", "y", "digit", "category", "LABEL", "Class", "Target", "Y")
        for last in (False, True)
    },
    "label is the only text, first": Read(table({"species": ANIMALS, **P00})),
    "label is the only text, last": Read(table({**P00, "species": ANIMALS})),
    "label is the only text, in the middle": Read(
        "a,b,species,c,d\n0,1,cat,0.5,1\n0.25,0,dog,1,0\n1,1,cat,0,0\n",
    ),
    "label as the flag says": Read(table({**P00, "answer": DIGITS}), DIGITS, options={"label": "answer"}),
    "label as the flag says, against a usual name": Read(
        table({"label": DIGITS, **P00, "class": ANIMALS}), options={"label": "class", "drop": ["label"]}
    ),
    # extra columns
    "pandas' index": Read(table({"": [0, 1, 2], "label": ANIMALS, **P00})),
    "pandas' index, read and written again": Read(table({"Unnamed: 0": [0, 1, 2], "label": DIGITS, **P00}), DIGITS),
    "an id from 1": Read(table({"id": [1, 2, 3], "label": ANIMALS, **P00})),
    "an id from 1000": Read(table({"id": [1000, 1001, 1002], "label": ANIMALS, **P00})),
    "an index before the only text": Read(table({"": [0, 1, 2], **P00, "species": ANIMALS})),
    "text that is dropped": Read(
        table({"label": ANIMALS, "file": ["a.png", "b.png", "c.png"], **P00}), options={"drop": ["file"]}
    ),
    "numbers that are dropped": Read(table({"label": ANIMALS, **P00, "fold": [1, 2, 1]}), options={"drop": ["fold"]}),
    "several columns that are dropped": Read(
        table({"file": "abc", "label": ANIMALS, **P00, "fold": [1, 2, 1]}), options={"drop": ["fold", "file"]}
    ),
    "a column that is dropped by its place": Read(
        table({"1": DIGITS, "2": [5, 5, 6], **P00}, header=False), DIGITS, options={"drop": ["2"]}
    ),
    "kinds that are dropped": Read(
        table({"label": ANIMALS, "kind": ["a", "b", "c"], **P00}), options={"drop": ["kind"]}
    ),
    # dialects
    "semicolons": Read(SEMICOLONS),
    "tabs": Read(TABS),
    "decimal comma, semicolons": Read(SEMICOLONS.replace(".", ",")),
    "decimal comma, semicolons, no header": Read(BARE.replace(",", ";").replace(".", ","), DIGITS),
    "decimal comma, tabs": Read(TABS.replace(".", ",")),
    "decimal comma, quoted, semicolons": Read(SEMICOLONS.replace("0.5", '"0,5"').replace("0.25", '"0,25"')),
    "spaces around cells": Read(OURS.replace(",", " , ").replace("\n", "  \n")),
    "quoted numbers": Read(re.sub(r"[\d.]+", r'"\g<0>"', OURS)),
    "everything quoted": Read(re.sub(r"[^,\n]+", r'"\g<0>"', OURS)),
    "trailing commas": Read(OURS.replace("\n", ",\n")),
    "trailing semicolons": Read(SEMICOLONS.replace("\n", ";\n")),
    "trailing commas, no header": Read(BARE.replace("\n", ",\n"), DIGITS),
    "blank lines between": Read(OURS.replace("\n", "\n\n")),
    "blank lines before and behind": Read(f"\n\n{OURS}\n\n\n"),
    "a line of spaces": Read(OURS + "   \n"),
    "no end of line at the end": Read(OURS.removesuffix("\n")),
    "byte-order mark": Read(OURS.encode("utf-8-sig")),
    "byte-order mark, quoted": Read(re.sub(r"[^,\n]+", r'"\g<0>"', OURS).encode("utf-8-sig")),
    "byte-order mark, no header": Read(BARE.encode("utf-8-sig"), DIGITS),
    "CRLF": Read(OURS.replace("\n", "\r\n")),
    "Excel's Unicode text": Read(b"\xff\xfe" + TABS.replace("\n", "\r\n").encode("utf-16-le")),
    "UTF-16, the other order of bytes": Read(b"\xfe\xff" + OURS.encode("utf-16-be")),
    "UTF-16, no header": Read(BARE.encode("utf-16"), DIGITS),
    "compressed": Read(gzip.compress(OURS.encode())),
    "compressed UTF-16": Read(gzip.compress(SEMICOLONS.replace(".", ",").encode("utf-16"))),
    "numbers of every form": Read(
        "label,a,b,c,d\ncat,+1,-2e-3,.5,1E2\ndog,1.,0,-0.0,100000000\n",
        ["cat", "dog"],
        [[1, -0.002, 0.5, 100], [1, 0, 0, 1e8]],
    ),
    # labels
    "classes by the alphabet": classes(["b", "c", "a"]),
    "our classes in our order": classes(["No Edge", "Edge"], CLASS_NAMES),
    "one of our classes": classes(["No Edge"], CLASS_NAMES),
    "classes that are numbers": classes(["10", "9", "2"], ("2", "9", "10")),
    "classes that are negative": classes(["1", "-1", "-10", "0"], ("-10", "-1", "0", "1")),
    "classes that are fractions": classes(["10.5", "2.5", "-1.5"], ("-1.5", "2.5", "10.5")),
    "classes that are true or false": classes(["True", "False", "True"], ("False", "True")),
    "classes with zeros in front": classes(["042", "007", "113"]),
    "classes of long numbers": classes(["9007199254740993", "12345678901234567", "9007199254740992"], LONG),
    "a number among names": classes(["b", "10", "a"], ("10", "a", "b")),
    "classes of any script": classes(["猫", "собака", "γάτα", "Ä", "قط", "🐈"]),
    "classes with spaces": classes(["New York", "São Paulo", "Rio"]),
    "classes that look like columns": classes(["p00", "label", "0x10"]),
    "classes with commas and quotes": Read(
        'label,a,b,c,d\n"a, b",0,1,0.5,1\n"say ""x""",0.25,0,1,0\nplain,1,1,0,0\n', ["a, b", 'say "x"', "plain"]
    ),
    "1.0 and 1 are one class": Read(
        table({"label": ["1.0", "2", "1"], **P00}), ["1", "2", "1"], options={"class_names": ("1", "2")}
    ),
    "1.0 and 2.0 are whole numbers": Read(
        table({"label": ["1.0", "10.0", "2.0"], **P00}), ["1", "10", "2"], classes=("1", "2", "10")
    ),
    "classes that are known": Read(OURS, classes=("eel", "dog", "cat"), options={"class_names": ("eel", "dog", "cat")}),
    # images
    "images of one pixel": Read("label,a\ncat,0\ndog,1\n", ["cat", "dog"], [[0], [1]], shape=(1, 1)),
    "images of one pixel, no header": Read("7,0\n3,1\n", ["7", "3"], [[0], [1]], shape=(1, 1)),
    "images that are not square": Read(
        "label,a,b,c,d,e,f\ncat,1,2,3,4,5,6\n", ["cat"], [[1, 2, 3, 4, 5, 6]], shape=(2, 3), options={"shape": (2, 3)}
    ),
    "images of one row": Read(OURS, shape=(1, 4), options={"shape": (1, 4)}),
    "three times a square, but so it is said": Read(
        "cat" + ",0" * 12 + "\n", ["cat"], [[0] * 12], shape=(3, 4), options={"shape": (3, 4)}
    ),
    "images of 10,000 pixels": Read("7" + ",1" * 10_000 + "\n", ["7"], [[1] * 10_000], shape=(100, 100)),
}


def changed(row, column, cell, text=OURS):
    """text with another cell; the header is row 0, and the label column 0."""
    rows = [line.split(",") for line in text.splitlines()]
    rows[row][column] = cell
    return "".join(",".join(cells) + "\n" for cells in rows)


REFUSED = {
    # headers
    "pixels sorted by name": Refused(
        table({"label": DIGITS, **grey("pixel0", "pixel1", "pixel10", "pixel2")}), "line 1.*pixel(10|2)"
    ),
    "pixels swapped": Refused(table({"label": DIGITS, **grey("p00", "p10", "p01", "p11")}), "line 1.*p(10|01)"),
    "columns counted down": Refused(table({"label": DIGITS, **grey("1x2", "1x1", "2x2", "2x1")}), "line 1.*1x[12]"),
    # the label column
    "two usual names": Refused(table({"label": DIGITS, **P00, "class": DIGITS}), "label.*class.*--label"),
    "a usual name and another text": Refused(table({"digit": DIGITS, "word": ANIMALS, **P00}), "word.*--(drop|label)"),
    "no label at all": Refused(table(grey("a", "b", "c", "d")), "--label"),
    "numbers by unusual names": Refused(table({"answer": DIGITS, **P00}), "--label"),
    "two texts by unusual names": Refused(table({"one": ANIMALS, "two": ANIMALS, **P00}), "one.*two.*--(label|drop)"),
    "a label that is not there": Refused(OURS, "nope", {"label": "nope"}),
    "a label that is dropped": Refused(
        table({"species": ANIMALS, **P00}), "species", {"label": "species", "drop": ["species"]}
    ),
    # extra columns
    "text beside the label": Refused(
        table({"label": ANIMALS, "file": ["a.png", "b.png", "c.png"], **P00}), "file.*--drop"
    ),
    "text behind the pixels": Refused(table({"label": ANIMALS, **P00, "note": ["x", "y", "z"]}), "note.*--drop"),
    "an id with a gap": Refused(table({"id": [1, 2, 4], "label": ANIMALS, **P00}), "line 4, column id: '4'.*--drop id"),
    "an id that does not count up": Refused("id,label,a,b,c\n17,cat,0,1,0\n4,dog,1,0,0\n99,cat,1,1,0\n", "id.*--drop"),
    "a drop that is not there": Refused(OURS, "nope", {"drop": ["nope"]}),
    "nothing but a label": Refused("label\ncat\ndog\n", "."),
    "all pixels dropped": Refused(OURS, ".", {"drop": [*P00]}),
    # dialects
    "Latin-1": Refused(OURS.replace("dog", "Bär").encode("latin-1"), "line 3.*UTF-8"),
    "UTF-16 that ends too soon": Refused(OURS.encode("utf-16")[:-1], "."),
    "no gzip": Refused(b"\x1f\x8b" + OURS.encode(), "."),
    "gzip that ends too soon": Refused(gzip.compress(OURS.encode())[:-12], "."),
    "a zero byte": Refused(changed(2, 3, "\0"), "line 3"),
    "an open quote": Refused(OURS.replace("dog", '"dog'), "line"),
    "more cells than an image can have": Refused("label" + ",p" * 20_000 + "\n", "line 1.*20,001 cells"),
    "a cell without end": Refused('label,a,b,c,d\n"' + "x" * 200_000, "line 2"),
    "points and decimal commas": Refused(SEMICOLONS.replace("0.25", "0,25"), "line [23], column p[01]0"),
    "separated by bars": Refused(OURS.replace(",", "|"), "(?i)comma"),
    "separated by spaces": Refused(OURS.replace(",", " "), "(?i)comma"),
    # labels
    "a label that is NaN": Refused(
        table({"label": ["7", "nan", "3"], **P00}), "line 3, column label: 'nan' is no name: fill it in"
    ),
    "an id among many pixels": Refused(
        "label,image_id," + ",".join(f"pixel{i}" for i in range(15)) + "\ncat" + ",0" * 16 + "\n",
        "line 1: column image_id .* --drop image_id",
    ),
    "one column too many": Refused("label,a,b,c,d,e\ncat,1,0,0,0,0\n", "1 more than 2×2 have: --drop NAME"),
    "a flag for a name that is there twice": Refused(
        "label,label,a,b,c,d\n1,1,0,0,0,0\n", "line 1: several columns are named label", {"drop": ["label"]}
    ),
    "a zip file": Refused(b"PK\x03\x04" + bytes(40), "compressed file of another sort than gzip: unpack it"),
    "an empty label": Refused(changed(2, 0, ""), "line 3.*column label"),
    "a label of spaces": Refused(changed(2, 0, "  "), "line 3.*column label"),
    "a label of 201 characters": Refused(changed(2, 0, "x" * 201), "line 3.*column label"),
    "a label that nobody knows": Refused(OURS, "line 3.*dog", {"class_names": ("cat", "eel")}),
    "a kind that nobody knows": Refused(
        table({"label": ANIMALS, "kind": ["ramp", "wavy", "speck"], **P00}), "line 3.*kind.*wavy"
    ),
    # images
    "no square": Refused("label,a,b,c,d,e\ncat,1,2,3,4,5\n", "5 .*--shape"),
    "another shape": Refused(OURS, "4 .*2[x×]3|2[x×]3.* 4 ", {"shape": (2, 3)}),
    "colours": Refused("label" + ",x" * 12 + "\ncat" + ",0" * 12 + "\n", "(?i)colour|rgb|grey"),
    "colours, no header": Refused("7" + ",0" * 75 + "\n", "(?i)colour|rgb|grey"),
    "more than 10,000 pixels": Refused("7" + ",1" * 10_001 + "\n", "10,000|10000", {"shape": (73, 137)}),
    # mistakes
    "nothing": Refused("", "."),
    "blank lines only": Refused("\n\n\n", "."),
    "a header only": Refused(OURS.partition("\n")[0] + "\n", "."),
    "a row that is short": Refused(OURS + "cat,0,1,0\n", "line 5.*4.*5"),
    "a row that is long": Refused(OURS + "\ncat,0,1,0,1,1\n", "line 6.*6.*5"),
    "a row that is short, no header": Refused(BARE + "7,0,1,0\n", "line 4.*4.*5"),
    "a row that is short, behind a broken line": Refused('label,"a\nb",c\ncat,0,1\ndog,1\n', "line 4"),
    "a pixel that is missing, the only one": Refused("label,a\ncat,1\ndog,\n", "line 3"),
    "a pixel that is no number, no header": Refused(changed(1, 2, "x", BARE), "line 2.*column 3.*x"),
    "a decimal comma among points": Refused(OURS.replace("0.25", '"0,25"'), "line 3.*column p00.*0,25"),
    **{
        f"the pixel {cell!r}": Refused(changed(3, 3, cell), f"line 4, column p10: .*{re.escape(cell)}")
        for cell in (
            "",
            "x",
            "nan",
            "-inf",
            "1e999",
            "-1.1e9",
            "0.1.2",
            "0;5",
            "1 2",
            "None",
            "0x1",
            "é",
            "1_0",
            "True",
        )
    },
}


def put(folder, content):
    data = content if isinstance(content, bytes) else content.encode()
    path = folder / ("a.csv.gz" if data.startswith(b"\x1f\x8b") else "a.csv")
    path.write_bytes(data)
    return path


def texts(patches):
    return [patches.class_names[k] for k in patches.labels]


@pytest.mark.parametrize("case", READ.values(), ids=READ)
def test_a_file_is_read_as_it_is_meant(tmp_path, case):
    found = read_csv(put(tmp_path, case.content), **case.options)
    assert found.pixels.tolist() == case.pixels
    assert texts(found) == case.labels
    assert tuple(found.class_names) == (
        case.classes or case.options.get("class_names") or tuple(sorted({*case.labels}))
    )
    assert tuple(found.shape) == case.shape


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_understood_is_refused_in_one_line_with_the_place(tmp_path, case):
    path = put(tmp_path, case.content)
    with pytest.raises(ValueError, match=case.message) as caught:
        read_csv(path, **case.options)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_kinds_are_read_where_they_are_known(tmp_path):
    kinds = table({"label": ANIMALS, "kind": ["vertical", "flat", "speck"], **P00})
    assert read_csv(put(tmp_path, kinds)).kinds.tolist() == [0, 4, 6]
    assert read_csv(put(tmp_path, OURS)).kinds is None


def test_every_number_is_the_one_that_is_written_quoted_or_not(tmp_path):
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(300, 4)) * 10.0 ** rng.integers(-300, 9, (300, 4))
    forms = ["{!r}", "{:.4f}", "{:+.17e}", " {:.3g}", "{:.1E}\t"]
    cells = [[form.format(x) for form, x in zip(rng.permutation(forms), row, strict=False)] for row in numbers.tolist()]
    plain = "label,a,b,c,d\n" + "".join(f"cat,{','.join(row)}\n" for row in cells)
    quoted = "label,a,b,c,d\n" + "".join('cat,"' + '","'.join(row) + '"\n' for row in cells)
    for text in (plain, quoted):
        assert read_csv(put(tmp_path, text)).pixels.tolist() == [[float(cell) for cell in row] for row in cells]


# ------------------------------------------------------------------------------------------------ write_csv


def make(n=9, side=5, classes=CLASS_NAMES, kinds=True, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % len(classes)
    return Patches(rng.normal(0.5, 1, (n, side * side)), labels, np.arange(n) % 7 if kinds else None, classes)


@pytest.mark.parametrize("kinds", [True, False])
@pytest.mark.parametrize("side", [1, 5, 8, 12, 28])
def test_what_is_written_comes_back_to_four_decimals(tmp_path, side, kinds):
    patches = make(side=side, kinds=kinds)
    write_csv(tmp_path / "a.csv", patches)
    found = read_csv(tmp_path / "a.csv")
    assert found.pixels.tolist() == [[float(f"{value:.4f}") for value in row] for row in patches.pixels]
    np.testing.assert_array_equal(found.labels, patches.labels)
    assert (found.kinds.tolist() if kinds else found.kinds) == (patches.kinds.tolist() if kinds else None)
    assert (found.class_names, found.shape, len(found)) == (CLASS_NAMES, (side, side), 9)
    assert (found.pixels.dtype, found.labels.dtype) == (np.float64, np.int64)
    write_csv(tmp_path / "b.csv", found)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize(
    ("side", "first", "second_row", "last"),
    [(5, "p00", "p10", "p44"), (8, "p00", "p10", "p77"), (10, "p00", "p10", "p99"), (28, "p0000", "p0100", "p2727")],
)
def test_pixel_columns_are_named_by_row_and_column(tmp_path, side, first, second_row, last):
    write_csv(tmp_path / "a.csv", make(side=side, kinds=False))
    names = (tmp_path / "a.csv").read_text(encoding="utf-8").partition("\n")[0].split(",")[1:]
    assert (names[0], names[side], names[-1]) == (first, second_row, last)
    assert len(set(names)) == side * side


def test_images_that_are_not_square_come_back_by_their_shape(tmp_path):
    write_csv(tmp_path / "a.csv", Patches(np.arange(24).reshape(2, 12), [0, 1], shape=(2, 6)))
    found = read_csv(tmp_path / "a.csv", shape=(2, 6))
    assert (found.pixels.ravel().tolist(), found.shape) == ([*range(24)], (2, 6))


@pytest.mark.parametrize("form", ["p{:02}{:02}", "p{2:02}", "p{2}", "p{}_{}", "{}x{}"])
@pytest.mark.parametrize("side", [5, 12])
def test_other_names_in_the_same_order_are_read_and_in_another_refused(tmp_path, side, form):
    names = [form.format(*divmod(i, side), i) for i in range(side * side)]
    cells = np.arange(side * side) / 8
    text = "\n".join([",".join(["label", *names]), ",".join(["cat", *map(str, cells)])])
    np.testing.assert_array_equal(read_csv(put(tmp_path, text)).pixels[0], cells)
    swapped = text.replace(f"{names[1]},{names[2]},", f"{names[2]},{names[1]},")
    with pytest.raises(ValueError, match="line 1"):
        read_csv(put(tmp_path, swapped))


def test_names_may_be_numpy_strings(tmp_path):
    names = np.array(["a b", "c, d"])
    write_csv(tmp_path / "a.csv", make(classes=tuple(names)))
    assert read_csv(tmp_path / "a.csv").class_names == ("a b", "c, d")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\r", "\nb", " a", "a ", "\ta", "a\u00a0"])
def test_a_name_that_would_not_come_back_is_refused_and_nothing_is_written(tmp_path, name):
    with pytest.raises(ValueError, match=re.escape(repr(name))):
        write_csv(tmp_path / "a.csv", make(classes=("plain", name)))
    assert listing(tmp_path) == {}


@pytest.mark.parametrize("names", [("1", "1.0"), ("10", "2.0", "2")])
def test_names_that_would_be_read_as_one_class_are_refused(tmp_path, names):
    with pytest.raises(ValueError, match=re.escape(names[-1])):
        write_csv(tmp_path / "a.csv", make(classes=names))
    assert listing(tmp_path) == {}


# ------------------------------------------------------------------------------------------------ load_dataset


def images(n=40, high=255, seed=0, names=("cat", "dog")):
    """Labels, one name as often as another, and whole pixels 0 to high (n, 4), both ends among them."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, high + 1, (n, 4))
    pixels[0, :2] = 0, high
    return [names[i % len(names)] for i in range(n)], pixels


def save(path, labels, pixels, name="label"):
    """A CSV file of labels, or of none, and pixels; compressed where its name says so."""
    columns = {} if labels is None else {name: labels}
    columns |= {f"pixel{i}": column.tolist() for i, column in enumerate(np.transpose(pixels))}
    data = table(columns).encode()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_a_dataset_is_read_with_the_classes_of_its_training_set(tmp_path):
    names = ("cat", "dog", "eel")
    write_csv(tmp_path / "train.csv", make(classes=names))
    write_csv(tmp_path / "test.csv", make(classes=names[1:], kinds=False))
    dataset = load_dataset(str(tmp_path))
    assert dataset.generator is None
    assert dataset.train.class_names == dataset.test.class_names == names
    assert set(dataset.test.labels.tolist()) == {1, 2}
    assert (dataset.unlabelled, dataset.test_rows) == (None, None)


def test_labels_written_as_fractions_are_the_same_classes(tmp_path):
    labels, pixels = images(names=("1", "2", "10"))
    save(tmp_path / "train.csv", [f"{label}.0" for label in labels], pixels)
    save(tmp_path / "test.csv", labels, pixels)
    dataset = load_dataset(tmp_path)
    assert texts(dataset.train) == texts(dataset.test) == labels
    assert dataset.train.class_names == ("1", "2", "10")


def test_a_test_set_that_does_not_fit_its_training_set_is_refused(tmp_path):
    write_csv(tmp_path / "train.csv", make())
    write_csv(tmp_path / "test.csv", make(classes=("Edge", "Egde")))
    with pytest.raises(ValueError, match=r"test\.csv, line 3.*'Egde'.*Edge.*No Edge"):
        load_dataset(tmp_path)
    write_csv(tmp_path / "test.csv", make(side=4))
    with pytest.raises(ValueError, match=r"test\.csv.*(4×4.*5×5|16.*25)"):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (table({"type": ANIMALS, **P00}), "name it species, as in training, if it holds labels, or else remove it"),
        (table({"species": ANIMALS, **P00}, header=False), "the training file has a header, and this one has none"),
    ],
)
def test_labels_of_the_test_set_that_are_not_found_are_answered_with_what_mends_it(tmp_path, text, remedy):
    (tmp_path / "train.csv").write_text(table({"species": ANIMALS, **P00}))
    (tmp_path / "test.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"test\.csv, line .*'cat' is not a pixel.*; {remedy}"):
        load_dataset(tmp_path)


def test_kinds_of_others_are_refused_with_the_flag_that_leaves_them_out(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(table({"label": ANIMALS, "kind": ["tabby", "beagle", "tabby"], **P00}))
    with pytest.raises(ValueError, match=r"'tabby' is none of vertical.*--drop kind"):
        read_csv(path)
    assert read_csv(path, drop=["kind"]).class_names == ("cat", "dog")


def test_a_test_set_whose_columns_stand_in_another_order_is_refused(tmp_path):
    labels, pixels = images()
    for name, order in (("train.csv", "abcd"), ("test.csv", "bacd")):
        (tmp_path / name).write_text(table({"label": labels, **dict(zip(order, pixels.T.tolist(), strict=True))}))
    with pytest.raises(ValueError, match=r"test\.csv.*\bb\b"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("share", [0, 1, -0.2, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(tmp_path, share):
    path = save(tmp_path / "a.csv", *images())
    with pytest.raises(ValueError, match="share"):
        load_dataset(path, test_share=share)


@pytest.mark.parametrize("labels", [["cat"] * 60, [f"class {i}" for i in range(60)]], ids=["1", "60"])
def test_too_few_or_too_many_classes_are_refused(tmp_path, labels):
    path = save(tmp_path / "a.csv", labels, images(60)[1])
    with pytest.raises(ValueError, match=rf"a\.csv.*{len(set(labels))} class"):
        load_dataset(path)


@pytest.mark.parametrize("names", [("train.csv.gz", "test.csv.gz"), ("train.csv", "test.csv.gz")])
def test_files_may_be_compressed(tmp_path, names):
    labels, pixels = images()
    for name in names:
        save(tmp_path / name, labels, pixels)
    dataset = load_dataset(tmp_path)
    assert texts(dataset.train) == texts(dataset.test) == labels
    assert dataset.test_rows is None


@pytest.mark.parametrize("name", ["train.csv", "mnist.csv", "mnist.csv.gz"])
def test_one_file_is_enough_alone_or_in_its_folder(tmp_path, name):
    path = save(tmp_path / "data" / name, *images())
    of_folder, of_file = load_dataset(path.parent), load_dataset(path)
    for one, other in ((of_folder.train, of_file.train), (of_folder.test, of_file.test)):
        np.testing.assert_array_equal(one.pixels, other.pixels)
    assert len(of_file.train) + len(of_file.test) == 40


def test_files_with_train_and_test_in_their_names_are_found_unless_train_csv_is_there(tmp_path):
    for name in ("fashion_train.csv", "fashion_test.csv"):
        save(tmp_path / name, *images(seed=len(name)))
    dataset = load_dataset(tmp_path)
    assert [line.partition(":")[0] for line in dataset.understood] == ["fashion_train.csv", "fashion_test.csv"]
    save(tmp_path / "other_test.csv", *images())
    with pytest.raises(ValueError, match="rename them to"):
        load_dataset(tmp_path)
    (tmp_path / "other_test.csv").unlink()
    assert dataset.test_rows is None
    save(tmp_path / "train.csv", *images())
    dataset = load_dataset(tmp_path)
    assert dataset.understood[0].startswith("train.csv:")
    assert dataset.test_rows is not None


@pytest.mark.parametrize("kinds", [False, True])
@pytest.mark.parametrize(("names", "known"), [(CLASS_NAMES, True), (("Line", "Blank"), False)])
def test_a_generator_beside_the_file_counts_for_the_demos_own_patches_only(tmp_path, names, known, kinds):
    patches = PatchGenerator().sample(40, np.random.default_rng(0))
    PatchGenerator().to_json(tmp_path / "generator.json")
    own = Patches(patches.pixels, patches.labels, patches.kinds if kinds else None, names)
    write_csv(tmp_path / "train.csv", own)
    assert (load_dataset(tmp_path).generator is not None) == known
    assert load_dataset(save(tmp_path / "own.csv", *images())).scaling is not None


def test_a_lone_test_file_is_not_trained_on(tmp_path):
    save(tmp_path / "test.csv", *images())
    with pytest.raises(ValueError, match=r"no CSV file to train on: train\.csv"):
        load_dataset(tmp_path)


def test_train_and_test_are_found_in_any_case(tmp_path):
    for name in ("Train.CSV", "TEST.csv"):
        save(tmp_path / name, *images())
    assert load_dataset(tmp_path).test_rows is None


def test_a_class_with_a_single_image_is_learned_from_and_that_is_said(tmp_path):
    labels, pixels = images()
    dataset = load_dataset(save(tmp_path / "a.csv", ["eel", *labels[1:]], pixels))
    eel = dataset.train.class_names.index("eel")
    assert (eel in dataset.train.labels, eel in dataset.test.labels) == (True, False)
    assert any("of eel there is one image" in line for line in dataset.understood)


def test_images_whose_every_pixel_is_the_same_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a\.csv: every pixel is 7, so there is nothing to learn from"):
        load_dataset(save(tmp_path / "a.csv", ["cat", "dog"] * 9, np.full((18, 4), 7)))


def test_a_label_in_the_last_of_columns_without_names_is_found_in_the_test_file_too(tmp_path):
    labels, pixels = images()
    numbers = {name: i for i, name in enumerate(sorted(set(labels)))}
    rows = "".join(f"{','.join(map(str, row))},{numbers[label]}\n" for row, label in zip(pixels, labels, strict=True))
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text(rows)
    dataset = load_dataset(tmp_path, label=str(pixels.shape[1] + 1))
    assert dataset.test.labels.tolist() == dataset.train.labels.tolist() == [numbers[label] for label in labels]


@pytest.mark.parametrize("labelled", [True, False])
def test_a_test_file_on_another_scale_than_the_training_file_is_said(tmp_path, labelled):
    labels, pixels = images()
    save(tmp_path / "train.csv", labels, pixels * 255)
    labels = labels if labelled else None
    save(tmp_path / "test.csv", labels, pixels)
    assert any("are they on the same scale?" in line for line in load_dataset(tmp_path).understood)
    save(tmp_path / "test.csv", labels, pixels * 200)
    assert not any("same scale" in line for line in load_dataset(tmp_path).understood)


def test_a_folder_in_which_no_file_is_the_one_is_refused(tmp_path):
    with pytest.raises((ValueError, OSError), match=re.escape(str(tmp_path))):
        load_dataset(tmp_path)
    for name in ("one.csv", "two.csv"):
        save(tmp_path / name, *images())
    with pytest.raises((ValueError, OSError), match=re.escape(str(tmp_path))):
        load_dataset(tmp_path)


def whole_rows(pixels):
    return sorted(map(tuple, pixels.tolist()))


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_a_split_takes_its_share_of_each_class_and_names_the_rows(tmp_path, share):
    labels = ["cat"] * 100 + ["dog"] * 30 + ["eel"] * 10
    pixels = np.random.default_rng(0).random((140, 4)).round(4)
    dataset = load_dataset(save(tmp_path / "a.csv", labels, pixels), test_share=share)
    rows = np.asarray(dataset.test_rows) - 1
    np.testing.assert_array_equal(dataset.test.pixels, pixels[rows])
    assert texts(dataset.test) == [labels[row] for row in rows]
    assert whole_rows(np.vstack([dataset.train.pixels, dataset.test.pixels])) == whole_rows(pixels)
    assert np.bincount(dataset.test.labels).tolist() == [100 * share, 30 * share, 10 * share]


def test_a_split_keeps_pixels_and_labels_of_the_training_set_together(tmp_path):
    labels, pixels = images()
    labels_of = {tuple(row): label for row, label in zip((pixels / 255).tolist(), labels, strict=True)}
    train = load_dataset(save(tmp_path / "a.csv", labels, pixels)).train
    assert texts(train) == [labels_of[tuple(row)] for row in train.pixels.tolist()]


def test_a_split_depends_on_the_seed_alone(tmp_path):
    path = save(tmp_path / "a.csv", *images())
    rows = [list(load_dataset(path, seed=seed).test_rows) for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


def test_rows_are_counted_without_blank_lines_and_from_1_where_there_is_no_header(tmp_path):
    labels, pixels = images(names=("7", "3"))
    text = table({"label": labels, **dict(enumerate(pixels.T.tolist()))}, header=False).replace("\n", "\n\n")
    dataset = load_dataset(put(tmp_path, text))
    np.testing.assert_array_equal(dataset.test.pixels, pixels[np.asarray(dataset.test_rows) - 1] / 255)


def test_a_test_set_without_labels_is_kept_apart_and_scores_come_from_the_training_set(tmp_path):
    labels, pixels = images()
    _, new = images(7, seed=1)
    save(tmp_path / "train.csv", labels, pixels)
    save(tmp_path / "test.csv", None, new)
    dataset = load_dataset(tmp_path)
    np.testing.assert_array_equal(dataset.unlabelled, new / 255)
    np.testing.assert_array_equal(dataset.test.pixels, pixels[np.asarray(dataset.test_rows) - 1] / 255)
    assert len(dataset.train) + len(dataset.test) == 40
    assert any("test.csv" in line and "label" in line for line in dataset.understood)


@pytest.mark.parametrize("extra", [{"id": range(1, 8)}, {"": range(7)}, {"label": [""] * 7}])
def test_a_test_set_without_labels_may_have_an_index_or_an_empty_column(tmp_path, extra):
    _, new = images(7, seed=1)
    save(tmp_path / "train.csv", *images())
    text = table({**extra, **{f"pixel{i}": column for i, column in enumerate(new.T.tolist())}})
    (tmp_path / "test.csv").write_text(text)
    np.testing.assert_array_equal(load_dataset(tmp_path).unlabelled, new / 255)


def test_a_test_set_without_header_and_labels_is_read(tmp_path):
    _, new = images(7, seed=1)
    save(tmp_path / "train.csv", *images())
    (tmp_path / "test.csv").write_text(table(dict(enumerate(new.T.tolist())), header=False))
    np.testing.assert_array_equal(load_dataset(tmp_path).unlabelled, new / 255)


def test_label_drop_and_shape_hold_for_both_files(tmp_path):
    labels, pixels = images(names=("7", "3"))
    for name in ("train.csv", "test.csv"):
        columns = {"fold": labels, **dict(zip("abcd", pixels.T.tolist(), strict=True)), "answer": labels}
        (tmp_path / name).write_text(table(columns))
    dataset = load_dataset(tmp_path, label="answer", drop=["fold"], shape=(1, 4))
    assert texts(dataset.train) == texts(dataset.test) == labels
    assert dataset.train.shape == dataset.test.shape == (1, 4)


SCALES = {  # the lowest and highest pixel of a training set, and the range that is brought to 0 to 1
    "0 to 255": (0, 255, (0, 255)),
    "0 to 254": (0, 254, (0, 255)),
    "0 to 101": (0, 101, (0, 255)),
    "3 to 200": (3, 200, (0, 255)),
    "0 to 100": (0, 100, (0, 100)),
    "0 to 16": (0, 16, (0, 16)),
    "0 to 65535": (0, 65535, (0, 65535)),
    "-1000 to 3000": (-1000, 3000, (-1000, 3000)),
    "-128 to 127": (-128, 127, (-128, 127)),
    "0.5 to 0.55": (0.5, 0.55, (0.5, 0.55)),
    "0 to 4.5": (0, 4.5, (0, 4.5)),
    "0 to 1": (0, 1, None),
    "-1 to 1": (-1, 1, None),
    "-3 to 4": (-3, 4, None),
    "0.2 to 0.3": (0.2, 0.31, None),
}


@pytest.mark.parametrize(("low", "high", "expected"), SCALES.values(), ids=SCALES)
def test_pixels_far_from_0_to_1_are_brought_there_by_the_range_of_the_training_set(tmp_path, low, high, expected):
    labels, pixels = images(high=1)
    other = np.array([[low, high, high + 7, low - 9]] * 4)  # of the test set, which decides nothing
    save(tmp_path / "train.csv", labels, np.where(pixels, high, low))
    save(tmp_path / "test.csv", labels[:4], other)
    dataset = load_dataset(tmp_path)
    if expected is None:
        assert dataset.scaling is None
    else:
        assert (dataset.scaling.low, dataset.scaling.high) == expected
    low_1, high_1 = expected or (0, 1)
    np.testing.assert_array_equal(dataset.train.pixels, (np.where(pixels, high, low) - low_1) / (high_1 - low_1))
    np.testing.assert_array_equal(dataset.test.pixels, (other - low_1) / (high_1 - low_1))


def test_patches_of_a_generator_are_never_scaled(tmp_path):
    generator = PatchGenerator(brightness=(50, 20), contrast=(30, 10), noise=10)
    patches = generator.sample(60, np.random.default_rng(0))
    for name in ("train.csv", "test.csv"):
        write_csv(tmp_path / name, patches)
    generator.to_json(tmp_path / "generator.json")
    dataset = load_dataset(tmp_path)
    assert (dataset.generator, dataset.scaling) == (generator, None)
    assert dataset.train.pixels.tolist() == [[float(f"{x:.4f}") for x in row] for row in patches.pixels]


def test_read_csv_leaves_pixels_as_they_are_written(tmp_path):
    labels, pixels = images()
    np.testing.assert_array_equal(read_csv(save(tmp_path / "a.csv", labels, pixels)).pixels, pixels)


@pytest.mark.parametrize("seconds", [0.001, 1])  # that pass from one look at the clock to the next
@pytest.mark.parametrize("progress", [False, True])
def test_where_progress_is_wanted_reading_says_how_far_it_is_once_two_seconds_have_passed(
    tmp_path, monkeypatch, capsys, seconds, progress
):
    path = tmp_path / "mine.csv"
    write_csv(path, Patches(np.random.default_rng(0).random((60, 4)), np.arange(60) % 2))
    monkeypatch.setattr("tqdm.std.time", partial(next, itertools.count(0, seconds)))
    load_dataset(path, progress=progress)
    assert ("mine.csv: " in capsys.readouterr().err) == (progress and seconds == 1)


@pytest.mark.parametrize(
    "words", ["train.csv: 40 images of 2×2", "label first", "pixels 0 to 255 taken as 0 to 1", "2 classes"]
)
def test_one_line_says_what_was_understood(tmp_path, words):
    save(tmp_path / "train.csv", *images())
    save(tmp_path / "test.csv", *images(seed=1))
    (line,) = [line for line in load_dataset(tmp_path).understood if line.startswith("train.csv")]
    assert words in line


@pytest.mark.parametrize("name", ["id", "Unnamed: 0"])
def test_a_line_says_that_an_index_was_left_out(tmp_path, name):
    labels, pixels = images()
    path = tmp_path / "a.csv"
    path.write_text(table({name: range(40), "label": labels, **dict(zip("abcd", pixels.T.tolist(), strict=True))}))
    assert any(re.search(rf"\b{name}\b", line) for line in load_dataset(path).understood)


def test_the_committed_data_is_what_its_script_writes(tmp_path):
    run_script("make_data.py", "--out", tmp_path)
    for name in ("train.csv", "test.csv", "generator.json"):
        assert (tmp_path / name).read_bytes() == (ROOT / "data" / name).read_bytes()
    dataset = load_dataset(ROOT / "data")
    assert (len(dataset.train), len(dataset.test), dataset.generator) == (4000, 2000, PatchGenerator())


# ------------------------------------------------------------------------------------------------ scripts

FAST = ["--epochs", "2", "--no-figures", "--quiet"]


def train(data, out, *flags):
    """The finished process of train.py, which is to succeed."""
    done = call("train.py", "--data", data, "--out", out, *(flags or FAST))
    assert (done.returncode, done.stderr) == (0, "")
    return done


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def bytes_run(tmp_path_factory):
    """(data folder, run folder) of a training on pixels 0 to 255, with test.csv."""
    folder = tmp_path_factory.mktemp("bytes")
    save(folder / "data" / "train.csv", *images())
    save(folder / "data" / "test.csv", *images(seed=1))
    train(folder / "data", folder / "run")
    return folder / "data", folder / "run"


def test_a_run_on_0_to_255_is_that_on_the_same_pixels_divided_by_255(bytes_run, tmp_path):
    for name, seed in (("train.csv", 0), ("test.csv", 1)):
        labels, pixels = images(seed=seed)
        save(tmp_path / "data" / name, labels, pixels / 255)
    train(tmp_path / "data", tmp_path / "run")
    for name in ("before.npz", "after.npz", "history.csv"):
        assert (bytes_run[1] / name).read_bytes() == (tmp_path / "run" / name).read_bytes()


def test_new_pixels_are_scaled_as_those_of_the_run(bytes_run):
    data, run = bytes_run
    done = call("predict.py", "--run", run, data / "test.csv")
    assert (done.returncode, done.stderr) == (0, "")
    logits = [[float(row[f"logit_{name}"]) for name in ("cat", "dog")] for row in rows_of(done.stdout)]
    np.testing.assert_allclose(logits, load_run(run).after.logits(images(seed=1)[1] / 255), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("labels", [None, [""] * 40, ["any"] * 40, ["", "cat"] * 20])
@pytest.mark.parametrize("source", ["file", "input"])
def test_predict_needs_no_labels_and_looks_at_none(bytes_run, tmp_path, labels, source):
    data, run = bytes_run
    path = save(tmp_path / "new.csv", labels, images(seed=1)[1])
    given = {"stdin": path.read_bytes()} if source == "input" else {}
    done = call("predict.py", "--run", run, "-" if given else path, **given)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == call("predict.py", "--run", run, data / "test.csv").stdout


def test_predict_reads_what_train_reads(bytes_run, tmp_path):
    data, run = bytes_run
    expected = call("predict.py", "--run", run, data / "test.csv").stdout
    text = (data / "test.csv").read_text()
    bare = text.partition("\n")[2].replace("cat,", "").replace("dog,", "")
    for content in (text.replace(",", ";").encode("utf-16"), gzip.compress(text.encode()), bare.encode()):
        assert call("predict.py", "--run", run, put(tmp_path, content)).stdout == expected


@pytest.mark.parametrize(("flag", "name"), [("--label", "answer"), ("--drop", "file")])
def test_predict_leaves_out_the_column_that_a_flag_names(bytes_run, tmp_path, flag, name):
    data, run = bytes_run
    path = save(tmp_path / "new.csv", [*range(40, 0, -1)], images(seed=1)[1], name)
    done = call("predict.py", "--run", run, path, flag, name)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == call("predict.py", "--run", run, data / "test.csv").stdout


def test_pixels_of_another_range_than_those_of_the_run_are_answered_with_a_warning(bytes_run, tmp_path):
    path = save(tmp_path / "new.csv", None, images(seed=1)[1] / 255)
    done = call("predict.py", "--run", bytes_run[1], path)
    assert (done.returncode, len(rows_of(done.stdout))) == (0, 40)
    assert re.fullmatch(r"(predict\.py: )?warning: .*\n", done.stderr)


def test_bytes_for_a_run_on_0_to_1_are_answered_with_a_warning(tmp_path):
    labels, pixels = images()
    save(tmp_path / "data" / "train.csv", labels, pixels / 255)
    train(tmp_path / "data", tmp_path / "run")
    done = call("predict.py", "--run", tmp_path / "run", save(tmp_path / "new.csv", None, pixels))
    assert done.returncode == 0
    assert re.fullmatch(r"(predict\.py: )?warning: .*\n", done.stderr)


def test_a_test_set_without_labels_gets_predictions(tmp_path):
    save(tmp_path / "data" / "train.csv", *images())
    new = save(tmp_path / "data" / "test.csv", None, images(7, seed=1)[1])
    train(tmp_path / "data", tmp_path / "run")
    rows = rows_of((tmp_path / "run" / "predictions.csv").read_text(encoding="utf-8"))
    assert len(rows) == 7
    assert "label" not in rows[0]
    predicted = rows_of(call("predict.py", "--run", tmp_path / "run", new).stdout)
    assert [row["after_logit_cat"] for row in rows] == [row["logit_cat"] for row in predicted]


def test_a_run_on_one_file_names_the_rows_that_it_was_tested_on(tmp_path):
    path = save(tmp_path / "a.csv", *images())
    train(path, tmp_path / "run", *FAST, "--test-share", "0.25")
    rows = list(map(int, load_dataset(path, test_share=0.25).test_rows))
    tested = rows_of((tmp_path / "run" / "predictions.csv").read_text(encoding="utf-8"))
    assert [int(row["row"]) for row in tested] == rows
    assert len(rows) == 10


def test_what_was_understood_is_printed(bytes_run, tmp_path):
    done = train(bytes_run[0], tmp_path / "run", *FAST[:3])
    for line in load_dataset(bytes_run[0]).understood:
        assert line in done.stdout


def test_images_that_are_not_square_are_trained_on_by_their_shape(tmp_path):
    labels, pixels = images()
    path = save(tmp_path / "a.csv", labels, np.hstack([pixels, pixels[:, :2]]))
    train(path, tmp_path / "run", *FAST, "--shape", "2x3")
    assert load_run(tmp_path / "run").test.shape == (2, 3)
    assert call("predict.py", "--run", tmp_path / "run", path).returncode == 0


@pytest.mark.parametrize(
    "flags",
    [
        ["--label", "nope"],
        ["--drop", "nope"],
        ["--drop", "pixel0"],
        ["--shape", "3x3"],
        ["--shape", "2"],
        ["--shape", "0x4"],
        ["--shape", "axb"],
        ["--test-share", "0"],
        ["--test-share", "1"],
        ["--test-share", "-0.2"],
        ["--test-share", "nan"],
        ["--test-share", "x"],
    ],
    ids=" ".join,
)
def test_a_flag_that_does_not_fit_is_refused_in_one_line(tmp_path, flags):
    path = save(tmp_path / "a.csv", *images())
    before = listing(tmp_path)
    done = call("train.py", "--data", path, "--out", tmp_path / "run", *FAST, *flags)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("flag", ["--label", "--drop"])
def test_a_column_that_is_not_there_is_refused_by_predict_in_one_line(bytes_run, flag):
    data, run = bytes_run
    done = call("predict.py", "--run", run, data / "test.csv", flag, "nope")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "nope" in done.stderr


@pytest.fixture(scope="module")
def kaggle(tmp_path_factory):
    """(data folder, run folder, test pixels, test labels) of a training on digits as Kaggle writes them."""
    folder = tmp_path_factory.mktemp("kaggle")
    pixels, labels = load_digits(return_X_y=True)
    parts = train_test_split(pixels.astype(int), labels, random_state=0, stratify=labels, test_size=0.3)
    save(folder / "data" / "train.csv", parts[2].tolist(), parts[0])
    save(folder / "data" / "test.csv", parts[3].tolist(), parts[1])
    train(folder / "data", folder / "run", "--epochs", "15", "--hidden", "32", "--no-figures", "--quiet")
    return folder / "data", folder / "run", parts[1], parts[3]


def test_digits_as_kaggle_writes_them_are_learned_and_predicted(kaggle):
    data, run, _, labels = kaggle
    done = call("predict.py", "--run", run, data / "test.csv")
    assert (done.returncode, done.stderr) == (0, "")
    guessed = [int(row["class"]) for row in rows_of(done.stdout)]
    assert np.mean(guessed == labels) > 0.9


def test_a_run_on_digits_holds_pixels_from_0_to_1(kaggle):
    _, run, pixels, _ = kaggle
    np.testing.assert_array_equal(load_run(run).test.pixels, pixels / 16)


def test_a_run_on_digits_can_be_explored(kaggle, tmp_path):
    write_explorer(load_run(kaggle[1]), tmp_path / "explorer.html")
    assert (tmp_path / "explorer.html").stat().st_size > 10_000


def test_runs_on_digits_can_be_compared(kaggle, tmp_path):
    data, run, *_ = kaggle
    train(data, tmp_path / "short", "--epochs", "1", "--hidden", "32", "--no-figures", "--quiet")
    done = call("compare.py", run, tmp_path / "short", "--out", tmp_path / "comparison")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"short: loss \+\d\.\d+ against run, more than these test patches leave to chance", done.stdout)
