"""Patches and their CSV files: what is written comes back, and every mistake is named with its place."""

import numpy as np
import pytest
from conftest import ROOT, run_script

from edge_demo.datasets import load_dataset, pixel_names, read_csv, write_csv
from edge_demo.generator import PatchGenerator
from edge_demo.patches import CLASS_NAMES, KIND_NAMES, Patches

HEADER = "label,kind,p00,p01,p10,p11\n"
GOOD = "Edge,vertical,0,1,0,1\n"


def make(n=9, side=5, classes=CLASS_NAMES, kinds=True, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % len(classes)
    return Patches(rng.normal(0.5, 1, (n, side * side)), labels, np.arange(n) % 7 if kinds else None, classes)


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("kinds", [True, False])
@pytest.mark.parametrize("side", [1, 5, 8, 28])
def test_what_is_written_comes_back_to_four_decimals(tmp_path, side, kinds):
    patches = make(side=side, kinds=kinds)
    write_csv(tmp_path / "a.csv", patches)
    found = read_csv(tmp_path / "a.csv")
    np.testing.assert_allclose(found.pixels, patches.pixels, rtol=0, atol=0.5001e-4)
    assert found.pixels.tolist() == [[float(f"{value:.4f}") for value in row] for row in patches.pixels]
    np.testing.assert_array_equal(found.labels, patches.labels)
    assert (found.kinds.tolist() if kinds else found.kinds) == (patches.kinds.tolist() if kinds else None)
    assert (found.class_names, found.shape, len(found)) == (CLASS_NAMES, (side, side), 9)
    assert (found.pixels.dtype, found.labels.dtype) == (np.float64, np.int64)
    write_csv(tmp_path / "b.csv", found)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize(
    ("shape", "first", "second", "last"),
    [
        ((5, 5), "p00", "p01", "p44"),
        ((10, 10), "p00", "p01", "p99"),
        ((28, 28), "p0000", "p0001", "p2727"),
        ((20, 30), "p0000", "p0001", "p1929"),
        ((2, 11), "p0000", "p0001", "p0110"),
        ((40, 1), "p0000", "p0100", "p3900"),
    ],
)
def test_pixel_columns_are_named_by_row_and_column(shape, first, second, last):
    names = pixel_names(shape)
    assert (names[0], names[1], names[-1]) == (first, second, last)
    assert len(set(names)) == len(names) == shape[0] * shape[1]


@pytest.mark.parametrize(
    ("side", "second", "last"),
    [(5, "p0001", "p0404"), (5, "p01", "p24"), (12, "p0001", "p1111"), (12, "p01", "p1111"), (12, "p01", "p143")],
)
def test_other_names_in_the_same_order_are_read_too(tmp_path, side, second, last):
    wide, short, counted = ("p{:02}{:02}", "p{}{}", "p{2:02}")
    for form in (wide, short, counted):
        names = [form.format(*divmod(i, side), i) for i in range(side * side)]
        if (names[1], names[-1]) == (second, last):
            break
    else:
        pytest.fail("no such naming")
    cells = [str(i / 8) for i in range(side * side)]
    text = "\n".join([",".join(["label", *names]), ",".join(["Edge", *cells])])
    np.testing.assert_array_equal(read_csv(write(tmp_path / "a.csv", text)).pixels[0], np.arange(side * side) / 8)
    swapped = text.replace(f"{names[1]},{names[2]},", f"{names[2]},{names[1]},")
    with pytest.raises(ValueError, match="line 1: column"):
        read_csv(write(tmp_path / "a.csv", swapped))


def test_labels_may_be_of_any_names(tmp_path):
    names = ("a, b", 'say "x"', "two\nlines", "Ü 5×5", "plain")
    patches = make(classes=names, n=10)
    write_csv(tmp_path / "a.csv", patches)
    found = read_csv(tmp_path / "a.csv")
    assert found.class_names == tuple(sorted(names))
    assert [found.class_names[i] for i in found.labels] == [names[i] for i in patches.labels]
    assert read_csv(tmp_path / "a.csv", names).labels.tolist() == patches.labels.tolist()


def test_found_classes_keep_our_order_or_that_of_numbers_or_of_the_alphabet(tmp_path):
    for labels, expected in (
        (["No Edge", "Edge"], ("Edge", "No Edge")),
        (["No Edge"], ("Edge", "No Edge")),
        (["10", "9", "2"], ("2", "9", "10")),
        (["b", "10", "a"], ("10", "a", "b")),
    ):
        rows = "".join(f"{label},0,0,0,0\n" for label in labels)
        found = read_csv(write(tmp_path / "a.csv", "label,p00,p01,p10,p11\n" + rows))
        assert found.class_names == expected
        assert [found.class_names[i] for i in found.labels] == labels


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_files_of_spreadsheets_are_read(tmp_path, encoding, end):
    text = (HEADER + GOOD + '"No Edge",flat, 0.5 ,1e-2,-1,2\n').replace("\n", end).removesuffix("\n")
    found = read_csv(write(tmp_path / "a.csv", text, encoding))
    assert found.pixels.tolist() == [[0, 1, 0, 1], [0.5, 0.01, -1, 2]]
    assert (found.labels.tolist(), found.kinds.tolist()) == ([0, 1], [0, 4])


def test_every_number_is_the_one_that_is_written_quoted_or_not(tmp_path):
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(300, 4)) * 10.0 ** rng.integers(-300, 9, (300, 4))
    forms = ["{!r}", "{:.4f}", "{:+.17e}", " {:.3g}", "{:.1E}\t"]
    cells = [[form.format(x) for form, x in zip(rng.permutation(forms), row, strict=False)] for row in numbers.tolist()]
    plain = HEADER + "".join(f"Edge,vertical,{','.join(row)}\n" for row in cells)
    quoted = HEADER + "".join('Edge,vertical,"' + '","'.join(row) + '"\n' for row in cells)
    half = plain + quoted.removeprefix(HEADER)
    expected = [[float(cell) for cell in row] for row in cells]
    for text, times in ((plain, 1), (quoted, 1), (half, 2)):
        assert read_csv(write(tmp_path / "a.csv", text)).pixels.tolist() == times * expected
    arabic = plain.replace(cells[0][0], "\u0661.\u0665")  # what float reads, and np.loadtxt does not
    assert read_csv(write(tmp_path / "a.csv", arabic)).pixels.tolist() == [[1.5, *expected[0][1:]], *expected[1:]]


