"""Is this network sound? What a change of the network, its loss or its optimizer can break, measured and said.

check_network asks before training, check_training after it. Each check is a function that returns whether all is well
and a text with what it measured, or None where its question has no meaning. They stand in the order of two lists,
BEFORE and AFTER, causes before consequences; to add your own, write it and give it a line there.

After CS231n's sanity checks, Karpathy's "A recipe for training neural networks", TheDeepChecker (Ben Braiek and Khomh
2022) and UMLAUT (Schoop et al. 2021).
"""

from copy import deepcopy
from typing import NamedTuple

import numpy as np

from edge_demo.network import Network, inner_layers, set_training
from edge_demo.optimizers import Adam
from edge_demo.softmax import NonFiniteLogits, log_softmax

STEP = 1e-7  # of a finite difference
RIGHT = 1e-3  # largest error of a right gradient
PATCHES = 256  # that the checks before training look at


class Finding(NamedTuple):
    """What one check found. text holds what was measured and, where it is not passed, cause and remedy."""

    name: str
    passed: bool
    text: str


def check_network(network, patches, optimizer=None):
    """The findings about a network before its training, a list; network, patches and optimizer stay as they are.

    patches: pixels (n, inputs) and labels (n,) to train on. optimizer: what is to train it, where that is known.
    """
    chosen = _spread(patches.labels)
    pixels, labels = patches.pixels[chosen], patches.labels[chosen]
    return _findings(BEFORE, lambda: (deepcopy(network), pixels.copy(), labels, deepcopy(optimizer)))


def check_training(run, patches):
    """The findings about a finished training, a list. run: as in edge_demo.runs; patches: those it was trained on."""
    return _findings(AFTER, lambda: (run, patches))


@np.errstate(over="ignore", invalid="ignore")
def _findings(checks, make_arguments):
    findings = []
    for name, check in checks.items():
        try:
            found = check(*make_arguments())
        except Exception as error:
            if not all(finding.passed for finding in findings):
                continue  # it follows from what was found before
            if not isinstance(error, NonFiniteLogits):
                raise
            found = False, str(error)
        if found is not None:
            findings.append(Finding(name, *found))
    return findings


def is_cross_entropy(network, pixels, labels):
    """Whether the network's loss is the mean of -log p(label), which tables and figures show."""
    loss = deepcopy(network).loss(pixels.copy(), labels)  # of copies: a faulty layer changes its pixels or draws anew
    return bool(np.isclose(loss, _mean_log_loss(deepcopy(network), pixels.copy(), labels)))


# Before training. Each check gets copies, which it may change: the network, pixels and labels, the optimizer.


def input_kept(network, pixels, labels, optimizer):
    """Inside the network a layer may change its inputs in place; the first one's are the user's pixels."""
    given = pixels.copy()
    network.logits(pixels)
    network.gradient(pixels, labels)
    if np.array_equal(pixels, given):
        return True, "pixels as they were"
    return False, "a forward changes the pixels in place: write inputs - value, not inputs -= value"


def repeatable(network, pixels, labels, optimizer):
    """The same patches get the same scores; while training, too, where random layers draw the same again."""
    difference = np.abs(network.logits(pixels) - network.logits(pixels)).max()
    if difference > 0.0:
        return False, f"two answers for the same patches, {difference:.2g} apart: Dropout that is on while predicting?"
    first, second = (_training_loss(deepcopy(network), pixels, labels) for _ in range(2))
    if first != second:
        return False, "two losses while training: a layer that draws at random needs a Generator of its own"
    return True, "the same patches, the same logits"


def gradient(network, pixels, labels, optimizer):
    """Backpropagation gives the slopes that moving each parameter a little up and down shows."""
    if not _comparable(network, pixels, labels):
        return None
    pixels, labels = pixels[:32], labels[:32]
    compared = compare_slopes(network, pixels, labels)
    wrong = [slopes for slopes in compared if slopes.error > RIGHT]
    if not wrong:
        return True, f"{max((slopes.error for slopes in compared), default=0.0):.0e}"
    name, error, backward, difference = wrong[-1]
    if error == np.inf:
        return False, f"{name}: backward leaves no finite slopes of its shape"
    numbers = f"backward {backward:.3g}, finite difference {difference:.3g}"
    return False, f"{name}: {numbers}; the fault is in its backward or in one between it and the loss"


