"""When softmax is too sure: trained long on few noisy patches, and asked about patches unlike any in training."""

import cli

CHECKED = 2000  # patches that the temperature is fitted on, and as many others to test with
BATCH_SIZE = 32
CONFIDENT = 0.99
DEFAULT = {"hidden": [16], "epochs": 40, "lr": 0.3}  # as in train.py: the surprises are shown to its network
NOISES = 1000  # patches of pure noise


def parse():
    parser = cli.parser(__doc__)
    whole, positive = cli.number(int, at_least=1), cli.number(float, above=0)
    parser.add_argument("--train", type=whole, default=500, help="patches to train on: few")
    parser.add_argument("--noise", type=positive, default=0.25, help="spread of each pixel's noise: much")
    parser.add_argument("--epochs", type=whole, default=400, help="times to see each patch: many")
    parser.add_argument("--hidden", type=whole, nargs="+", default=[16], metavar="N", help="hidden sizes")
    parser.add_argument("--lr", type=positive, default=0.3, help="learning rate")
    parser.add_argument("--seed", type=cli.number(int, at_least=0), default=0, help="of patches, weights and shuffling")
    parser.add_argument("--out", type=cli.Path, default=cli.ROOT / "outputs", help="folder for the figures")
    return parser.parse_args()


def main():
    options = parse()
    cli.check_folder(options.out)
    cli.need_network([25, *options.hidden, 2], max(options.train, CHECKED))
    figures = {"overconfidence.png": study_overconfidence(options), "surprises.png": study_surprises(options.seed)}

    from edge_demo.figures.style import save_figure

    options.out.mkdir(parents=True, exist_ok=True)
    cli.say("")
    for name, figure in figures.items():
        save_figure(figure, options.out / name)
        cli.say(f"written: {cli.shown(options.out / name)}")


def study_overconfidence(options):
    """Trains long on few noisy patches, prints what that does to the probabilities, and returns the figure."""
    import numpy as np

    from edge_demo import evaluation
    from edge_demo.generator import PatchGenerator
    from edge_demo.network import build_network
    from edge_demo.optimizers import SGD
    from edge_demo.softmax import log_softmax
    from edge_demo.training import train

    rng = np.random.default_rng(options.seed)
    generator = PatchGenerator(options.noise)
    few, held_out, test = (generator.sample(n, rng) for n in (options.train, CHECKED, CHECKED))
    inputs, classes = few.pixels.shape[1], len(few.class_names)
    network = build_network(inputs, options.hidden, classes, rng)
    cli.say(f"patches   {options.train:,} to train on, {CHECKED:,} to fit the temperature on, {CHECKED:,} to test with")
    cli.say(f"          noise {options.noise:g} a pixel")
    cli.say(f"network   {'-'.join(map(str, [inputs, *options.hidden, classes]))}, seed {options.seed}")
    cli.say(f"training  {options.epochs:,} epochs, batches of {BATCH_SIZE}, sgd at learning rate {options.lr:g}")
    schedule = {"epochs": options.epochs, "batch_size": BATCH_SIZE, "optimizer": SGD(options.lr)}
    history = train(network, few, **schedule, rng=rng, test=test)
    cli.say(*training_lines(history))

    logits = network.logits(test.pixels)
    temperature = evaluation.fit_temperature(network.logits(held_out.pixels), held_out.labels)
    posterior = generator.log_posterior(test.pixels)
    floor = evaluation.calibration_noise_floor(posterior, rng)
    predictions = {"softmax(z)": log_softmax(logits), "softmax(z / T)": log_softmax(logits, temperature)}
    predictions["exact posterior"] = posterior
    cli.say("", f"temperature T = {temperature:.3f}, fitted on the held-out patches; on the test patches:")
    cli.say(*probability_lines(predictions, test.labels))
    cli.say(f"calib.: calibration error; true probabilities show {floor:.4f} on {CHECKED:,} patches, by chance")

    from edge_demo.figures.overconfidence import overconfidence

    bayes = evaluation.scores(posterior, test.labels)
    return overconfidence(
        **vars(history),
        logits=logits,
        labels=test.labels,
        temperature=temperature,
        class_names=test.class_names,
        bayes_loss=bayes["cross_entropy"],
        bayes_accuracy=bayes["accuracy"],
        noise_floor=floor,
    )


