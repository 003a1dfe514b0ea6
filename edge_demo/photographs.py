"""Photographs: reading an image as grey values, and sliding a classifier of patches over it.

Nothing here knows the network: edge_map takes any function of pixels, so you may lay a filter, an estimator or the
exact posterior beside it.
"""

from pathlib import Path

import numpy as np
from matplotlib.cbook import get_sample_data
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from edge_demo.datasets.patches import InputError

ORIENTATION = 274  # the number of EXIF's note on how the camera was held


def read_image(path, largest=None, smallest=5):
    """Grey values of an image file that Pillow reads, (height, width) float64, 0 black to 1 white.

    What is transparent lies on white; 16 bits are divided by 65,535, and floats are taken as they are. Turned and
    mirrored as EXIF's orientation, 1 to 8, says, and shrunk (LANCZOS) so that its longer side is at most largest
    pixels. Raises OSError, or InputError where the file is no such image or ends up with fewer than smallest rows or
    columns, a number or (rows, columns).
    """
    with open(path, "rb") as file:
        try:
            image = Image.open(file)
            white = 1 if image.mode == "F" else 65535 if image.mode.startswith("I") else 255
            if image.has_transparency_data:
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
            turned = image.getexif().get(ORIENTATION)
            image = image.convert("F")  # grey, without rounding
        except Exception as error:  # what is no image, or a damaged one, fails in a dozen ways
            raise InputError(f"{path} cannot be read as a picture: {str(error).split(' <')[0]}") from error
    if largest is not None:
        image.thumbnail((largest, largest), Image.Resampling.LANCZOS, reducing_gap=None)
    grey = np.array(image, dtype=np.float64) / white
    if turned in (5, 6, 7, 8):
        grey = grey.T
    if turned in (3, 4, 7, 8):
        grey = grey[::-1]
    if turned in (2, 3, 6, 7):
        grey = grey[:, ::-1]
    if (grey.shape < np.broadcast_to(smallest, 2)).any() or not np.isfinite(grey).all():
        raise InputError(f"{path} has {grey.shape} pixels here, but a window needs {smallest} of finite numbers")
    return grey


def default_photograph():
    """The Path of matplotlib's own sample, a portrait of Grace Hopper, 600 rows of 512 pixels, public domain."""
    return Path(get_sample_data("grace_hopper.jpg", asfileobj=False))


def edge_map(predict, grey, side=5):
    """What predict says of the window around each pixel of an image.

    side: pixels of the window's sides, a number or (rows, columns). predict: a function of pixels (n, rows * columns),
    row by row, such as network.probabilities, that returns numbers (n,) or (n, classes). grey: (height, width), at
    least as large as the window. Returns (height, width) or (height, width, classes). Beyond its borders the image is
    reflected. Raises ValueError.
    """
    shape = np.broadcast_to(side, 2)
    if np.ndim(grey) != 2 or (np.shape(grey) < shape).any() or not np.isfinite(grey).all():
        raise ValueError(f"an image of {np.shape(grey)} must have two axes, at least {shape}, and finite numbers")
    around = np.column_stack([shape // 2, (shape - 1) // 2])
    windows = sliding_window_view(np.pad(grey, around, mode="reflect"), shape)
    answers = np.array([predict(row.reshape(len(row), -1)) for row in windows])
    if answers.dtype.kind not in "fiub":
        raise ValueError(f"predict must return probabilities or scores, not names such as {answers.flat[0]}")
    return answers


def sobel_magnitude(grey):
    """Length of the gradient by Sobel's two filters, (height, width): the classic edge map, of 3×3 windows.

    Divided by 8, so that it is the change of intensity a pixel. Raises ValueError as edge_map.
    """
    across = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    return edge_map(lambda pixels: np.hypot(pixels @ across.ravel(), pixels @ across.T.ravel()), grey, side=3)