def check_gradient(network, pixels, labels, most=100):
    """Largest error of network.gradient(pixels, labels), a float: about 1e-8 where right, 1e-2 or more where wrong.

    pixels (n, inputs), labels (n,). Of each array in network.parameters at most `most` values are checked, drawn at
    random, but the same ones each time. The error of an array is |b - d| / (|b| + |d|), lengths of vectors, b by
    backpropagation, d by central differences: (loss above - loss below) / (distance between them), which is nearly the
    slope and needs no backward. It is inf where b is not finite or of another shape than its array.
    """
    return max((slopes.error for slopes in compare_slopes(network, pixels, labels, most)), default=0.0)


class Slopes(NamedTuple):
    """Of one array its name, the error of its slopes, and the two numbers that are furthest apart."""

    name: str
    error: float
    backward: float
    difference: float


def compare_slopes(network, pixels, labels, most=100):
    """A list of the Slopes of each learned array, with training on; network stays as it is."""
    rng = np.random.default_rng(0)
    start = _beside(network)
    network = deepcopy(start)
    gradients = deepcopy(start).gradient(pixels, labels)
    largest = max((np.abs(slopes).max() for slopes in gradients if np.isfinite(slopes).all()), default=0.0)
    rounding = np.finfo(float).eps * (1.0 + np.abs(network.logits(pixels)).max()) / STEP
    unseen = max(1e-7 * largest, 1e3 * rounding)  # slopes below this are lost in float64's last digits

    compared = []
    for name, array, slopes in zip(_names(network), network.parameters, gradients, strict=True):
        if np.shape(slopes) != array.shape or not np.isfinite(slopes).all():
            compared.append(Slopes(name, np.inf, np.nan, np.nan))
            continue
        chosen = rng.permutation(array.size)[:most]
        differences = np.array([_central_difference(network, start, array, index, pixels, labels) for index in chosen])
        backward = slopes.flat[chosen]
        apart = np.abs(backward - differences)
        size = np.linalg.norm(backward) + np.linalg.norm(differences)
        error = np.linalg.norm(apart) / size if size > unseen else 0.0
        worst = apart.argmax()
        compared.append(Slopes(name, float(error), backward[worst], differences[worst]))
    return compared


def _central_difference(network, start, array, index, pixels, labels):
    value = array.flat[index]
    losses = []
    for moved in (value + STEP, value - STEP):
        array.flat[index] = moved
        _rewind(network, start)
        losses.append(_training_loss(network, pixels, labels))
    array.flat[index] = value
    return (losses[0] - losses[1]) / (2 * STEP)


def empty(network, pixels, labels, optimizer):
    """An array that nothing depends on has slopes of 0, and whatever its backward is, these are right."""
    network = _beside(network)
    loss = _training_loss(deepcopy(network), pixels, labels)
    slopes_of = deepcopy(network).gradient(pixels, labels)
    for name, array, slopes in zip(_names(network), network.parameters, slopes_of, strict=True):
        value = array.copy()
        array += 0.01
        if not np.any(slopes) and _training_loss(deepcopy(network), pixels, labels) == loss:
            return False, f"{name}: all slopes are 0, so they cannot be checked: its units are dead"
        array[...] = value
    return True, "no array without slopes"


def parameters(network, pixels, labels, optimizer):
    """What a layer holds and neither forward nor backward makes anew must be learned or saved to be found again."""
    held = dict(_numbers_within(network))
    network.gradient(pixels, labels)
    known = {id(array) for array in network.arrays.values()}
    for path, value in _numbers_within(network):
        if (isinstance(value, float) or held.get(path) is value) and id(value) not in known:
            shape = "×".join(map(str, np.shape(value))) or "a number"
            remedy = "it will never be trained; name it in learned (an array), or in saved"
            return False, f"{path} ({shape}) is not learned: {remedy}"
    return True, f"{sum(array.size for array in network.parameters):,} learned parameters"


def alone(network, pixels, labels, optimizer):
    """A patch's scores are its own, whatever stands beside it."""
    if not _comparable(network, pixels, labels):
        return None
    batch = network.logits(pixels)[:8]
    single = np.concatenate([network.logits(pixels[i : i + 1]) for i in range(len(batch))])
    difference = np.abs(single - batch).max()
    if difference <= 1e-9 * (1.0 + np.abs(batch).max()):
        return True, "patches alone as in their batch"
    return False, f"scores depend on the other patches of the batch (up to {difference:.2g}), while predicting"


