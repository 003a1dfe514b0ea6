"""Photographs: any picture becomes grey values, and the edge map is what the classifier says of each window."""

import numpy as np
import pytest
from conftest import call
from PIL import Image, ImageOps

from edge_demo.datasets.patches import InputError
from edge_demo.photographs import edge_map, read_image, sobel_magnitude
from edge_demo.runs.run import load_run


def save(path, image, **options):
    image.save(path, **options)
    return path


def opened(path):
    with Image.open(path) as image:
        return np.asarray(image)


def ramp(width=12, height=9):
    return (np.arange(width * height) * 255 // (width * height - 1)).reshape(height, width).astype(np.uint8)


def test_colours_become_their_luma(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    expected = (0.299 * colours[..., 0] + 0.587 * colours[..., 1] + 0.114 * colours[..., 2]) / 255
    np.testing.assert_allclose(
        read_image(save(tmp_path / "colours.png", Image.fromarray(colours))), expected, atol=1e-6
    )


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_is_transparent_is_on_white(tmp_path, mode):
    alpha = ramp()
    picture = Image.new("L", (12, 9), 0).convert(mode)
    picture.putalpha(Image.fromarray(alpha))
    np.testing.assert_allclose(read_image(save(tmp_path / "alpha.png", picture)), 1 - alpha / 255, atol=3e-3)


def test_floats_are_taken_as_they_are_and_sixteen_bits_are_divided(tmp_path):
    floats = np.linspace(-0.5, 2, 49, dtype=np.float32).reshape(7, 7)
    np.testing.assert_array_equal(read_image(save(tmp_path / "floats.tiff", Image.fromarray(floats))), floats)
    fine = np.arange(30_000, 30_049, dtype=np.uint16).reshape(7, 7)
    np.testing.assert_allclose(read_image(save(tmp_path / "fine.png", Image.fromarray(fine))), fine / 65535, atol=1e-12)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_camera_is_turned_back_as_pillow_does(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "turned.png", Image.fromarray(ramp()), exif=exif)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image)) / 255
    np.testing.assert_allclose(read_image(path), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("size", "largest", "shape"), [((40, 20), 10, (5, 10)), ((20, 40), 10, (10, 5)), ((9, 7), 50, (7, 9))]
)
def test_a_large_picture_is_shrunk_to_its_longer_side_and_a_small_one_is_left(tmp_path, size, largest, shape):
    grey = read_image(save(tmp_path / "some.png", Image.new("L", size, 100)), largest)
    assert grey.shape == shape
    np.testing.assert_allclose(grey, 100 / 255, atol=1e-6)


def test_what_is_no_usable_picture_is_refused_by_name(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = save(tmp_path / "whole.png", Image.fromarray(noise)).read_bytes()
    for content in (b"no picture", b"", whole[:4000]):
        path = tmp_path / "picture.png"
        path.write_bytes(content)
        with pytest.raises(InputError, match="cannot be read as a picture") as raised:
            read_image(path)
        assert str(path) in str(raised.value)
    with pytest.raises(InputError, match="exceeds limit"):
        read_image(save(tmp_path / "large.png", Image.new("1", (20_000, 10_000))))
    with pytest.raises(InputError, match="finite"):
        read_image(save(tmp_path / "nan.tiff", Image.fromarray(np.full((9, 9), np.nan, dtype=np.float32))))
    with pytest.raises(InputError, match=r"\(9, 7\) pixels here"):
        read_image(save(tmp_path / "small.png", Image.new("L", (7, 9))), smallest=(10, 1))


@pytest.mark.parametrize("shape", [(5, 5), (5, 500), (33, 6)])
@pytest.mark.parametrize("classes", [None, 2])
def test_the_edge_map_is_a_double_loop_over_windows(shape, classes):
    rng = np.random.default_rng(1)
    grey, weights = rng.random(shape), rng.normal(size=25 if classes is None else (25, classes))
    padded = np.pad(grey, 2, mode="reflect")
    expected = [
        [np.tanh(padded[r : r + 5, c : c + 5].ravel() @ weights) for c in range(shape[1])] for r in range(shape[0])
    ]
    found = edge_map(lambda pixels: np.tanh(pixels @ weights), grey)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (1, 17), (20, 1)])
