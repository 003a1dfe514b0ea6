"""Is backpropagation right? Every parameter is moved a little both ways and the loss is measured again.

A ReLU has a kink at 0. Where a step moves some input of a ReLU across it, the difference of the two losses
mixes two slopes, so such a step is detected and made shorter until it stays on one side.
"""

import numpy as np

STEPS = (1e-4, 1e-5, 1e-6, 1e-7)  # the shorter ones only where a longer one crosses a kink: they round more


def check_gradient(network, pixels, labels, indexes=None):
    """Largest |a - n| / max(1e-8, |a| + |n|) over all parameters; a by backpropagation, n by central differences.

    pixels (n, inputs), labels (n,); indexes: the parameters to check, where all would take too long.
    About 1e-7 where the gradient is right, near 1 where it is wrong. Where even the shortest step crosses a
    kink (an input of exactly 0), each slope between those on its two sides is a right answer, and the error
    is the distance to the nearest of them.
    A layer says on which side each input lies in an attribute mask, as ReLU does.
    """
    analytic = network.gradient(pixels, labels)
    loss = network.loss(pixels, labels)
    sides = _sides(network)
    parameters = network.parameters
    worst = 0.0
    for i in range(len(parameters)) if indexes is None else indexes:
        value = parameters[i]
        for step in STEPS:
            losses, crossed = [], False
            for moved in (value + step, value - step):
                parameters[i] = moved
                losses.append(network.loss(pixels, labels))
                crossed |= any(not np.array_equal(a, b) for a, b in zip(sides, _sides(network), strict=True))
            parameters[i] = value
            if not crossed:
                break
        numeric = (losses[0] - losses[1]) / ((value + step) - (value - step))
        if crossed:
            slopes = sorted([(losses[0] - loss) / step, (loss - losses[1]) / step])
            numeric = np.clip(analytic[i], *slopes)
        error = abs(analytic[i] - numeric) / max(1e-8, abs(analytic[i]) + abs(numeric))
        worst = max(worst, float(error))
    return worst


def _sides(network):
    return [layer.mask for layer in network.layers if hasattr(layer, "mask")]