def fresh_backward(network, pixels, labels, optimizer):
    """A gradient is that of its own batch, whatever batch came before."""
    if not _comparable(network, pixels, labels):
        return None
    used, half = deepcopy(network), len(pixels) // 2
    used.gradient(pixels[:half], labels[:half])
    _rewind(used, network)
    second, expected = (each.gradient(pixels[-half:], labels[-half:]) for each in (used, network))
    for name, slopes, right in zip(_names(network), second, expected, strict=True):
        if not np.allclose(slopes, right, rtol=1e-6, atol=1e-12):
            return False, f"{name}: backward keeps something from the batch before: += in place of =, or stored once"
    return True, "a second backward as the first"


def first_loss(network, pixels, labels, optimizer):
    """Without training nothing is known, and guessing costs ln K."""
    classes = network.logits(pixels).shape[1]
    loss = _mean_log_loss(network, pixels, labels)
    text = f"{loss / np.log(classes):,.2f} × ln {classes}"
    if loss <= 2 * np.log(classes):
        return True, text
    largest = np.abs(pixels).max()
    cause = f"pixels reach {largest:g}" if largest > 10 else "initial weights too large"
    return False, f"{text}, where guessing costs 1: {cause}"


def vanishing(network, pixels, labels, optimizer):
    """Slopes that shrink from layer to layer leave the first ones as they are."""
    sizes = []
    for place in (network, _beside(network)):
        place.gradient(pixels, labels)
        layers = [layer for _, layer in inner_layers(place) if getattr(layer, "learned", ())]
        slopes = [max(np.abs(getattr(layer, f"grad_{name}")).max() for name in layer.learned) for layer in layers]
        sizes.append(slopes[0] / slopes[-1] if slopes and slopes[-1] else 1.0)
    text = f"first layer's slopes {max(sizes):.0e} of the last's"
    if max(sizes) >= 1e-4:
        return True, text
    return False, f"{text}: fewer layers, ReLU in place of sigmoid, or a way around (Residual)"


def symmetry(network, pixels, labels, optimizer):
    """Units that begin alike get alike slopes, and so stay one unit."""
    layers = _learning(network)
    for number, outputs in _outputs(network, pixels):
        if number in layers[:-1] and outputs.shape[1] > 1:
            spread = np.ptp(outputs, axis=1).max()
            if spread <= 1e-12 * np.abs(outputs).max():
                name = f"layer {number}, {type(network.layers[number - 1]).__name__}"
                return False, f"{name}: all units answer alike, and equal starts stay equal: draw the weights from rng"
    return True, "units differ"


def outputs(network, pixels, labels, optimizer):
    """A network returns logits; softmax makes probabilities of them, once."""
    logits = network.logits(pixels)
    if not np.allclose(network.probabilities(pixels).sum(axis=1), 1.0):
        return False, "probabilities of a patch do not sum to 1: softmax over the wrong axis?"
    if np.all((logits >= 0.0) & (logits <= 1.0)) and np.allclose(logits.sum(axis=1), 1.0):
        return False, "the network returns probabilities, of which softmax is taken again: leave out its last softmax"
    return True, f"logits {logits.min():.2g} to {logits.max():.2g}"


def by_heart(network, pixels, labels, optimizer):
    """A network that cannot learn 16 patches by heart will not learn 4,000 (one or two units may be too few for it)."""
    if min((outputs.shape[1] for _, outputs in _outputs(network, pixels)[:-1]), default=3) < 3:
        return None
    pixels, labels = pixels[:16], labels[:16]
    own = not is_cross_entropy(network, pixels, labels)
    for rate in (0.01, 0.1, 0.001):  # the second for a network without a hidden layer, the third for a wide first one
        learner, adam = deepcopy(network), Adam(rate)
        for step in range(500):
            if step % 50 == 0 and _mean_log_loss(learner, pixels, labels) < 0.01:
                break
            adam.step(learner.parameters, learner.gradient(pixels, labels))
        loss = _mean_log_loss(learner, pixels, labels)
        if loss <= 0.15 or (own and learner.loss(pixels, labels) < network.loss(pixels, labels) / 2):
            return True, f"{loss:.3f}"
    after = f"loss {loss:.3f} on {len(labels)} patches after 500 steps of Adam, not below 0.15"
    return False, f"{after}: what tells them apart is lost on the way, or slopes vanish"