def test_windows_of_another_shape_have_their_pixel_in_the_middle(shape):
    grey = np.random.default_rng(2).random((20, 17))
    middle = np.ravel_multi_index((shape[0] // 2, shape[1] // 2), shape)
    np.testing.assert_array_equal(edge_map(lambda pixels: pixels[:, middle], grey, shape), grey)


@pytest.mark.parametrize("grey", [np.zeros((4, 9)), np.zeros(9), np.zeros((9, 9, 3)), np.full((9, 9), np.nan)])
def test_what_is_no_picture_for_the_window_is_refused(grey):
    with pytest.raises(ValueError, match=r"two axes, at least .* and finite"):
        edge_map(lambda pixels: pixels[:, 0], grey)


def test_names_of_classes_are_no_map():
    with pytest.raises(ValueError, match="probabilities or scores, not names such as Edge"):
        edge_map(lambda pixels: np.full(len(pixels), "Edge"), np.zeros((9, 9)))


def test_sobels_gradient_of_a_ramp_is_its_slope():
    slope = np.add.outer(0.03 * np.arange(30.0), 0.04 * np.arange(40.0))
    np.testing.assert_allclose(sobel_magnitude(slope)[8:-8, 8:-8], 0.05, rtol=0.01)


@pytest.fixture(scope="module")
def photographed(trained, tmp_path_factory):
    """(folder, text) of detect_edges.py on two small pictures of one name, with odd characters in it."""
    folder, name = tmp_path_factory.mktemp("photographs"), "a $b$ <i>&amp; ü.png"
    paths = []
    for sub, turn in (("one", 0), ("two", 1)):
        (folder / sub).mkdir()
        picture = Image.fromarray(np.rot90(ramp(40, 30), turn).copy())
        paths.append(save(folder / sub / name, picture))
    done = call("detect_edges.py", *paths, "--run", trained[0], "--out", folder / "out")
    assert done.returncode == 0, done.stderr
    return folder / "out", done.stdout


def test_a_map_is_the_probability_as_grey_in_the_pictures_own_size(photographed, trained):
    folder, text = photographed
    assert len(list(folder.iterdir())) == 2 * 5
    assert "40×30 pixels" in text
    run = load_run(trained[0])
    for end, turn in (("", 0), ("-2", 1)):
        expected = edge_map(run.after.probabilities, np.rot90(ramp(40, 30), turn) / 255)[..., 0]
        shown = opened(folder / f"a $b$ <i>&amp; ü{end}_after.png") / 255
        assert np.abs(shown - expected).max() <= 0.5 / 255 + 1e-9


def test_seven_kinds_give_a_map_of_the_chosen_class_and_of_all(trained_kinds, tmp_path):
    path = save(tmp_path / "ramp.png", Image.fromarray(ramp(20, 10)))
    flags = ["--run", trained_kinds[0], "--out", tmp_path / "out"]
    done = call("detect_edges.py", path, *flags, "--class", "ramp")
    assert "p(ramp)" in done.stdout
    assert (tmp_path / "out" / "ramp_classes.png").exists()
    done = call("detect_edges.py", path, *flags, "--class", "curve")
    assert "'curve' is none of this run's classes vertical" in done.stderr


def test_a_picture_of_few_greys_is_named_with_the_flag_that_stretches_them(trained, tmp_path):
    twelve_bits = np.linspace(0, 4095, 600).astype(np.uint16).reshape(20, 30)
    path = save(tmp_path / "dark.png", Image.fromarray(twelve_bits))
    done = call("detect_edges.py", path, "--run", trained[0], "--out", tmp_path / "out")
    assert "span 6.2 % of black to white; --stretch" in done.stderr
    done = call("detect_edges.py", path, "--stretch", "--run", trained[0], "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    run = load_run(trained[0])
    grey = twelve_bits / 4095
    expected = edge_map(run.after.probabilities, grey)[..., 0]
    assert np.abs(opened(tmp_path / "out" / "dark_after.png") / 255 - expected).max() < 0.003
