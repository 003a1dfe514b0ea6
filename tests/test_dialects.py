"""Files that pandas writes are read as it reads them: hypothesis looks for one that is not."""

import csv

import numpy as np
import pytest
from conftest import needs

from edge_demo.datasets import read_csv

pd, hypothesis, st = (needs(name, "dev") for name in ("pandas", "hypothesis", "hypothesis.strategies"))
given, settings, HealthCheck = hypothesis.given, hypothesis.settings, hypothesis.HealthCheck

SETTINGS = {"max_examples": 100, "deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}

# A number as a name is kept to the form in which it comes back: 1.0, +1 and 1e0 are the class 1.
WORDS = ["cat", "New York", "a, b", "a;b", 'say "hi"', "'", '"', "猫", "قط", "Ä", "1_0", "inf", "0x1", "True", "None"]
WORDS += ["NA", "p00", "label", "kind", "Edge", "-", "#1", "=1+1", "1/2", "10", "9", "-2", "2.5"]
NUMBERS = st.one_of(st.integers(0, 255), st.floats(-1e9, 1e9), st.floats(0, 1).map(lambda number: round(number, 4)))


@st.composite
def frames(draw):
    """A table of labels and pixels, the label first or last, and the name of the label."""
    rows, pixels = draw(st.integers(2, 5)), draw(st.sampled_from([4, 9]))
    names = st.sampled_from(draw(st.lists(st.sampled_from(WORDS), min_size=1, unique=True)))
    columns = {f"pixel{i}": draw(st.lists(NUMBERS, min_size=rows, max_size=rows)) for i in range(pixels)}
    name = draw(st.sampled_from(["label", "Class", "TARGET", "y", "digit", "number_label"]))
    label = {name: draw(st.lists(names, min_size=rows, max_size=rows))}
    return pd.DataFrame({**columns, **label} if draw(st.booleans()) else {**label, **columns}), name


@settings(**SETTINGS)
@given(
    frames(),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["a.csv", "a.csv.gz"]),
    st.booleans(),
    st.sampled_from([None, "id", "Unnamed: 0"]),  # None: pandas writes an empty name
)
def test_a_table_written_by_pandas_is_read_as_pandas_reads_it(
    folder, table, sep, encoding, end, quoting, file, index, index_column
):
    (frame, name), path = table, folder / file
    form = {"sep": sep, "encoding": encoding}
    frame.to_csv(path, **form, index=index, index_label=index_column, quoting=quoting, lineterminator=end)
    known = {"index_col": 0} if index else {}
    expected = pd.read_csv(path, **form, **known, dtype={name: str}, keep_default_na=False)
    labels = expected.pop(name)
    found = read_csv(path)
    np.testing.assert_array_equal(found.pixels, frame.drop(columns=name).to_numpy(dtype=np.float64))
    np.testing.assert_allclose(found.pixels, expected.to_numpy(dtype=np.float64), rtol=1e-14)  # not all its versions
    assert [found.class_names[k] for k in found.labels] == list(labels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dialects")
