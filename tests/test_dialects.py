"""Files that other programs write are read as those programs read them: hypothesis looks for one that is not."""

import csv
import gzip
import io

import numpy as np
import pytest
from conftest import needs

from edge_demo.datasets.loading import read_csv, write_csv
from edge_demo.datasets.patches import Patches

pd, hypothesis, st = (needs(name, "dev") for name in ("pandas", "hypothesis", "hypothesis.strategies"))
given, settings, HealthCheck = hypothesis.given, hypothesis.settings, hypothesis.HealthCheck

SETTINGS = {"max_examples": 100, "deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}

LABEL_COLUMNS = ["label", "Class", "TARGET", "y", "digit", "Category"]
INDEX_COLUMNS = [None, "id", "Unnamed: 0"]  # None: pandas writes an empty name
SEPARATORS = [(",", "."), (";", "."), ("\t", "."), (";", ","), ("\t", ",")]  # of cells, and of decimals
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16"]
ENDS = ["\n", "\r\n"]
QUOTING = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]

# A number as a name is kept to the form in which it comes back: 1.0, +1 and 1e0 are the class 1.
WORDS = ["cat", "New York", "a, b", "a;b", 'say "hi"', "'", '"', "猫", "قط", "Ä", "007", "1_0", "nan", "inf", "0x1"]
WORDS += ["True", "None", "NA", "p00", "label", "kind", "Edge", "-", "#1", "=1+1", "1/2"]


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


LETTERS = st.characters(exclude_categories=["C", "Z"])
ANY_WORDS = st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=3).map(" ".join)
NAMES = st.one_of(st.sampled_from(WORDS), ANY_WORDS.filter(lambda text: not is_number(text.replace(",", "."))))
NUMBERS = st.one_of(
    st.integers(0, 255), st.floats(-1e9, 1e9), st.floats(0, 1), st.floats(0, 1).map(lambda number: round(number, 4))
)


@st.composite
def frames(draw):
    """A table of labels and pixels, the label first or last, and where its columns are."""
    rows, pixels = draw(st.integers(2, 5)), draw(st.sampled_from([4, 9]))
    kind = draw(st.sampled_from(["words", "whole", "fractions"]))
    names = {
        "words": st.sampled_from(draw(st.lists(st.sampled_from(WORDS[:6]), min_size=1, unique=True))),
        "whole": st.integers(-3, 12),
        "fractions": st.integers(-3, 12).map(float),
    }[kind]
    columns = {f"pixel{i}": draw(st.lists(NUMBERS, min_size=rows, max_size=rows)) for i in range(pixels)}
    name = draw(st.sampled_from(LABEL_COLUMNS if kind != "words" else [*LABEL_COLUMNS, "species", "a b"]))
    label = {name: draw(st.lists(names, min_size=rows, max_size=rows))}
    last = draw(st.booleans())
    return pd.DataFrame({**columns, **label} if last else {**label, **columns}), name, last, kind == "words"


@settings(**SETTINGS)
@given(
    frames(),
    st.sampled_from(SEPARATORS),
    st.sampled_from(ENCODINGS),
    st.sampled_from(ENDS),
    st.sampled_from(QUOTING),
    st.booleans(),
    st.sampled_from(["none", "index", "bare"]),
    st.sampled_from(INDEX_COLUMNS),
    st.integers(0, 1),
)
def test_a_table_written_by_pandas_is_read_as_pandas_reads_it(
    folder, table, separators, encoding, end, quoting, compressed, leading, index_column, start
):
    frame, name, last, words = table
    sep, decimal = separators
    path = folder / ("a.csv.gz" if compressed else "a.csv")
    form = {"sep": sep, "decimal": decimal, "encoding": encoding}
    bare, index = leading == "bare" and (words or not last), leading == "index"
    frame.index += start
    frame.to_csv(
        path, **form, header=not bare, index=index, index_label=index_column, quoting=quoting, lineterminator=end
    )
    known = {"header": None} if bare else {"index_col": 0} if index else {}
    column = list(frame.columns).index(name)
    dtype = {column if bare else name: str}
    expected = pd.read_csv(path, **form, **known, dtype=dtype, keep_default_na=False)
    labels = expected.pop(column if bare else name)
    found = read_csv(path)
    np.testing.assert_array_equal(found.pixels, frame.drop(columns=name).to_numpy(dtype=np.float64))
    np.testing.assert_allclose(found.pixels, expected.to_numpy(dtype=np.float64), rtol=1e-14)  # not all its versions
    texts = [found.class_names[k] for k in found.labels]
    if words:
        assert texts == list(labels)
    else:  # with a decimal comma pandas writes the fraction 1.0 as 1,0
        assert list(map(float, texts)) == [float(label.replace(",", ".")) for label in labels]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dialects")


@st.composite
def patches(draw):
    names = draw(st.one_of(st.lists(NAMES, min_size=2, max_size=4, unique=True), st.just(["10", "9", "-2"])))
    rows, pixels = draw(st.integers(1, 4)), draw(st.sampled_from([4, 9]))
    row = st.lists(NUMBERS, min_size=pixels, max_size=pixels)
    labels = draw(st.lists(st.integers(0, len(names) - 1), min_size=rows, max_size=rows))
    kinds = draw(st.one_of(st.none(), st.lists(st.integers(0, 6), min_size=rows, max_size=rows)))
    if draw(st.booleans()):
        names = np.array(names)
    return Patches(np.array([draw(row) for _ in range(rows)]), labels, kinds, tuple(names))


def check(written, path):
    """That path holds what was written, at four decimals."""
    names = tuple(map(str, written.class_names))
    found = read_csv(path, names)
    np.testing.assert_array_equal(found.pixels, [[float(f"{x:.4f}") for x in row] for row in written.pixels])
    np.testing.assert_array_equal(found.labels, written.labels)
    assert (found.kinds is None) == (written.kinds is None)
    assert found.kinds is None or found.kinds.tolist() == written.kinds.tolist()
    found = read_csv(path)
    assert [found.class_names[k] for k in found.labels] == [names[k] for k in written.labels]


@settings(**SETTINGS)
@given(patches())
def test_what_write_csv_writes_comes_back(folder, written):
    write_csv(folder / "written.csv", written)
    check(written, folder / "written.csv")


@settings(**SETTINGS)
@given(
    patches(),
    st.sampled_from(SEPARATORS),
    st.sampled_from(ENCODINGS),
    st.sampled_from(ENDS),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
)
def test_what_write_csv_writes_comes_back_from_another_program(
    folder, written, separators, encoding, end, quoting, compressed
):
    write_csv(folder / "written.csv", written)
    with open(folder / "written.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    sep, decimal = separators
    leading = 1 if written.kinds is None else 2
    text = io.StringIO()
    writer = csv.writer(text, delimiter=sep, lineterminator=end, quoting=quoting)
    writer.writerow(rows[0])
    writer.writerows([*row[:leading], *(cell.replace(".", decimal) for cell in row[leading:])] for row in rows[1:])
    data = text.getvalue().encode(encoding)
    path = folder / ("other.csv.gz" if compressed else "other.csv")
    path.write_bytes(gzip.compress(data) if compressed else data)
    check(written, path)
