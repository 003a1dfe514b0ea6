"""Trains the network and shows what that did to its logits and probabilities."""

import sys
from contextlib import ExitStack

import cli

FLAGS = ("hidden", "epochs", "batch_size", "lr", "optimizer", "target", "seed")  # which a run's settings hold
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
    seed = cli.number(int, at_least=0, at_most=2**32 - 1)  # as much as scikit-learn takes
    parser.add_argument("--seed", type=seed, default=0, help="of weights and shuffling")
    parser.add_argument("--out", type=cli.Path, default=cli.ROOT / "outputs", help="folder for the run")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out, up to --epochs in all")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    parser.add_argument("--no-figures", action="store_true", help="draw nothing, and leave out the explorer")
    options = parser.parse_args()
    saved = saved_flags(options.out) if options.resume else {}
    parser.set_defaults(**saved)
    options = parser.parse_args()
    if 0 in options.hidden and options.hidden != [0]:
        parser.error("argument --hidden: 0 means no hidden layer, so it stands alone")
    options.hidden = [size for size in options.hidden if size]
    options.lr = options.lr or LEARNING_RATES[options.optimizer]
    for name, value in saved.items():
        if getattr(options, name) != value and name != "epochs":
            flag = f"argument --{name.replace('_', '-')}"
            parser.error(f"{flag}: this run was trained with {value}, not {getattr(options, name)}; leave it out")
    return options


def saved_flags(folder):
    """The flags that a run was trained with, for --resume."""
    from edge_demo.runs import load_run

    return {name: value for name, value in load_run(folder).settings.items() if name in FLAGS}


def main():
    options = parse()
    say = (lambda *lines: None) if options.quiet else cli.say

    from edge_demo.runs import replacing_run

    # folder: hidden beside options.out, whose place it takes when all is written
    with ExitStack() as until_written, replacing_run(options.out) as folder:
        run, names, hint, stop = train_into(folder, options, say, until_written)
    say("", "written:", *(f"  {cli.shown(options.out / name)}" for name in names), *hint)
    if not stop.is_set():
        return 0
    if run.interrupted_at is None:
        return cli.fail("interrupted after the training, saved whole", 130)
    again = f"{cli.shown(__file__)} --resume --data {cli.shown(options.data)} --out {cli.shown(options.out)}"
    return cli.fail(
        f"interrupted in epoch {run.interrupted_at:.4g} of {options.epochs}, saved; to go on: python {again}", 130
    )


def train_into(folder, options, say, until_written):
    """Trains, prints and measures; returns the Run, the names of its files, written into folder, last words, and the
    Event that the first Ctrl-C sets, from the start of training until the ExitStack until_written is left.
    """
    from copy import deepcopy
    from math import ceil

    import numpy as np
    from tqdm import tqdm

    from edge_demo.gradient_check import check_gradient
    from edge_demo.network import build_network
    from edge_demo.optimizers import SGD, Adam
    from edge_demo.patches import load_dataset
    from edge_demo.resuming import ResumableHistory, train_until
    from edge_demo.runs import Run, fingerprint, load_run
    from edge_demo.softmax import log_softmax

    import report

    dataset = load_dataset(options.data)
    train_patches, test_patches = dataset.train, dataset.test
    if options.target == "kind":
        train_patches, test_patches = train_patches.with_kind_labels(), test_patches.with_kind_labels()
    class_names = train_patches.class_names
    sizes = [train_patches.pixels.shape[1], *options.hidden, len(class_names)]
    cli.need_network(sizes, max(len(train_patches), len(test_patches)))
    rng = np.random.default_rng(options.seed)
    network = build_network(train_patches.pixels.shape[1], options.hidden, len(class_names), rng)
    settings = {
        **{name: getattr(options, name) for name in FLAGS},
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
    optimizer = optimizer[options.optimizer]
    history, snapshots = ResumableHistory(optimizer, rng), {}
    if options.resume:
        saved = load_run(options.out)
        check_same_training(
            saved, Run(settings, before, network, history, test_patches, dataset.generator, {}), options
        )
        history.load(options.out, saved.history, network)
        snapshots = saved.snapshots
    tqdm.monitor_interval = 0  # a thread that would outlive the training: see cli.meanwhile
    stop = until_written.enter_context(cli.stoppable())
    train_until(
        stop,
        network,
        train_patches,
        epochs=options.epochs,
        batch_size=options.batch_size,
        optimizer=optimizer,
        rng=rng,
        test=test_patches,
        history=history,
        snapshots=snapshots,
        progress=not options.quiet and sys.stderr.isatty(),
    )
    run = Run(settings, before, network, history, test_patches, dataset.generator, {}, snapshots)
    say(*report.table(run), *report.summary(run))

    def assess():
        from edge_demo.evaluation import baselines, evaluate

        predictors = {
            "network before": lambda pixels: log_softmax(before.logits(pixels)),
            **baselines(train_patches, options.hidden, ceil(history.epoch[-1]), options.seed),
            "network after": lambda pixels: log_softmax(network.logits(pixels)),
        }
        run.evaluation = evaluate(predictors, test_patches, rng, dataset.generator, options.target)
        return run.evaluation, None if options.no_figures else run.reliability

    drawn, hint = [], []
    with cli.meanwhile(assess) as assessment:  # of which importing scikit-learn is more than half
        if not options.no_figures:
            from edge_demo.figures.of_run import save_figures

            drawn = save_figures(run, folder)
        run.evaluation, run.reliability = assessment()
    say(*report.evaluation(run))
    if not options.no_figures:
        from edge_demo.explorer import UnknownLayer, write_explorer

        save_figures(run, folder, without=drawn)
        try:
            write_explorer(run, folder / "explorer.html")
            page = cli.shown(options.out / "explorer.html")
            hint = ["", f"open {page} in a browser: paint a patch, and watch its scores and probabilities"]
        except UnknownLayer as error:
            hint = ["", f"no explorer.html: {error}"]
    names = run.write(folder)
    return run, names, hint, stop


def check_same_training(saved, new, options):
    """Raises ValueError unless the training of a saved Run, told to go on, leads where the new one leads."""
    import numpy as np

    if new.settings["data"] != saved.settings["data"] or not saved.same_test(new):
        raise ValueError(f"{options.data} holds other data than this run was trained on: name those with --data")
    if not np.array_equal(saved.before.parameters, new.before.parameters):
        raise ValueError(f"{options.out} began with other weights, from another version of numpy: train again")
    reached = saved.history.epoch[-1]
    if options.epochs < reached or (options.epochs == reached and saved.interrupted_at is None):
        raise ValueError(f"argument --epochs: {options.out} has seen {reached:.4g} epochs already: name more of them")


if __name__ == "__main__":
    cli.run(main)
