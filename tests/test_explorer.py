"""The explorer's page as text: its size, its data, and names that could break out of it."""

import base64
import json
import math
import re
from dataclasses import asdict

import numpy as np
import pytest
from conftest import ROOT
from explorer_runs import MARKUP, generated, make_run, own_patches

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import write_csv
from edge_demo.datasets.patches import KIND_NAMES
from edge_demo.explorer import page as explorer
from edge_demo.explorer.page import MODULES, PAGE, UnknownLayer, explorer_page, write_explorer
from edge_demo.network import Dense, Network
from edge_demo.photographs import default_photograph, read_image
from edge_demo.runs.run import fingerprint, flat, load_run


def data_of(page):
    (text,) = re.findall(r'<script type="application/json" id="run-data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def array(text, dtype):
    return np.frombuffer(base64.b64decode(text), dtype)


def pixels_of(data):
    packed = data["patches"]
    flat = (
        array(packed["pixels"], "<f8") if packed["scale"] is None else array(packed["pixels"], "<i2") / packed["scale"]
    )
    return flat.reshape(-1, math.prod(data["shape"]))


def test_the_page_of_a_default_run_is_whole_and_below_600_kilobytes(trained):
    page = (trained[0] / "explorer.html").read_bytes()
    assert len(page) < 600_000
    assert explorer_page(load_run(trained[0])).encode() == page  # drawn again, it is the same
    text = page.decode()
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert not re.search(r"^(import|export) ", text, re.MULTILINE)
    assert "run/explorer.html" in trained[1]


def test_the_data_are_those_of_the_run_to_the_last_bit(trained):
    run, data = load_run(trained[0]), data_of((trained[0] / "explorer.html").read_text(encoding="utf-8"))
    np.testing.assert_array_equal(pixels_of(data), run.test.pixels)
    np.testing.assert_array_equal(array(data["patches"]["labels"], "u1"), run.test.labels)
    np.testing.assert_array_equal(array(data["patches"]["groups"], "u1"), run.test.kinds)
    np.testing.assert_array_equal(array(data["patches"]["index"], "<i4"), np.arange(2000))
    parameters = array(data["snapshots"]["parameters"], "<f8").reshape(-1, flat(run.after.parameters).size)
    assert data["snapshots"]["steps"] == list(run.snapshots)
    np.testing.assert_array_equal(parameters, list(run.snapshots.values()))
    assert data["history"]["test_loss"] == run.history.test_loss
    assert data["snapshots"]["test_loss"][-1] == run.history.test_loss[-1]
    assert data["snapshots"]["test_loss"][0] == run.history.test_loss[0]
    whole = [(e, loss) for e, loss in zip(data["snapshots"]["epochs"], data["snapshots"]["test_loss"], strict=True)]
    assert all(loss == run.history.test_loss[int(e)] for e, loss in whole if e == int(e))
    assert data["generator"] == json.loads(json.dumps(asdict(PatchGenerator())))
    np.testing.assert_array_equal(flat(run.after.parameters), list(run.snapshots.values())[-1])  # left as it was


@pytest.mark.parametrize("name", MARKUP)
def test_names_with_markup_cannot_leave_the_data(name):
    page = explorer_page(make_run(own_patches(names=("plain", name))))
    assert data_of(page)["class_names"] == ["plain", name]
    harmless = explorer_page(make_run(own_patches(names=("plain", "x" * 9))))
    for sign in ("<", ">", "<!--", "</script", "<script"):
        assert page.count(sign) == harmless.count(sign)


def test_the_page_is_written_whole(tmp_path):
    run = make_run(*generated()[:1])
    write_explorer(run, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == explorer_page(run)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_seven_classes_bring_their_generator_and_without_one_there_are_distances():
    patches, generator = generated()
    data = data_of(explorer_page(make_run(patches.with_kind_labels(), generator=generator, target="kind")))
    assert data["class_names"] == data["groups"] == list(KIND_NAMES)
    assert data["generator"]["noise"] == 0.1
    assert data["usual_distance"] is None
    run = make_run(own_patches())
    data = data_of(explorer_page(run))
    assert (data["generator"], data["bayes_loss"]) == (None, None)
    apart = np.linalg.norm(run.test.pixels[:, None] - run.test.pixels, axis=2)
    nearest = np.where(np.eye(len(apart)), np.inf, apart).min(axis=1)
    assert data["usual_distance"] == pytest.approx({"median": np.median(nearest), "largest": nearest.max()})


@pytest.mark.parametrize(
    ("change", "scale"),
    [
        (lambda x: np.round(x, 4), 10_000),
        (lambda x: np.round(x * 255) / 255, 255),
        (lambda x: np.round(x * 4000), 1),
        (lambda x: x, None),  # all its decimals
        (lambda x: np.round(x, 4) + 100, None),  # beyond 16 bits
    ],
)
def test_pixels_travel_without_loss_in_the_smallest_form_that_can(change, scale):
    patches = own_patches()
    patches.pixels = change(patches.pixels)
    run = make_run(patches, epochs=0)
    data = data_of(explorer_page(run))
    assert data["patches"]["scale"] == scale
    np.testing.assert_array_equal(pixels_of(data), run.test.pixels)
    low, high = data["range"]
    assert low < high
    if abs(run.test.pixels).max() < 2:
        assert (low, high) == (0, 1)
    else:
        assert low <= run.test.pixels.min() <= run.test.pixels.max() <= high


def test_large_own_data_are_thinned_by_class_and_rounded_and_the_page_says_so():
    names = tuple(f"class {k}" for k in range(50))
    run = make_run(own_patches(n=3000, side=28, names=names), hidden=(8,), epochs=1)
    page = explorer_page(run)
    data = data_of(page)
    assert len(page.encode()) < 600_000
    counts = np.bincount(array(data["patches"]["labels"], "u1"), minlength=50)
    assert counts.min() >= 1
    assert counts.max() - counts.min() <= 1
    index = array(data["patches"]["index"], "<i4")
    np.testing.assert_allclose(pixels_of(data), run.test.pixels[index], rtol=0, atol=1 / data["patches"]["scale"])
    assert "rounded" in data["description"]
    steps = data["snapshots"]["steps"]
    assert (steps[0], steps[-1]) == (0, list(run.snapshots)[-1])
    assert "rounded" not in data_of(explorer_page(make_run(own_patches())))["description"]


def test_many_weights_leave_room_by_fewer_points_of_training():
    patches, generator = generated(n=1200)
    run = make_run(patches, hidden=(200,), epochs=30, generator=generator)
    page = explorer_page(run)
    steps = data_of(page)["snapshots"]["steps"]
    assert 2 <= len(steps) < len(run.snapshots)
    assert (steps[0], steps[-1]) == (0, list(run.snapshots)[-1])
    assert len(page.encode()) < 600_000


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
    pixels = array(data["training"]["pixels"], "<i2") / data["training"]["scale"]
    np.testing.assert_array_equal(pixels.reshape(learned.pixels.shape), learned.pixels)


@pytest.mark.parametrize(
    ("damage", "how", "note"),
    [
        (lambda folder: (folder / "train.csv").unlink(), {}, "no longer where they were"),
        (lambda folder: (folder / "train.csv").write_text("label\n"), {}, "no longer where they were"),
        (lambda folder: None, {"change": lambda learned: learned[1:]}, "have changed since"),
        (lambda folder: None, {"side": 60}, "too many"),  # beyond MOST_TO_TRAIN
        (lambda folder: None, {"side": 34}, "too many"),  # beyond the page's room
    ],
)
def test_without_its_training_patches_the_page_says_why_it_cannot_train(damage, how, note, tmp_path):
    run, _ = own_run(tmp_path, **how)
    damage(tmp_path)
    page = explorer_page(run)
    assert data_of(page)["training"] is None
    assert note in data_of(page)["training_note"]
    assert len(page.encode()) < 600_000


def test_the_photograph_is_the_portrait_and_only_where_the_patches_are_edges(trained):
    data = data_of((trained[0] / "explorer.html").read_text(encoding="utf-8"))
    photograph = data["photograph"]
    grey = read_image(default_photograph(), largest=160)
    assert (photograph["height"], photograph["width"]) == grey.shape
    levels = array(photograph["pixels"], "u1").reshape(grey.shape)
    np.testing.assert_allclose(levels / 255, grey, rtol=0, atol=0.5 / 255 + 1e-9)
    assert data_of(explorer_page(make_run(own_patches())))["photograph"] is None


def test_the_settings_of_the_page_are_those_of_the_run(trained):
    data = data_of((trained[0] / "explorer.html").read_text(encoding="utf-8"))
    assert data["settings"] == {
        **{"hidden": [16], "activation": "ReLU", "optimizer": "sgd", "lr": 0.2, "batch_size": 32},
        **{"train": 4000, "seed": 0},
    }


def test_a_training_that_was_interrupted_has_a_page():
    run = make_run(own_patches(), epochs=5, stop_after=3)  # of 4 steps an epoch
    data = data_of(explorer_page(run))
    assert data["history"] == {"epoch": [0, 1, 2, 3], "test_loss": run.history.test_loss}
    assert (data["snapshots"]["steps"][-1], data["snapshots"]["epochs"][-1]) == (12, 3)
    assert "trained for 3 of 5 epochs" in data["description"]


def test_a_run_without_epochs_still_has_a_page():
    patches, generator = generated()
    run = make_run(patches, epochs=0, generator=generator)
    assert data_of(explorer_page(run))["snapshots"]["steps"] == [0]


def test_a_layer_that_the_page_does_not_know_is_named():
    class Sigmoid:
        def forward(self, inputs):
            return 1 / (1 + np.exp(-inputs))

    run = make_run(generated()[0])
    rng = np.random.default_rng(0)
    run.after = Network([Dense(25, 3, rng), Sigmoid(), Dense(3, 2, rng)])
    with pytest.raises(UnknownLayer, match=r"knows no Sigmoid.*network\.js"):
        explorer_page(run)


def test_every_module_is_in_the_page_once_after_what_it_imports():
    assert {f"{name}.js" for name in MODULES} == {path.name for path in PAGE.glob("*.js")}
    page = explorer_page(make_run(generated()[0]))
    seen = set()
    for name in MODULES:
        module = (PAGE / f"{name}.js").read_text(encoding="utf-8")
        assert module.startswith("//"), f"{name}.js says nothing about itself"
        assert len(module.splitlines()) < 400
        assert not re.search(r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write", module)
        assert set(re.findall(r'from "\./(\w+)\.js";', module)) <= seen, name
        body = explorer._without_imports(module)
        assert "import" not in re.sub(r"//.*|/\*.*?\*/", "", body, flags=re.DOTALL)
        assert page.count(body) == 1
        seen.add(name)


def test_the_wheel_holds_the_page():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'"edge_demo\.explorer_page" = \["\*\.html", "\*\.css", "\*\.js"\]', text)
