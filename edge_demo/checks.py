"""Is backpropagation right? Each parameter is moved a little up and down, and the loss is measured again.

(loss above - loss below) / (distance between them) is the central difference. It is nearly the derivative, and needs
no backward. Three things keep it from being exactly the derivative:

- Curves: the slope changes on the way from below to above. The shorter the step, the less.
- Kinks: where a ReLU receives 0, its slope jumps from 0 to 1, and a step across mixes the two. A shorter step stays on
  one side. Exactly at a kink there is no derivative, so the check is made a little beside the given parameters.
- Rounding: float64 keeps 16 digits of a loss. What is lost becomes large when it is divided by a short step.

The first two want short steps, the third wants long ones. So several are tried, and the one that fits best counts.
"""

from copy import deepcopy

import numpy as np

STEPS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
GOOD = 1e-5  # an error below this needs no shorter step
EPS = np.finfo(np.float64).eps  # 2.2e-16, the distance from 1 to the next number


def check_gradient(network, pixels, labels, most=2000):
    """Largest relative error of network.gradient(pixels, labels): below 1e-4 where right, above 1e-3 where wrong.

    pixels (n, inputs), labels (n,). Of each array in network.parameters at most `most` values are checked, drawn at
    random, but the same ones each time. The error is |a - n| / (|a| + |n|), a by backpropagation, n by the central
    difference; it is inf where the gradient is not finite or not of its parameter's shape. network stays as it is.
    """
    rng = np.random.default_rng(0)
    network = deepcopy(network)
    parameters = network.parameters
    for array in parameters:
        array += rng.uniform(-0.01, 0.01, array.shape)  # away from kinks

    gradient = network.gradient(pixels, labels)
    for array, grad in zip(parameters, gradient, strict=True):
        if np.shape(grad) != array.shape or not np.isfinite(grad).all():
            return np.inf

    # What rounding may do to the loss: its own last digit, and that of each parameter times the parameter's gradient.
    rounding = EPS * (1.0 + network.loss(pixels, labels))
    for array, grad in zip(parameters, gradient, strict=True):
        rounding += EPS * np.abs(array * grad).sum()

    worst = 0.0
    for array, grad in zip(parameters, gradient, strict=True):
        for index in rng.permutation(array.size)[:most]:
            error = _error(network, pixels, labels, array, index, grad.flat[index], rounding)
            worst = max(worst, error)
    return worst


def _error(network, pixels, labels, array, index, analytic, rounding):
    """The relative error of one derivative, at the step that fits best."""
    value = array.flat[index]
    best = np.inf
    for step in STEPS:
        above = value + step
        array.flat[index] = above
        loss_above = network.loss(pixels, labels)

        below = value - step
        array.flat[index] = below
        loss_below = network.loss(pixels, labels)

        array.flat[index] = value
        numeric = (loss_above - loss_below) / (above - below)

        difference = abs(analytic - numeric) - rounding / step
        if difference <= 0.0:
            return 0.0  # float64 cannot tell them apart
        best = min(best, float(difference / (abs(analytic) + abs(numeric))))
        if best < GOOD:
            break
    return best