def steps(network, pixels, labels, optimizer):
    """How far a step leads, as a share of the parameters' length: 2e-4 to 2e-2 in networks that learn."""
    if optimizer is None:
        return None
    lengths = []
    for batch in np.array_split(np.arange(20 * 32) % len(pixels), 20):
        former = _flat(network)
        optimizer.step(network.parameters, network.gradient(pixels[batch], labels[batch]))
        lengths.append(np.linalg.norm(_flat(network) - former) / (np.linalg.norm(_flat(network)) or 1.0))
        if not lengths[-1] < 10:
            break
    length = np.median(lengths)
    text = f"a step is {length:.1g} of the parameters"
    if 2e-5 <= length <= 0.1:
        return True, text
    if length > 0.1:
        return False, f"{text}: too long, try a smaller learning rate"
    return False, f"{text}: too short, try a larger learning rate; or does step() not change the arrays in place?"


# After training. Each check gets the run and the patches that it was trained on.


def moved(run, patches):
    """Training changes every array that is learned."""
    if run.history.epoch[-1] == 0:
        return None
    for name, before, after in zip(_names(run.after), run.before.parameters, run.after.parameters, strict=True):
        if np.array_equal(before, after):
            cause = "its slopes are 0, or step() does not change arrays in place, or is not called"
            return False, f"{name} is as before training: {cause}"
    return True, "every array moved"


def after(run, patches):
    """The gradient again, where training led: some faults show only in units that are driven far."""
    chosen = _spread(patches.labels)
    furthest = chosen[np.abs(run.after.logits(patches.pixels[chosen])).max(axis=1).argsort()[::-1]]
    return gradient(deepcopy(run.after), patches.pixels[furthest], patches.labels[furthest], None)


def dead(run, patches):
    """A unit that answers all patches alike tells nothing about them."""
    layers = _learning(run.after)
    pairs = zip(_outputs(run.before, run.test.pixels), _outputs(run.after, run.test.pixels), strict=True)
    for (number, before), (_, outputs) in pairs:
        if layers and layers[0] <= number < layers[-1]:
            flat, flat_before = (int((np.ptp(units, axis=0) < 1e-9).sum()) for units in (outputs, before))
            if flat >= 0.9 * outputs.shape[1]:
                name = f"layer {number}, {type(run.after.layers[number - 1]).__name__}"
                of = f"{flat} of {outputs.shape[1]} units answer all test patches alike, {flat_before} before training"
                remedy = "try a smaller learning rate" if flat_before < flat else "their start is wrong"
                return False, f"{name}: {of}: dead; {remedy}"
    return True, "no layer dead"


def better(run, patches):
    """Whoever knows only how common each class is guesses by that."""
    if run.history.epoch[-1] == 0:
        return None
    classes, labels = run.logits["after"].shape[1], run.test.labels
    shares = np.bincount(patches.labels, minlength=classes) / len(patches.labels)
    if run.settings["balance"]:
        shares = np.full(classes, 1 / classes)
    guess, n = shares[labels].mean() if run.settings["balance"] else (labels == shares.argmax()).mean(), len(labels)
    accuracy, loss = run.history.test_accuracy[-1], run.history.test_loss[-1]
    if accuracy < guess - 3.29 * np.sqrt(guess * (1 - guess) / n):
        return False, f"test accuracy {accuracy:.3f}, worse than guessing's {guess:.3f}: are labels swapped?"
    with np.errstate(divide="ignore"):
        guess_loss = -np.log(shares[labels]).mean()
    if not run.settings["balance"] and loss >= guess_loss:
        numbers = f"test loss {loss:.4f}, no better than guessing's {guess_loss:.4f}"
        return False, f"{numbers}: train longer, or try another network or rate"
    return True, f"test loss {loss:.4f}, guessing {guess_loss:.4f}"


def labels_fit(run, patches):
    """Where the generator is known, its exact posterior knows as much about these patches as about fresh ones."""
    if run.generator is None:
        return None
    target = run.settings["target"]
    fresh = run.generator.sample(2000, np.random.default_rng(0))
    expected = _exact_accuracy(run.generator, fresh.pixels, fresh.kinds if target == "kind" else fresh.labels, target)
    for name, given in (("training", patches), ("test", run.test)):
        reached = _exact_accuracy(run.generator, given.pixels[:2000], given.labels[:2000], target)
        error = np.sqrt(expected * (1 - expected) * (1 / 2000 + 1 / min(2000, len(given.labels))))
        if reached < expected - 5 * error:
            numbers = f"the exact posterior is right on {reached:.1%} of the {name} patches, on {expected:.1%} of fresh"
            return False, f"{numbers} ones: labels and pixels do not belong together"
    return True, f"the exact posterior is right on {reached:.1%}"