def training_lines(history):
    """The epoch of the lowest test loss beside the last one."""
    low = history.test_loss.index(min(history.test_loss))
    lines = ["", f"{'':18}{'epoch':>8}{'train loss':>12}{'test loss':>12}{'test accuracy':>15}"]
    for name, i in (("lowest test loss", low), ("end of training", -1)):
        losses = f"{history.train_loss[i]:12.4f}{history.test_loss[i]:12.4f}"
        lines.append(f"{name:18}{history.epoch[i]:8,}{losses}{history.test_accuracy[i]:15.4f}")
    change = [values[-1] - values[low] for values in (history.train_loss, history.test_loss, history.test_accuracy)]
    return [*lines, f"{'change':26}{change[0]:+12.4f}{change[1]:+12.4f}{change[2]:+15.4f}"]


def probability_lines(predictions, labels):
    """Scores of each prediction, a dict from name to log probabilities (n, classes), and how it is wrong when sure."""
    import numpy as np

    from edge_demo.evaluation import scores

    sure_title = f"p > {CONFIDENT:g}"
    titles = ("accuracy", "confidence", "loss", "calib.", sure_title)
    lines = [f"{'':16}" + "".join(f"{title:>12}" for title in titles) + "   of these wrong"]
    for name, log_probabilities in predictions.items():
        row, confidence = scores(log_probabilities, labels), np.exp(log_probabilities.max(axis=1))
        sure = confidence > CONFIDENT
        wrong = np.count_nonzero(log_probabilities[sure].argmax(axis=1) != labels[sure])
        values = row["accuracy"], confidence.mean(), row["cross_entropy"], row["calibration_error"]
        share = f" = {100 * wrong / sure.sum():.1f} %" if sure.any() else ""
        lines.append(f"{name:16}" + "".join(f"{v:12.4f}" for v in values) + f"{sure.sum():12,}{wrong:8,}{share}")
    return [
        *lines,
        f"confidence: mean of the larger p; loss: cross-entropy in nats, {np.log(2):.4f} = ln 2 for 50 : 50",
    ]


def study_surprises(seed):
    """Shows train.py's network patches unlike those it was trained on, prints its answers, and returns the figure."""
    import numpy as np
    from sklearn.metrics import pairwise_distances

    from edge_demo.network import build_network
    from edge_demo.optimizers import SGD
    from edge_demo.patches import load_dataset
    from edge_demo.softmax import softmax
    from edge_demo.training import train

    dataset = load_dataset(cli.ROOT / "data")
    rng = np.random.default_rng(seed)
    network = build_network(dataset.train.pixels.shape[1], DEFAULT["hidden"], len(dataset.train.class_names), rng)
    schedule = {"epochs": DEFAULT["epochs"], "batch_size": BATCH_SIZE, "optimizer": SGD(DEFAULT["lr"])}
    train(network, dataset.train, **schedule, rng=rng)

    noises = rng.random((NOISES, dataset.train.pixels.shape[1]))
    names, pixels = zip(*surprising_patches(dataset.test, noises[0]).items(), strict=True)
    pixels = np.array(pixels)
    logits, exact = network.logits(pixels), np.exp(dataset.generator.log_posterior(pixels))
    usual = pairwise_distances(dataset.test.pixels, dataset.train.pixels).min(axis=1)
    distances = pairwise_distances(pixels, dataset.train.pixels).min(axis=1)
    typical, farthest = np.median(usual), usual.max()

    from edge_demo.figures.style import percent
    from edge_demo.figures.surprises import SENTENCES, surprises

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
    import numpy as np

    from edge_demo.generator import templates_of_kinds

    row, column = np.indices((test.side, test.side))
    edge = templates_of_kinds()["vertical"][1]
    return {
        "a test patch, Edge": test.pixels[test.labels == 0][0],
        "checkerboard": ((row + column) % 2.0).ravel(),
        "all white": np.ones(edge.size),
        "pure noise": noise,
        "edge, contrast −5": 0.5 - 5 * edge,
        "edge × 10": 10 * (0.5 + 0.5 * edge),
    }


if __name__ == "__main__":
    cli.run(main)