@pytest.mark.parametrize("rows", ["Edge,\n", "Edge,1\nEdge,\n", "Edge,1\nEdge, \n", "Edge,1\nEdge\n"])
def test_a_lone_pixel_may_not_be_missing(tmp_path, rows):
    with pytest.raises(ValueError, match=f"line {rows.count(chr(10)) + 1}"):
        read_csv(write(tmp_path / "a.csv", "label,p00\n" + rows))


BAD = {
    "empty": ("", "line 1"),
    "header_only": (HEADER, "no patches"),
    "wrong_header": (HEADER.replace("p10", "p02") + GOOD, "line 1.*p02.*p10"),
    "header_lacks_a_pixel": ("label,kind,p00,p01,p10\n", "line 1"),
    "no_header": (GOOD, "line 1.*'Edge'.*'label'"),
    "semicolons": ((HEADER + GOOD).replace(",", ";"), "line 1"),
    "short_row": (HEADER + GOOD + "Edge,vertical,0,1,0\n", "line 3.*5 cells.*6"),
    "long_row": (HEADER + GOOD + "\nEdge,vertical,0,1,0,1,1\n", "line 4.*7 cells.*6"),
    "unknown_kind": (HEADER + GOOD + "Edge,wavy,0,1,0,1\n", "line 3.*kind 'wavy'.*vertical.*speck"),
    "nul_byte": (HEADER + GOOD + "Edge,vertical,0,\0,0,1\n", "line 3"),
    "utf_16": ((HEADER + GOOD).encode("utf-16").decode("latin-1"), "UTF-8"),
    "open_quote": (HEADER + '"Edge,vertical,0,1,0,1\n' + GOOD, "line 3"),
    "huge_cell": (HEADER + '"' + "x" * 200_000, "line 2"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_mistake_in_a_file_is_named_with_its_place(tmp_path, text, message):
    path = write(tmp_path / "bad.csv", text, "latin-1")
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("cell", ["", "x", "nan", "-inf", "1e999", "-1.1e9", "0.1.2", "0;5", "1 2", "None", "0x1", "é"])
@pytest.mark.parametrize("kind", [True, False])
def test_a_pixel_that_is_no_finite_number_is_named_by_line_and_column(tmp_path, cell, kind):
    text = HEADER + "\n" + GOOD + f"Edge,vertical,0,1,{cell},1\n" + GOOD
    if not kind:
        text = text.replace("kind,", "").replace("vertical,", "")
    path = write(tmp_path / "bad.csv", text)
    with pytest.raises(ValueError, match=r"line 4, column p10: .* finite number") as caught:
        read_csv(path)
    assert str(caught.value).startswith(str(path))


def test_a_dataset_is_read_with_the_classes_of_its_training_set(tmp_path):
    names = ("cat", "dog", "eel")
    write_csv(tmp_path / "train.csv", make(classes=names))
    write_csv(tmp_path / "test.csv", make(classes=names[1:], kinds=False))
    dataset = load_dataset(str(tmp_path))
    assert dataset.generator is None
    assert dataset.train.class_names == dataset.test.class_names == names
    assert set(dataset.test.labels.tolist()) == {1, 2}
    generator = PatchGenerator(noise=0.2, contrast=(0.6, 0.05))
    generator.to_json(tmp_path / "generator.json")
    assert load_dataset(tmp_path).generator == generator


def test_a_test_set_that_does_not_fit_its_training_set_is_refused(tmp_path):
    write_csv(tmp_path / "train.csv", make())
    write_csv(tmp_path / "test.csv", make(classes=("Edge", "Egde")))
    with pytest.raises(ValueError, match=r"test\.csv, line 3: label 'Egde' is none of Edge, No Edge"):
        load_dataset(tmp_path)
    write_csv(tmp_path / "test.csv", make(side=4))
    with pytest.raises(ValueError, match=r"test\.csv .*4×4.*5×5"):
        load_dataset(tmp_path)
    (tmp_path / "test.csv").unlink()
    with pytest.raises(FileNotFoundError):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("labels", "kinds", "what"),
    [
        ([0, 2], None, "labels"),
        ([0, -1], None, "labels"),
        ([0, 0.5], None, "labels"),
        ([0], None, "labels"),
        ([[0], [1]], None, "labels"),
        ([0, 1], [0, 7], "kinds"),
        ([0, 1], [0], "kinds"),
    ],
)
def test_labels_and_kinds_that_do_not_fit_the_pixels_are_refused(labels, kinds, what):
    with pytest.raises(ValueError, match=what):
        Patches(np.zeros((2, 25)), labels, kinds)
    with pytest.raises(ValueError, match="pixels"):
        Patches(np.zeros(25), [0] * 25)


def test_a_selection_keeps_pixels_labels_and_kinds_together():
    patches = make()
    for index in (np.array([4, 0, 4]), patches.labels == 1, slice(2, 5)):
        part = patches[index]
        np.testing.assert_array_equal(part.pixels, patches.pixels[index])
        np.testing.assert_array_equal(part.labels, patches.labels[index])
        np.testing.assert_array_equal(part.kinds, patches.kinds[index])
    assert make(classes=("a", "b", "c"), kinds=False)[:2].class_names == ("a", "b", "c")


@pytest.mark.parametrize(("count", "shape"), [(25, (5, 5)), (1, (1, 1)), (600, None), (0, (0, 0))])
def test_images_are_square_where_they_can_be_and_no_shape_is_given(count, shape):
    assert Patches(np.zeros((2, count)), [0, 1]).shape == shape


@pytest.mark.parametrize("shape", [(20, 30), (30, 20), (1, 600)])
def test_images_have_the_rows_and_columns_that_are_given(shape):
    assert Patches(np.zeros((2, 600)), [0, 1], shape=shape).shape == shape


def test_a_shape_of_another_number_of_pixels_is_refused():
    with pytest.raises(ValueError, match="images of 20×31 pixels have 620, not 600"):
        Patches(np.zeros((2, 600)), [0, 1], shape=(20, 31))


@pytest.mark.parametrize("change", [lambda patches: patches[1:], lambda patches: patches.with_kind_labels()])
def test_a_selection_and_kinds_as_labels_keep_the_shape(change):
    patches = Patches(np.zeros((3, 36)), [0, 1, 0], [0, 4, 1], shape=(4, 9))
    assert change(patches).shape == (4, 9)


def test_kinds_can_be_the_labels():
    patches = make().with_kind_labels()
    assert patches.labels.tolist() == patches.kinds.tolist() == make().kinds.tolist()
    assert patches.class_names == KIND_NAMES
    with pytest.raises(ValueError, match="kind"):
        make(kinds=False).with_kind_labels()


def test_the_committed_data_is_what_its_script_writes(tmp_path):
    run_script("make_data.py", "--out", tmp_path)
    for name in ("train.csv", "test.csv", "generator.json"):
        assert (tmp_path / name).read_bytes() == (ROOT / "data" / name).read_bytes()
    dataset = load_dataset(ROOT / "data")
    assert (len(dataset.train), len(dataset.test), dataset.generator) == (4000, 2000, PatchGenerator())


def test_a_number_with_underscores_and_a_label_with_spaces_are_mistakes(tmp_path):
    write_csv(tmp_path / "a.csv", PatchGenerator().sample(3, np.random.default_rng(0)))
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    header, first, *_ = text.splitlines()
    label, *cells = first.split(",")
    for line, words in (
        (",".join([label, *cells[:-1], "1_0"]), "line 2, column p44"),
        (",".join([label + " ", *cells]), "line 2, column label"),
        (",".join(["", *cells]), "line 2, column label"),
    ):
        (tmp_path / "b.csv").write_text(f"{header}\n{line}\n", encoding="utf-8")
        with pytest.raises(ValueError, match=words):
            read_csv(tmp_path / "b.csv")
