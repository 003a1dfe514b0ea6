"""Trains the network and shows what that did to its logits and probabilities."""

import sys
from contextlib import nullcontext

import cli

LEARNING_RATES = {"sgd": 0.3, "momentum": 0.03, "adam": 0.003}  # each about the best of its optimizer on data/


def parse():
    parser = cli.parser(__doc__)
    whole, positive = cli.number(int, at_least=1), cli.number(float, above=0)
    parser.add_argument("--data", type=cli.Path, default=cli.ROOT / "data", help="folder with train.csv and test.csv")
    parser.add_argument(
        "--hidden",
        type=cli.number(int, at_least=0),
        nargs="+",
        default=[16],
        metavar="N",
        help="hidden sizes; 0 for none",
    )
    parser.add_argument("--epochs", type=cli.number(int, at_least=0), default=40, help="times to see each patch")
    parser.add_argument("--batch-size", type=whole, default=32, help="patches a step")
    parser.add_argument("--lr", type=positive, help="learning rate (default: 0.3, momentum 0.03, adam 0.003)")
    parser.add_argument("--optimizer", choices=LEARNING_RATES, default="sgd", help="how a gradient changes the weights")
    parser.add_argument("--target", choices=["label", "kind"], default="label", help="two classes, or the seven kinds")
    parser.add_argument("--seed", type=cli.number(int, at_least=0), default=0, help="of weights and shuffling")
    parser.add_argument("--out", type=cli.Path, default=cli.ROOT / "outputs", help="folder for the run")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    parser.add_argument("--no-figures", action="store_true", help="draw nothing")
    options = parser.parse_args()
    if 0 in options.hidden and options.hidden != [0]:
        parser.error("argument --hidden: 0 means no hidden layer, so it stands alone")
    options.hidden = [size for size in options.hidden if size]
    options.lr = options.lr or LEARNING_RATES[options.optimizer]
    return options


def main():
    options = parse()
    from drawing import Artist

    with nullcontext() if options.no_figures else Artist() as artist:
        train_and_show(options, artist)


def train_and_show(options, artist):
    say = (lambda *lines: None) if options.quiet else cli.say

    from copy import deepcopy

    import numpy as np

    from edge_demo.gradient_check import check_gradient
    from edge_demo.network import build_network
    from edge_demo.optimizers import SGD, Adam
    from edge_demo.patches import load_dataset
    from edge_demo.runs import Run, fingerprint
    from edge_demo.softmax import log_softmax
    from edge_demo.training import train

    import report

    dataset = load_dataset(options.data)
    train_patches, test_patches = dataset.train, dataset.test
    if options.target == "kind":
        train_patches, test_patches = train_patches.with_kind_labels(), test_patches.with_kind_labels()
    class_names = train_patches.class_names
    rng = np.random.default_rng(options.seed)
    network = build_network(train_patches.pixels.shape[1], options.hidden, len(class_names), rng)
    settings = {
        **{
            name: getattr(options, name)
            for name in ("hidden", "epochs", "batch_size", "lr", "optimizer", "target", "seed")
        },
        "class_names": class_names,
        "data": {"train": len(train_patches), "test": len(test_patches), "fingerprint": fingerprint(train_patches)},
    }
    say(*report.opening(cli.shown(options.data), train_patches, network, settings))

    checked = train_patches[:32]
    indexes = np.linspace(0, network.parameters.size - 1, min(2000, network.parameters.size)).astype(int)
    error = check_gradient(network, checked.pixels, checked.labels, indexes)
    if error > 1e-3:  # rounding stays below 1e-4, a wrong backward gives 1e-2 and more
        raise ValueError(
            f"gradient check failed, largest relative error {error:.1e}: a backward does not fit its forward"
        )
    say(report.gradient_line(error, len(indexes), network))

    before = deepcopy(network)
    optimizer = {"sgd": SGD(options.lr), "momentum": SGD(options.lr, momentum=0.9), "adam": Adam(options.lr)}
    history = train(
        network,
        train_patches,
        epochs=options.epochs,
        batch_size=options.batch_size,
        optimizer=optimizer[options.optimizer],
        rng=rng,
        test=test_patches,
        progress=not options.quiet and sys.stderr.isatty(),
    )
    run = Run(settings, before, network, history, test_patches, dataset.generator, {})
    say(*report.table(run), *report.summary(run))
    if artist:
        artist.begin(run)

    from edge_demo.evaluation import baselines, evaluate

    run.evaluation = evaluate(
        {
            "network before": lambda pixels: log_softmax(before.logits(pixels)),
            **baselines(train_patches, options.hidden, options.epochs, options.seed),
            "network after": lambda pixels: log_softmax(network.logits(pixels)),
        },
        test_patches,
        rng,
        dataset.generator,
        options.target,
    )
    say(*report.evaluation(run))

    paths = run.save(options.out)
    if artist:
        paths += artist.save(run, options.out)
    say("", "written:", *(f"  {cli.shown(path)}" for path in paths))


if __name__ == "__main__":
    cli.run(main)
