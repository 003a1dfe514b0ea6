"""Photographs: reading an image as grey values, and sliding a classifier of patches over it.

Nothing here knows the network: edge_map takes any function of pixels, so you may lay a filter, an estimator or the
exact posterior beside it.
"""

import warnings
from pathlib import Path

import numpy as np
from matplotlib.cbook import get_sample_data
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP")  # others, such as EPS, would start other programs
MOST_PIXELS = 100_000_000
TILE = 32, 128  # rows and columns whose windows are copied at once: 0.8 MB for 5×5, which stays in the cache


def read_image(path, largest=None, smallest=5):
    """Grey values of an image file, (height, width) float64, 0 black to 1 white: the luma of ITU-R 601.

    Reads JPEG, PNG, WebP, BMP, and the first picture of a GIF or TIFF; turned as its EXIF note says, what is
    transparent on white, and shrunk (LANCZOS) so that its longer side is at most largest pixels. 16 bits of grey stay
    16 bits. Raises OSError, or ValueError where the file is no such image, is damaged, has more than 100 million
    pixels, or ends up with fewer than smallest rows or columns, a number or (rows, columns).
    """
    if largest is not None and largest < 1:
        raise ValueError(f"largest must be at least 1 pixel, not {largest}")
    with open(path, "rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata; its limit of pixels is above ours
        image = _open(file, path)
        try:
            grey = _luma(ImageOps.exif_transpose(image))
        except Exception as error:  # a damaged image fails in a dozen ways
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"{path} is a damaged or incomplete image: {reason}") from error

    height, width = grey.shape
    if largest is not None and max(height, width) > largest:
        scale = largest / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        image = Image.fromarray(grey.astype(np.float32)).resize(size, Image.Resampling.LANCZOS)
        grey = np.asarray(image, dtype=np.float64)
        height, width = grey.shape
    rows, columns = np.broadcast_to(smallest, 2)
    if height < rows or width < columns:
        raise ValueError(
            f"{path} is an image of {height}×{width} pixels here, "
            f"but {rows}×{columns} is the least that a window fits in"
        )
    return grey.clip(0.0, 1.0)  # LANCZOS overshoots a little beside sharp edges


def default_photograph():
    """The Path of matplotlib's own sample, a portrait of Grace Hopper, 600 rows of 512 pixels, public domain."""
    return Path(get_sample_data("grace_hopper.jpg", asfileobj=False))


def edge_map(predict, grey, side=5):
    """What predict says of the window around each pixel of an image.

    side: pixels of the window's sides, a number or (rows, columns). predict: a function of pixels (n, rows * columns),
    row by row, such as network.probabilities, that returns (n,) or (n, classes). grey: (height, width), at least as
    large as the window. Returns (height, width) or (height, width, classes). Beyond its borders the image is reflected.
    The windows are copied tile by tile, so that memory stays bounded. Raises ValueError.
    """
    shape = tuple(np.broadcast_to(side, 2).tolist())
    grey = np.asarray(grey, dtype=np.float64)
    if grey.ndim != 2 or grey.shape[0] < shape[0] or grey.shape[1] < shape[1]:
        found = "×".join(map(str, grey.shape))
        raise ValueError(f"the image must have rows and columns, at least {shape[0]}×{shape[1]}, but it is {found}")
    height, width = grey.shape
    above_and_below, left_and_right = ((length // 2, (length - 1) // 2) for length in shape)
    rows = np.pad(np.arange(height), above_and_below, mode="reflect")  # 2 1 0 1 2 … for a window of 5 rows
    columns = np.pad(np.arange(width), left_and_right, mode="reflect")

    result = None
    for top in range(0, height, TILE[0]):
        for left in range(0, width, TILE[1]):
            some_rows = rows[top : top + TILE[0] + shape[0] - 1]
            some_columns = columns[left : left + TILE[1] + shape[1] - 1]
            tile = grey[np.ix_(some_rows, some_columns)]
            windows = sliding_window_view(tile, shape)  # (rows of the tile, columns of the tile, *shape)
            answers = np.asarray(predict(windows.reshape(-1, shape[0] * shape[1])))
            answers = answers.reshape(*windows.shape[:2], *answers.shape[1:])
            if result is None:
                result = np.empty((height, width, *answers.shape[2:]))
            result[top : top + TILE[0], left : left + TILE[1]] = answers
    return result


def sobel_magnitude(grey):
    """Length of the gradient by Sobel's two filters, (height, width): the classic edge map, of 3×3 windows.

    Divided by 8, so that it is the change of intensity a pixel. Raises ValueError as edge_map.
    """
    across = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    down = across.T
    return edge_map(lambda pixels: np.hypot(pixels @ across.ravel(), pixels @ down.ravel()), grey, side=3)


def _open(file, path):
    """An image of which only the header is read, so that its size is known before its pixels fill the memory."""
    try:
        image = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError:
        pixels = None
    except Exception as error:  # a file of another kind fails in a dozen ways
        raise ValueError(f"{path} is no image that can be read: give a JPEG, PNG, GIF, TIFF, WebP or BMP") from error
    else:
        pixels = image.width * image.height
    if pixels is None or pixels > MOST_PIXELS:
        raise ValueError(f"{path} has more than {MOST_PIXELS // 1_000_000} million pixels: shrink it first")
    return image


def _luma(image):
    """Grey values (height, width) float64, 0 to 1: 0.299 red + 0.587 green + 0.114 blue, on white."""
    if image.mode.startswith("I"):
        white = 65535  # 16 bits
    elif image.mode == "F":
        white = 1
    else:
        image = _on_white(image).convert("F")  # Pillow's luma: it rounds to whole numbers in other modes, not in F
        white = 255
    grey = np.array(image, dtype=np.float64)
    if white == 65535 and "transparency" in image.info:
        grey[grey == image.info["transparency"]] = white
    grey /= white
    if not (grey.min() >= 0 and grey.max() <= 1):
        raise ValueError("its pixels must be whole numbers from 0 to 65535, or fractions from 0 to 1")
    return grey


def _on_white(image):
    """The image in red, green and blue, its transparent parts laid on white."""
    if "A" in image.mode.upper() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")
