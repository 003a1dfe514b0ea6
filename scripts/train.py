"""Trains the network and shows what that did to its logits and probabilities."""

from edge_demo.console import cli, report

import sys
from functools import partial

import numpy as np
from tqdm import tqdm

from edge_demo.checks import check_network, check_training, is_cross_entropy
from edge_demo.datasets.loading import load_dataset
from edge_demo.datasets.patches import InputError
from edge_demo.explorer import UnknownLayer, write_explorer
from edge_demo.figures.of_run import save_figures
from edge_demo.optimizers import OPTIMIZERS, make_optimizer
from edge_demo.runs.folder import check_replaceable, replacing_folder
from edge_demo.runs.run import FILES, fingerprint, load_stored, new_network, train_run
from edge_demo.runs.sweeps import train_seeds
from edge_demo.training import TrainingDiverged

FLAGS = ("hidden", "epochs", "batch_size", "lr", "optimizer", "balance", "target", "seed")  # in a run's settings
READING = ("label", "drop", "shape", "test_share", "split_seed")  # how its data were read
OUTPUTS = cli.ROOT / "outputs"


@cli.command
def main(argv):
    options = parse(argv)
    cli.check_folder(options.out)
    check_replaceable(options.out, FILES)
    say = (lambda *lines: None) if options.quiet else cli.say
    dataset = read_data(options)
    run_settings = settings(dataset, options)
    network, _ = new_network(dataset.train, run_settings)
    say(*report.opening(dataset, network, run_settings, cli.shown(options.data)))
    wrong = check(network, dataset.train, options, say)
    if options.seeds > 1:
        return several(dataset, run_settings, options, say)

    with cli.stoppable() as stop:
        try:
            run = train_run(dataset, run_settings, until(stop, options))
        except TrainingDiverged:
            if "first loss" not in wrong:
                raise
            raise InputError("training diverged: the initial weights are too large") from None
        with replacing_folder(options.out, FILES) as folder:
            run.write(folder, dataset.unlabelled, dataset.test_rows)
    say(*report.table(run), *report.summary(run), *report.truth(run))
    tell([finding for finding in check_training(run, dataset.train) if not finding.passed], options, "")
    notes = [] if options.no_figures else draw(run, options.out)
    say(*report.written(cli.shown(options.out)), *notes)
    if stop.is_set():
        return cli.fail(report.interrupted(run), 130)
    return 0


def several(dataset, run_settings, options, say):
    """Trains with several seeds, each in a process of its own; writes ordinary runs, without figures."""
    seeds = list(range(options.seed, options.seed + options.seeds))
    with replacing_folder(options.out, FILES) as folder:
        train_seeds(dataset, run_settings, seeds, folder, partial(bar, options))
    say(*report.seeds([load_stored(options.out / str(seed)) for seed in seeds]))
    say("", f"written to {cli.shown(options.out)}: runs {seeds[0]} to {seeds[-1]}")
    return 0


def until(stop, options):
    """A bar around the epochs, that ends early once stop is set."""

    def progress(epochs):
        for epoch in bar(options, epochs):
            yield epoch
            if stop.is_set():
                return

    return progress


def bar(options, things, total=None):
    show = sys.stderr.isatty() and not options.quiet
    return tqdm(things, desc="training", total=total, disable=not show)


