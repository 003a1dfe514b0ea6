"""When softmax is too sure: trained long on few noisy patches, and asked about patches unlike any in training."""

from edge_demo.console import cli, tables

import sys

import numpy as np
from sklearn.metrics import pairwise_distances

from edge_demo.datasets.generator import PatchGenerator, templates_of_kinds
from edge_demo.datasets.loading import load_dataset
from edge_demo.evaluation.scores import fit_temperature
from edge_demo.evaluation.truth import loss_parts
from edge_demo.figures import loss_parts as parts_figure
from edge_demo.figures.style import percent, save_figure
from edge_demo.figures.surprises import CONFIDENT, SENTENCES, surprises
from edge_demo.network import build_network
from edge_demo.optimizers import SGD
from edge_demo.softmax import log_softmax, softmax
from edge_demo.training import train, train_epoch

BATCH_SIZE, LEARNING_RATE = 32, 0.2
HELD_OUT = 2000  # patches that the temperature is fitted on
FRESH = 20_000  # patches that the parts of the loss are measured on
POINTS = 60  # epochs at which they are
NOISES = 1000  # patches of pure noise


@cli.command
def main(argv):
    options = parse(argv)
    cli.check_folder(options.out)
    figures = study_overconfidence(options), study_surprises(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, figure in zip(("overconfidence.png", "surprises.png"), figures, strict=True):
        save_figure(figure, options.out / name)
        cli.say(f"written: {cli.shown(options.out / name)}")


def parse(argv):
    parser = cli.parser(__doc__)
    whole, positive = cli.number(int, at_least=1), cli.number(float, above=0)
    out = cli.ROOT / "outputs" / "study_overconfidence"
    parser.add_argument("--train", type=whole, default=500, help="patches to train on: few")
    parser.add_argument("--noise", type=positive, default=0.15, help="spread of each pixel's noise: more than usual")
    parser.add_argument("--epochs", type=whole, default=400, help="times to see each patch: many")
    parser.add_argument("--hidden", **cli.listed(whole), default=[16], metavar="N", help="hidden sizes")
    parser.add_argument("--seed", type=cli.number(int, at_least=0), default=0, help="of patches, weights and shuffling")
    parser.add_argument("--out", type=cli.path, default=out, help="folder for the figures")
    return parser.parse_args(argv)


def study_overconfidence(options):
    """Trains long on few noisy patches, prints what that does to the parts of the loss, and returns the figure."""
    rng, generator = np.random.default_rng(options.seed), PatchGenerator(options.noise)
    few, held_out, fresh = (generator.sample(n, rng) for n in (options.train, HELD_OUT, FRESH))
    truth = generator.log_posterior(fresh.pixels)
    network, optimizer = build_network(25, options.hidden, 2, rng), SGD(LEARNING_RATE)
    cli.say(
        f"patches   {options.train:,} to train on, noise {options.noise:g} a pixel; {FRESH:,} fresh ones to judge by",
        f"training  {options.epochs:,} epochs, batches of {BATCH_SIZE}, sgd at learning rate {LEARNING_RATE:g}",
        "",
    )

    def parts(logits):
        found = loss_parts(log_softmax(logits), truth)
        return found.bayes, found.grouping, found.calibration

    measured = {*np.geomspace(1, options.epochs, POINTS).astype(int).tolist()}
    by_epoch = {0: parts(network.logits(fresh.pixels))}
    for epoch in range(1, options.epochs + 1):
        train_epoch(network, few, batch_size=BATCH_SIZE, optimizer=optimizer, rng=rng)
        if epoch in measured:
            by_epoch[epoch] = parts(network.logits(fresh.pixels))

    logits = network.logits(fresh.pixels)
    best = min(by_epoch, key=lambda epoch: sum(by_epoch[epoch]))
    bars = {"untrained": by_epoch[0], f"best: epoch {best}": by_epoch[best], f"epoch {epoch}": by_epoch[epoch]}
    temperature = fit_temperature(network.logits(held_out.pixels), held_out.labels)
    bars[f"the same, T = {temperature:.2f}"] = parts(logits / temperature)
    bars["exact posterior"] = (by_epoch[0][0], 0.0, 0.0)  # by definition
    heads = ["", "expected loss", "Bayes floor", "grouping", "calibration"]
    cli.say(*tables.table(heads, [[name, sum(cells), *cells] for name, cells in bars.items()]))
    sure = softmax(logits).max(axis=1) > CONFIDENT
    wrong = (logits.argmax(axis=1) != fresh.labels)[sure].sum() / max(sure.sum(), 1)
    cli.say(f"at the end {sure.mean():.0%} of the patches get p > {CONFIDENT:g}, and {wrong:.0%} of these are wrong")

    (_, *low), (_, *end) = by_epoch[best], by_epoch[epoch]
    changes = [
        f"{name} from {a:.3f} to {b:.3f}" for name, a, b in zip(("grouping", "calibration"), low, end, strict=True)
    ]
    cli.say(
        f"trained on from epoch {best} to {epoch}: {changes[1]}, which a temperature mends; {changes[0]}, which not"
    )
    title = f"Trained on too long: {changes[1]} nats, {changes[0]}"
    curve = list(by_epoch), list(by_epoch.values())
    return parts_figure.loss_parts(title, list(bars), list(bars.values()), *curve, {best: "best"})


def study_surprises(seed):
    """Shows train.py's network patches unlike those it was trained on, prints its answers, and returns the figure."""
    dataset = load_dataset(cli.ROOT / "data")
    rng = np.random.default_rng(seed)
    network = build_network(25, [16], 2, rng)  # as in train.py
    train(network, dataset.train, epochs=40, batch_size=BATCH_SIZE, optimizer=SGD(LEARNING_RATE), rng=rng)

    noises = rng.random((NOISES, dataset.train.pixels.shape[1]))
    names, pixels = zip(*surprising_patches(dataset.test, noises[0]).items(), strict=True)
    pixels = np.array(pixels)
    logits, exact = network.logits(pixels), np.exp(dataset.generator.log_posterior(pixels))
    usual = pairwise_distances(dataset.test.pixels, dataset.train.pixels).min(axis=1)
    distances = pairwise_distances(pixels, dataset.train.pixels).min(axis=1)
    typical, farthest = np.median(usual), usual.max()

    rows = []
    for name, z, both, distance in zip(names, logits, np.hstack([softmax(logits), exact]), distances, strict=True):
        rows.append([name, *(f"{score:.2f}" for score in z), *map(percent, both), f"{distance / typical:.1f}"])
    above = ["", *(word for word in ("logits z", "network p", "exact posterior") for _ in range(2)), " "]
    sure = 100 * (network.probabilities(noises).max(axis=1) > CONFIDENT).mean()
    cli.say(
        "",
        f"a test patch and others unlike those in training, shown to the network that train.py trains (seed {seed})",
        *tables.table(["", *dataset.test.class_names * 3, "distance"], rows, above=above),
        f"distance to the nearest training patch, in units of the median over the {len(usual):,} test patches,",
        f"of which the farthest has {farthest / typical:.1f}",
        f"of {NOISES:,} patches of pure noise, {sure:.1f} % get p > {CONFIDENT:g} for one of the classes",
        *SENTENCES,
    )
    return surprises(names, pixels, logits, exact, distances, typical, farthest, dataset.test.class_names)


def surprising_patches(test, noise):
    """A dict from name to pixels: an ordinary patch to compare with, and others that the generator never draws."""
    row, column = np.indices(test.shape)
    edge = templates_of_kinds()["vertical"][1]
    return {
        "a test patch, Edge": test.pixels[test.labels == 0][0],
        "checkerboard": ((row + column) % 2.0).ravel(),
        "flat, brightness 2": np.full(edge.size, 2.0),
        "pure noise": noise,
        "edge, contrast −5": 0.5 - 5 * edge,
        "edge × 10": 10 * (0.5 + 0.5 * edge),
    }


if __name__ == "__main__":
    sys.exit(main())
