"""The explorer's page as text: its size, its data, and names that could break out of it."""

import base64
import json
import re
from dataclasses import asdict

import numpy as np
import pytest
from explorer_runs import MARKUP, generated, make_run, own_patches

from edge_demo.datasets.loading import write_csv
from edge_demo.explorer import UnknownLayer, write_explorer
from edge_demo.explorer.page import PAGE, explorer_page
from edge_demo.network import Dense, Network
from edge_demo.photographs import default_photograph, read_image
from edge_demo.runs.run import fingerprint, load_run

pytestmark = pytest.mark.shipped


def data_of(page):
    (text,) = re.findall(r'<script type="application/json" id="run-data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def array(text, dtype):
    return np.frombuffer(base64.b64decode(text), dtype)


def pixels_of(packed, size):
    numbers = array(packed["pixels"], "<i2") / packed["scale"] if packed["scale"] else array(packed["pixels"], "<f4")
    return numbers.reshape(-1, size)


def test_the_page_of_a_default_run_is_whole_and_below_500_kilobytes(trained, tmp_path):
    page = (trained[0] / "explorer.html").read_bytes()
    assert len(page) < 500_000
    write_explorer(load_run(trained[0]), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page  # drawn again, it is the same
    text = page.decode()
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert not re.search(r"^(import|export) ", text, re.MULTILINE)
    assert "run/explorer.html" in trained[1]


def test_the_data_are_those_of_the_run_to_the_last_bit(trained):
    run, data = load_run(trained[0]), data_of((trained[0] / "explorer.html").read_text(encoding="utf-8"))
    np.testing.assert_array_equal(pixels_of(data["patches"], 25), run.test.pixels)
    np.testing.assert_array_equal(array(data["patches"]["labels"], "u1"), run.test.labels)
    assert data["snapshots"]["epochs"] == list(run.snapshots)
    assert data["history"] == asdict(run.history)
    assert data["examples"] == run.examples().tolist()
    photograph, grey = data["photograph"], read_image(default_photograph(), largest=160)
    levels = array(photograph["pixels"], "u1").reshape(photograph["height"], photograph["width"])
    np.testing.assert_allclose(levels / 255, grey.clip(0, 1), rtol=0, atol=0.5 / 255 + 1e-9)


@pytest.mark.parametrize("name", MARKUP)
def test_names_with_markup_cannot_leave_the_data(name):
    page = explorer_page(make_run(own_patches(names=("plain", name))))
    assert data_of(page)["class_names"] == ["plain", name]
    harmless = explorer_page(make_run(own_patches(names=("plain", "x" * 9))))
    for sign in ("<", ">", "<!--", "</script", "<script"):
        assert page.count(sign) == harmless.count(sign)


def test_large_own_data_are_thinned_by_class_and_travel_as_float32():
    names = tuple(f"class {k}" for k in range(20))
    run = make_run(own_patches(n=3000, side=28, names=names), hidden=(4,), epochs=4)
    page = explorer_page(run)
    data = data_of(page)
    assert len(page.encode()) < 500_000
    index = array(data["patches"]["index"], "<i4")
    assert set(run.examples()) <= set(index)
    counts = np.bincount(array(data["patches"]["labels"], "u1"), minlength=20)
    assert counts.min() >= 1
    assert counts.sum() < 1000
    np.testing.assert_array_equal(pixels_of(data["patches"], 784), run.test.pixels[index].astype(np.float32))


def own_run(folder, change=lambda learned: learned, **how):
    """A run on own data, whose training patches, changed, lie in folder."""
    patches = own_patches(n=150, names=("no", "yes"), **how)
    patches.pixels = np.round(patches.pixels, 4)  # as CSV files hold them
    run, learned = make_run(patches, hidden=(1,)), patches[:100]
    write_csv(folder / "train.csv", change(learned))
    write_csv(folder / "test.csv", patches[100:])
    run.settings["data"] |= {"source": str(folder), "reading": {}, "fingerprint": fingerprint(learned)}
    return run, learned


def test_own_training_patches_travel_with_the_page(tmp_path):
    run, learned = own_run(tmp_path)
    data = data_of(explorer_page(run))
    assert data["training_note"] is None
    np.testing.assert_array_equal(array(data["training"]["labels"], "u1"), learned.labels)
    np.testing.assert_array_equal(pixels_of(data["training"], 36), learned.pixels)  # with their four decimals


@pytest.mark.parametrize(
    ("damage", "how", "note"),
    [
        (lambda folder: (folder / "train.csv").unlink(), {}, "no longer where"),
        (lambda folder: None, {"change": lambda learned: learned[1:]}, "no longer where"),
        (lambda folder: None, {"side": 34}, "too many"),
    ],
)
def test_without_its_training_patches_the_page_says_why_it_cannot_train(damage, how, note, tmp_path):
    run, _ = own_run(tmp_path, **how)
    damage(tmp_path)
    data = data_of(explorer_page(run))
    assert data["training"] is None
    assert note in data["training_note"]


def test_a_run_that_was_interrupted_or_has_no_epochs_has_a_page():
    data = data_of(explorer_page(make_run(own_patches(), epochs=5, stop_after=3)))
    assert data["history"]["epoch"] == data["snapshots"]["epochs"] == [0, 1, 2, 3]
    assert "trained for 3 epochs" in data["description"]
    assert data_of(explorer_page(make_run(own_patches(), epochs=0)))["snapshots"]["epochs"] == [0]


def test_an_optimizer_that_the_page_does_not_know_is_named():
    run = make_run(generated()[0])
    run.settings["optimizer"] = "rmsprop"
    with pytest.raises(UnknownLayer, match=r"no optimizer rmsprop.*descent\.js"):
        explorer_page(run)


def test_a_layer_that_the_page_does_not_know_is_named():
    class Sigmoid:
        def forward(self, inputs):
            return 1 / (1 + np.exp(-inputs))

    run = make_run(generated()[0])
    rng = np.random.default_rng(0)
    run.after = Network([Dense(25, 3, rng), Sigmoid(), Dense(3, 2, rng)])
    with pytest.raises(UnknownLayer, match=r"knows no Sigmoid.*layers\.js"):
        explorer_page(run)


def test_every_module_is_in_the_page_and_no_name_stands_twice():
    page, names = explorer_page(make_run(generated()[0])), []
    for file in PAGE.glob("*.js"):
        module = file.read_text(encoding="utf-8")
        assert module.startswith("//"), f"{file.name} says nothing about itself"
        assert page.count(module.splitlines()[0]) == 1
        assert len(module.splitlines()) < 400
        assert not re.search(r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write", module)
        names += re.findall(r"^(?:export )?(?:async )?(?:const|let|function|class) (\w+)", module, re.MULTILINE)
    assert len(set(names)) == len(names)