def parse(argv):
    parser = cli.parser(__doc__)
    network = parser.add_argument_group("network and training")
    data = parser.add_argument_group("your own data")
    output = parser.add_argument_group("output")
    whole = cli.number(int, at_least=1)
    natural = cli.number(int, at_least=0)

    network.add_argument("--hidden", **cli.listed(natural), default=[16], metavar="N", help="hidden sizes; 0: none")
    network.add_argument("--epochs", type=natural, metavar="N", default=40, help="times to see each patch")
    network.add_argument("--batch-size", type=whole, metavar="N", default=32, help="patches a step")
    rates = ", ".join(f"{name} {rate:g}" for name, (_, rate) in OPTIMIZERS.items())
    network.add_argument("--lr", type=cli.number(float, above=0), metavar="X", help=f"learning rate (default: {rates})")
    how = "how a gradient changes the weights"
    network.add_argument("--optimizer", type=str.lower, choices=OPTIMIZERS, default="sgd", help=how)
    repeated = "repeat patches of rare classes until all classes count alike"
    network.add_argument("--balance", action="store_true", help=repeated)
    kinds = "what to learn: the labels, or the seven kinds"
    network.add_argument("--target", choices=["label", "kind"], default="label", help=kinds)
    seed = cli.number(int, at_least=0, at_most=2**31)
    network.add_argument("--seed", type=seed, metavar="N", default=0, help="of weights and shuffling")
    many = "train with so many seeds, from --seed on, each into a folder of its own"
    network.add_argument("--seeds", type=cli.number(int, at_least=1, at_most=1000), default=1, metavar="N", help=many)

    where = "folder with train.csv and test.csv, or one CSV file"
    data.add_argument("--data", type=cli.path, metavar="PATH", default=cli.ROOT / "data", help=where)
    data.add_argument("--label", metavar="NAME", help="column of the labels (default: found by name or content)")
    data.add_argument("--drop", nargs="+", default=[], metavar="NAME", help="columns to leave out")
    shape = "of images that are not square"
    data.add_argument("--shape", type=cli.shape, metavar="ROWSxCOLUMNS", help=shape)
    share = cli.number(float, above=0, at_most=0.9)
    held = "of each class to hold out where there is no test.csv with labels"
    data.add_argument("--test-share", type=share, metavar="X", default=0.2, help=held)
    data.add_argument("--split-seed", type=natural, metavar="N", default=0, help="of which images are held out")

    out = f"folder for the run (default: {OUTPUTS / 'train'}; with --seeds: {OUTPUTS / 'seeds'})"
    output.add_argument("--out", type=cli.path, metavar="FOLDER", help=out)
    output.add_argument("--quiet", action="store_true", help="print nothing")
    output.add_argument("--no-figures", action="store_true", help="draw nothing, and leave out the explorer")

    options = parser.parse_args(argv)
    if 0 in options.hidden and options.hidden != [0]:
        parser.error("argument --hidden: 0 means no hidden layer, so it stands alone")
    options.hidden = [size for size in options.hidden if size]
    options.out = options.out or OUTPUTS / ("seeds" if options.seeds > 1 else "train")
    options.lr = options.lr or OPTIMIZERS[options.optimizer][1]
    return options


def read_data(options):
    """The Dataset, with the kinds as labels where these are to be learned."""
    show = sys.stderr.isatty() and not options.quiet
    progress = partial(tqdm, desc="reading", unit=" lines", delay=2, disable=not show)
    dataset = load_dataset(options.data, **reading(options), progress=progress)
    if options.target == "kind":
        dataset.train, dataset.test = dataset.train.with_kind_labels(), dataset.test.with_kind_labels()
    return dataset


def reading(options):
    """What load_dataset is told about the data."""
    given = {name: getattr(options, name) for name in READING}
    return given | {"seed": given.pop("split_seed")}


def settings(dataset, options):
    """What a run remembers of how it came about."""
    patches, scaling = dataset.train, dataset.scaling
    return {
        **{name: getattr(options, name) for name in FLAGS},
        "class_names": list(patches.class_names),
        "data": {
            "source": str(options.data.absolute()),
            "reading": reading(options) | {"label": dataset.label},
            "shape": list(patches.shape),
            "pixel_range": list(dataset.pixel_range),
            "scaling": None if scaling is None else [scaling.low, scaling.high],
            "train": len(patches),
            "test": len(dataset.test),
            "class_counts": np.bincount(patches.labels, minlength=len(patches.class_names)).tolist(),
            "fingerprint": fingerprint(patches),
        },
    }


def check(network, patches, options, say):
    """Says what the checks before training found; returns the names of those that failed.

    Raises InputError for a wrong gradient.
    """
    findings = check_network(network, patches, make_optimizer(options.optimizer, options.lr))
    tell(findings, options)
    if not is_cross_entropy(network, patches.pixels[:100], patches.labels[:100]):
        say("loss      another one than the mean of -log p, which tables and figures show")
    wrong = {finding.name for finding in findings if not finding.passed}
    if "gradient" in wrong:
        raise InputError("nothing is trained with a wrong gradient")
    return wrong


def tell(findings, options, *above):
    """Prints what checks found: with --quiet only what is wrong, on standard error."""
    if not findings:
        return
    lines = [*above, *report.checks(findings)]
    if not options.quiet:
        cli.say(*lines)
    elif not all(finding.passed for finding in findings):
        print(*lines, sep="\n", file=sys.stderr)


def draw(run, folder):
    """Draws a written run's figures and its page; returns a line for each that cannot show such a network."""
    notes = save_figures(run, folder)
    try:
        write_explorer(run, folder / "explorer.html")
    except UnknownLayer as error:
        notes.append(f"no explorer.html: {error}")
    return notes


if __name__ == "__main__":
    sys.exit(main())
