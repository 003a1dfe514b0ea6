"""Is backpropagation right? Each parameter is moved a little up and down, and the loss is measured again.

(loss above - loss below) / (distance between them) is the central difference. It is nearly the slope, and needs no
backward. Exactly where a ReLU receives 0 there is no slope, so the check is made a little beside the given parameters.
"""

from copy import deepcopy

import numpy as np

STEP = 1e-5


def check_gradient(network, pixels, labels, most=100):
    """Largest error of network.gradient(pixels, labels), a float: about 1e-9 where right, 1e-2 or more where wrong.

    pixels (n, inputs), labels (n,). Of each array in network.parameters at most `most` values are checked, drawn at
    random, but the same ones each time. The error of an array is |a - d| / (|a| + |d|), lengths of vectors, a by
    backpropagation, d by central differences. It is inf where a is not finite or of another shape than its array.
    network stays as it is.
    """
    rng = np.random.default_rng(0)
    network = deepcopy(network)
    for array in network.parameters:
        array += rng.uniform(-0.01, 0.01, array.shape)

    worst = 0.0
    for array, gradient in zip(network.parameters, network.gradient(pixels, labels), strict=True):
        if np.shape(gradient) != array.shape or not np.isfinite(gradient).all():
            return np.inf
        chosen = rng.permutation(array.size)[:most]
        differences = np.array([_central_difference(network, pixels, labels, array, index) for index in chosen])
        slopes = gradient.flat[chosen]
        size = np.linalg.norm(slopes) + np.linalg.norm(differences)
        worst = max(worst, float(np.linalg.norm(slopes - differences) / size) if size else 0.0)
    return worst


def _central_difference(network, pixels, labels, array, index):
    value = array.flat[index]
    losses = []
    for moved in (value + STEP, value - STEP):
        array.flat[index] = moved
        losses.append(network.loss(pixels, labels))
    array.flat[index] = value
    return (losses[0] - losses[1]) / (2 * STEP)
