"""Photographs: any picture becomes grey values, and the edge map is what the classifier says of each window."""

import io

import numpy as np
import pytest
from conftest import call, listing
from PIL import Image

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.network import build_network
from edge_demo.photographs import default_photograph, edge_map, read_image, sobel_magnitude
from edge_demo.runs.run import load_run


def save(path, image, **options):
    image.save(path, **options)
    return path


def opened(path):
    with Image.open(path) as image:
        return np.asarray(image)


def ramp(width=12, height=9):
    return (np.arange(width * height) * 255 // (width * height - 1)).reshape(height, width).astype(np.uint8)


@pytest.mark.parametrize("suffix", ["png", "gif", "tiff", "bmp"])
def test_a_grey_picture_comes_back_exactly(tmp_path, suffix):
    path = save(tmp_path / f"grey.{suffix}", Image.fromarray(ramp()))
    np.testing.assert_allclose(read_image(path), ramp() / 255, atol=1e-12)


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_a_lossy_picture_comes_back_nearly(tmp_path, suffix):
    smooth = Image.fromarray(ramp(64, 48)).convert("RGB")
    grey = read_image(save(tmp_path / f"smooth.{suffix}", smooth, quality=95))
    assert np.abs(grey - ramp(64, 48) / 255).mean() < 0.01


def test_colours_become_their_luma(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    expected = (0.299 * colours[..., 0] + 0.587 * colours[..., 1] + 0.114 * colours[..., 2]) / 255
    np.testing.assert_allclose(
        read_image(save(tmp_path / "colours.png", Image.fromarray(colours))), expected, atol=1e-12
    )


def test_white_is_one_and_black_is_zero(tmp_path):
    for value in (0, 255):
        picture = Image.new("RGB", (6, 6), (value,) * 3)
        assert (read_image(save(tmp_path / "plain.png", picture)) == value / 255).all()


def test_a_palette_is_looked_up(tmp_path):
    picture = Image.fromarray(ramp()).convert("RGB").quantize(16)
    expected = np.asarray(picture.convert("RGB")) @ np.array([0.299, 0.587, 0.114]) / 255
    np.testing.assert_allclose(read_image(save(tmp_path / "palette.png", picture)), expected, atol=1e-6)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_is_transparent_is_on_white(tmp_path, mode):
    alpha = ramp()
    picture = Image.new("L", (12, 9), 0).convert(mode)
    picture.putalpha(Image.fromarray(alpha))
    np.testing.assert_allclose(read_image(save(tmp_path / "alpha.png", picture)), 1 - alpha / 255, atol=3e-3)


def test_sixteen_bits_keep_their_precision(tmp_path):
    values = np.linspace(30_000, 30_100, 101).astype(np.uint16).reshape(1, -1).repeat(6, axis=0)
    grey = read_image(save(tmp_path / "fine.png", Image.fromarray(values)))
    np.testing.assert_allclose(grey, values / 65535, atol=1e-12)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_camera_is_turned_back(tmp_path, orientation):
    upright = ramp()
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "turned.png", Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    np.testing.assert_allclose(read_image(path), upright / 255, atol=1e-12)


def test_of_several_pictures_the_first_counts(tmp_path):
    first, second = Image.fromarray(ramp()), Image.new("L", (12, 9), 200)
    path = save(tmp_path / "several.gif", first, save_all=True, append_images=[second])
    np.testing.assert_allclose(read_image(path), ramp() / 255, atol=1e-12)


@pytest.mark.parametrize(
    ("size", "largest", "shape"), [((40, 20), 10, (5, 10)), ((20, 40), 10, (10, 5)), ((9, 7), 50, (7, 9))]
)
def test_a_large_picture_is_shrunk_to_its_longer_side_and_a_small_one_is_left(tmp_path, size, largest, shape):
    grey = read_image(save(tmp_path / "some.png", Image.new("L", size, 100)), largest)
    assert grey.shape == shape
    np.testing.assert_allclose(grey, 100 / 255, atol=1e-6)


def png(image):
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
REFUSED = {
    "text": (b"not a picture\n", "is no image that can be read"),
    "empty": (b"", "is no image that can be read"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "is no image that can be read"),
    "damaged or incomplete": (png(NOISE)[:4000], "damaged or incomplete"),
    "smaller than a window": (png(Image.new("L", (4, 9))), "9×4 pixels here"),
    "a decompression bomb": (png(Image.new("1", (20_000, 6_000))), "more than 100 million"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_usable_picture_is_refused_by_name_in_one_line(tmp_path, name):
    content, words = REFUSED[name]
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as raised:
        read_image(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("what", ["/dev/zero", "."])
def test_a_device_or_a_folder_is_refused(what):
    with pytest.raises(ValueError, match="is no file"):
        read_image(what)


def test_the_default_photograph_needs_no_download():
    grey = read_image(default_photograph())
    assert min(grey.shape) > 400
    assert grey.std() > 0.1


@pytest.mark.parametrize("shape", [(5, 5), (7, 9), (5, 500), (33, 6), (130, 97)])
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


@pytest.mark.parametrize("shape", [(4, 4), (8, 8), (3, 6), (6, 3), (1, 17), (20, 1)])
def test_windows_of_another_shape_have_their_pixel_in_the_middle(shape):
    grey = np.random.default_rng(2).random((20, 17))
    middle = np.ravel_multi_index((shape[0] // 2, shape[1] // 2), shape)
    np.testing.assert_array_equal(edge_map(lambda pixels: pixels[:, middle], grey, shape), grey)


def test_the_pixels_of_a_window_are_its_rows_one_after_the_other():
    grey = np.random.default_rng(3).random((9, 9))
    weights = np.arange(6.0)
    found = edge_map(lambda pixels: pixels @ weights, grey, (2, 3))
    assert found[4, 4] == pytest.approx(grey[3:5, 3:6].ravel() @ weights)


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, np.transpose, np.rot90])
def test_the_posterior_of_a_turned_picture_is_the_turned_posterior(turn):
    grey = read_image(default_photograph(), 60)
    posterior = PatchGenerator().log_posterior
    turned = edge_map(lambda pixels: posterior(pixels)[:, 0], turn(grey))
    np.testing.assert_allclose(turned, turn(edge_map(lambda pixels: posterior(pixels)[:, 0], grey)), atol=1e-8)


def test_a_network_predicts_each_window_as_a_patch():
    network, grey = build_network(25, [4], 2, np.random.default_rng(0)), read_image(default_photograph(), 40)
    found = edge_map(network.probabilities, grey)
    window = grey[10:15, 20:25].reshape(1, 25)
    np.testing.assert_allclose(found[12, 22], network.probabilities(window)[0], atol=1e-12)


@pytest.mark.parametrize("shape", [(4, 9), (9,), (9, 9, 3)])
def test_what_is_no_picture_for_the_window_is_refused(shape):
    with pytest.raises(ValueError, match="at least 5×5"):
        edge_map(lambda pixels: pixels[:, 0], np.zeros(shape))


@pytest.mark.parametrize("window", [(10, 1), (1, 8)])
def test_a_picture_with_fewer_rows_or_columns_than_the_window_is_refused(tmp_path, window):
    path = save(tmp_path / "small.png", Image.new("L", (7, 9)))  # 9 rows of 7
    with pytest.raises(ValueError, match=f"9×7 pixels here, but {window[0]}×{window[1]} is the least"):
        read_image(path, smallest=window)
    with pytest.raises(ValueError, match=f"at least {window[0]}×{window[1]}, but it is 9×7"):
        edge_map(lambda pixels: pixels[:, 0], np.zeros((9, 7)), window)


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


def test_detect_edges_writes_a_figure_and_maps_of_the_pictures_own_size(photographed):
    folder, text = photographed
    assert len(list(folder.iterdir())) == 2 * 5
    assert "40×30 pixels" in text
    for what in ("before", "after", "exact", "sobel"):
        assert opened(folder / f"a $b$ <i>&amp; ü_{what}.png").shape == (30, 40)


def test_two_pictures_of_one_name_do_not_overwrite_each_other(photographed):
    folder, _ = photographed
    assert opened(folder / "a $b$ <i>&amp; ü-2_after.png").shape == (40, 30)


def test_a_map_is_the_probability_as_grey(photographed, trained):
    run = load_run(trained[0])
    expected = edge_map(run.after.probabilities, ramp(40, 30) / 255)[..., 0]
    shown = opened(photographed[0] / "a $b$ <i>&amp; ü_after.png") / 255
    assert np.abs(shown - expected).max() <= 0.5 / 255 + 1e-9


def test_the_same_picture_gives_the_same_bytes(trained, tmp_path):
    path = save(tmp_path / "ramp.png", Image.fromarray(ramp(20, 10)))
    for name in ("a", "b"):
        assert call("detect_edges.py", path, "--run", trained[0], "--out", tmp_path / name).returncode == 0
    assert listing(tmp_path / "a") == listing(tmp_path / "b")


def test_seven_kinds_give_a_map_of_the_chosen_class_and_of_all(trained_kinds, tmp_path):
    path = save(tmp_path / "ramp.png", Image.fromarray(ramp(20, 10)))
    flags = ["--run", trained_kinds[0], "--out", tmp_path / "out"]
    done = call("detect_edges.py", path, *flags, "--class", "ramp")
    assert "p(ramp)" in done.stdout
    assert (tmp_path / "out" / "ramp_classes.png").exists()
    done = call("detect_edges.py", path, *flags, "--class", "curve")
    assert done.returncode == 2
    assert "'curve' is none of this run's classes vertical" in done.stderr


def test_a_bad_picture_among_good_ones_is_found_before_anything_is_written(trained, tmp_path):
    good = save(tmp_path / "good.png", Image.fromarray(ramp(20, 10)))
    (tmp_path / "bad.png").write_text("no picture")
    done = call("detect_edges.py", good, tmp_path / "bad.png", "--run", trained[0], "--out", tmp_path / "out")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