def _exact_accuracy(generator, pixels, labels, target):
    return float((generator.log_posterior(pixels, target).argmax(axis=1) == labels).mean())


def too_long(run, patches):
    """A test loss that rises again says that training goes on by heart."""
    losses = np.array(run.history.test_loss, dtype=float)
    epochs = len(losses) - 1
    if epochs < 16:
        return None
    width = epochs // 8
    means = np.convolve(losses, np.full(width, 1 / width), mode="valid")
    best = int(means.argmin() + (width - 1) // 2)
    if means[-1] <= 1.1 * means.min():
        return True, f"test loss {means[-1]:.4f} at the end, {means.min():.4f} around epoch {best}"
    return False, f"test loss {means[-1]:.4f} at the end, lowest around epoch {best}, {means.min():.4f}: stop there"


BEFORE = {
    "input kept": input_kept,
    "repeatable": repeatable,
    "gradient": gradient,
    "empty": empty,
    "parameters": parameters,
    "alone": alone,
    "fresh backward": fresh_backward,
    "first loss": first_loss,
    "vanishing": vanishing,
    "symmetry": symmetry,
    "outputs": outputs,
    "by heart": by_heart,
    "steps": steps,
}
AFTER = {
    "moved": moved,
    "after": after,
    "dead": dead,
    "better": better,
    "labels": labels_fit,
    "too long": too_long,
}


# What the checks share.


def _spread(labels):
    """Indexes of some patches, of each label in turn."""
    order = np.argsort(labels, kind="stable")
    place = np.empty(len(labels), dtype=int)
    place[order] = np.arange(len(labels)) - np.searchsorted(labels[order], labels[order])
    return np.lexsort((labels, place))[:PATCHES]


def _comparable(network, pixels, labels):
    """Whether two answers of the same network can be compared."""
    network = deepcopy(network)
    return all(check(network, pixels.copy(), labels, None)[0] for check in (input_kept, repeatable))


def _mean_log_loss(network, pixels, labels):
    return float(-log_softmax(network.logits(pixels))[np.arange(len(labels)), labels].mean())


def _training_loss(network, pixels, labels):
    """The loss while training, which leaves it on."""
    set_training(network, True)
    return network.loss(pixels, labels)


def _rewind(network, start):
    """Layers that draw at random will draw what those of start will draw."""
    for (_, layer), (_, other) in zip(inner_layers(network), inner_layers(start), strict=True):
        for name, value in vars(other).items():
            if isinstance(value, np.random.Generator):
                getattr(layer, name).bit_generator.state = deepcopy(value.bit_generator.state)


def _beside(network):
    """A copy whose learned arrays lie a little aside: exactly where a ReLU receives 0 there is no slope."""
    rng = np.random.default_rng(0)
    network = deepcopy(network)
    for array in network.parameters:
        array += rng.uniform(-0.01, 0.01, array.shape)
    return network


def _names(network):
    """Of each array in parameters what it is called: layer 2, Dense, weights."""
    return [f"layer {place}, {type(layer).__name__}, {name}" for place, layer, name in network.learned_arrays()]


def _numbers_within(network):
    """Pairs of a path and a float array, or a number that has a slope, in the layers and in what these hold."""
    for number, layer in enumerate(network.layers, start=1):
        yield from _inside(layer, f"layer {number}, {type(layer).__name__}")


def _inside(value, path):
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        yield path, value
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from _inside(inner, f"{path}[{i}]")
    elif hasattr(value, "forward"):
        for name, inner in vars(value).items():
            if isinstance(inner, float) and hasattr(value, f"grad_{name}"):
                yield f"{path}.{name}", inner
            if not name.startswith("grad_"):
                yield from _inside(inner, f"{path}.{name}")


def _learning(network):
    """Numbers of the network's own layers that learn, or hold one that does."""
    return [number for number, layer in enumerate(network.layers, start=1) if Network([layer]).parameters]


def _outputs(network, pixels):
    """Pairs of a layer's number and what it returns, (n, units)."""
    pairs, activations = [], pixels
    for number, layer in enumerate(network.layers, start=1):
        activations = layer.forward(activations)
        pairs.append((number, activations.reshape(len(pixels), -1).copy()))
    return pairs


def _flat(network):
    return np.concatenate([array.ravel() for array in network.parameters])
