"""When softmax is too sure: trained long on few noisy patches, and asked about patches unlike any in training."""

from edge_demo.console import cli

import sys

import numpy as np
from sklearn.metrics import pairwise_distances

from edge_demo.datasets.generator import PatchGenerator, templates_of_kinds
from edge_demo.datasets.loading import load_dataset
from edge_demo.evaluation import NoTemperature, fit_temperature, loss_parts
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
    figures = {
        "overconfidence.png": study_overconfidence(options),
        "surprises.png": study_surprises(options.seed),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    cli.say("")
    for name, figure in figures.items():
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
    rng = np.random.default_rng(options.seed)
    generator = PatchGenerator(options.noise)
    few, held_out, fresh = (generator.sample(n, rng) for n in (options.train, HELD_OUT, FRESH))
    truth = generator.log_posterior(fresh.pixels)
    network = build_network(25, options.hidden, 2, rng)
    cli.say(
        f"patches   {options.train:,} to train on, noise {options.noise:g} a pixel; {FRESH:,} fresh ones to judge by"
    )
    cli.say(f"network   {'-'.join(map(str, [25, *options.hidden, 2]))}, seed {options.seed}")
    cli.say(f"training  {options.epochs:,} epochs, batches of {BATCH_SIZE}, sgd at learning rate {LEARNING_RATE:g}", "")

    optimizer = SGD(LEARNING_RATE)
    measured = {0, options.epochs, *np.geomspace(1, options.epochs, POINTS).astype(int).tolist()}
    by_epoch = {}
    for epoch in range(options.epochs + 1):
        if epoch:
            train_epoch(network, few, batch_size=BATCH_SIZE, optimizer=optimizer, rng=rng)
        if epoch in measured:
            by_epoch[epoch] = loss_parts(log_softmax(network.logits(fresh.pixels)), truth)

    best = min(by_epoch, key=lambda epoch: by_epoch[epoch].excess)
    rows = {
        "untrained": by_epoch[0],
        f"best: epoch {best}": by_epoch[best],
        f"epoch {options.epochs}": by_epoch[options.epochs],
    }
    logits = network.logits(fresh.pixels)
    try:
        temperature = fit_temperature(network.logits(held_out.pixels), held_out.labels)
        rows[f"the same, T = {temperature:.2f}"] = loss_parts(log_softmax(logits, temperature=temperature), truth)
    except NoTemperature as error:
        cli.say(str(error))
    rows["exact posterior"] = loss_parts(truth, truth)

    cli.say(f"{'':22}{'expected loss':>14}{'Bayes floor':>13}{'grouping':>10}{'calibration':>13}")
    for name, parts in rows.items():
        total = parts.bayes + parts.excess
        cli.say(f"{name:22}{total:14.4f}{parts.bayes:13.4f}{parts.grouping:10.4f}{parts.calibration:13.4f}")
    sure = np.exp(log_softmax(logits)).max(axis=1) > CONFIDENT
    wrong = 100 * (logits.argmax(axis=1) != fresh.labels)[sure].mean() if sure.any() else 0.0
    share = f"{100 * sure.mean():.0f} % of the patches"
    cli.say(f"at the end {share} get p > {CONFIDENT:g}, and {wrong:.0f} % of these are wrong")

    low, end = by_epoch[best], by_epoch[options.epochs]
    grown = {"calibration": end.calibration - low.calibration, "grouping": end.grouping - low.grouping}
    cli.say(
        f"trained on from epoch {best} to {options.epochs}: calibration {grown['calibration']:+.3f} nats, which a "
        f"temperature mends; grouping {grown['grouping']:+.3f}, which it does not"
    )
    title = (
        f"Trained on too long: calibration from {low.calibration:.3f} to {end.calibration:.3f} nats, "
        f"grouping from {low.grouping:.3f} to {end.grouping:.3f}"
    )
    cells = [(parts.bayes, parts.grouping, parts.calibration) for parts in rows.values()]
    curve = [(parts.bayes, parts.grouping, parts.calibration) for parts in by_epoch.values()]
    return parts_figure.loss_parts(title, list(rows), cells, list(by_epoch), curve, {best: "best"})


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

    cli.say(
        "", f"a test patch and others unlike those in training, shown to the network that train.py trains (seed {seed})"
    )
    cli.say(f"{'':20}{'logits z':>18}{'network p':>20}{'exact posterior':>22}{'distance':>10}")
    cli.say(f"{'':20}" + f"{'Edge':>10}{'No Edge':>10}" * 3)
    for name, z, p, q, distance in zip(names, logits, softmax(logits), exact, distances / typical, strict=True):
        cells = "".join(f"{value:10.2f}" for value in z) + "".join(f"{percent(value):>10}" for value in [*p, *q])
        cli.say(f"{name:20}{cells}{distance:10.1f}")
    cli.say(f"distance to the nearest training patch, in units of the median over the {len(usual):,} test patches,")
    cli.say(f"of which the farthest has {farthest / typical:.1f}")
    sure = 100 * (network.probabilities(noises).max(axis=1) > CONFIDENT).mean()
    cli.say(f"of {NOISES:,} patches of pure noise, {sure:.1f} % get p > {CONFIDENT:g} for one of the classes")
    cli.say(*SENTENCES)
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
