"""Trains the network and shows what that did to its logits and probabilities."""

from edge_demo.console import cli, report

import sys
import time
from copy import deepcopy
from tempfile import TemporaryDirectory
from threading import Event

import numpy as np
from tqdm import tqdm

from edge_demo.checks import check_gradient
from edge_demo.datasets.loading import load_dataset
from edge_demo.explorer.page import UnknownLayer, write_explorer
from edge_demo.figures.of_run import save_figures
from edge_demo.network import build_network
from edge_demo.optimizers import make_optimizer
from edge_demo.runs.comparisons import CURVES, GROUP_FILES, Result, write_group
from edge_demo.runs.folder import check_replaceable, replacing_folder
from edge_demo.runs.run import (
    FILES,
    Recording,
    Run,
    fingerprint,
    flat,
    layer_names,
    load_run,
    load_state,
    noted_seconds,
    snapshot_steps,
)
from edge_demo.runs.sweeps import run_tasks
from edge_demo.training import History, train_epoch

FLAGS = ("hidden", "epochs", "batch_size", "lr", "optimizer", "class_weight", "target", "seed")  # in a run's settings
READING = ("label", "drop", "shape", "test_share", "split_seed")  # how its data were read
OUTPUTS = cli.ROOT / "outputs"
LEARNING_RATES = {"sgd": 0.2, "momentum": 0.02, "adam": 0.003}  # each about the best of its optimizer on data/


@cli.command
def main(argv):
    options = parse(argv)
    if options.seeds > 1:
        return train_group(options, argv)
    check_replaceable(options.out, FILES)
    say = (lambda *lines: None) if options.quiet else cli.say

    dataset = read_data(options)
    train_patches, test_patches = dataset.train, dataset.test
    rng = np.random.default_rng(options.seed)
    network = build(train_patches, options, rng)
    run_settings = settings(dataset, options)
    say(*report.opening(dataset, network, run_settings, cli.shown(options.data)))
    say(report.gradient_line(check(network, train_patches)))

    before, history, snapshots, seconds = deepcopy(network), History(), {}, 0.0
    optimizer = make_optimizer(options.optimizer, options.lr)
    if options.resume:
        network, history, snapshots = resume(run_settings, before, test_patches, optimizer, rng, options)
        seconds = noted_seconds(options.out / "before.npz", options.out / "after.npz") or 0.0
    with cli.stoppable() as stop:
        seconds += train(network, train_patches, test_patches, history, snapshots, optimizer, rng, options, stop)
        run = Run(run_settings, before, network, history, test_patches, dataset.generator, snapshots)
        run.measure_parts(np.random.default_rng([options.seed, 1]))
        say(*report.table(run), *report.summary(run), *report.truth(run), *report.warnings(run))
        write(run, dataset, optimizer, rng, seconds, options, say)
        if stop.is_set():
            return cli.fail(report.interrupted(run, cli.shown(__file__), cli.shown(options.out)), 130)
    return 0


def train_group(options, argv):
    """Trains the same network with several seeds, each in a process of its own, and writes what they reach."""
    check_replaceable(options.out, GROUP_FILES)
    say = (lambda *lines: None) if options.quiet else cli.say
    dataset = read_data(options)
    network = build(dataset.train, options, np.random.default_rng(options.seed))
    run_settings = settings(dataset, options)
    say(*report.opening(dataset, network, run_settings, cli.shown(options.data)))
    say(report.gradient_line(check(network, dataset.train)))

    seeds = list(range(options.seed, options.seed + options.seeds))
    tasks = [{"arguments": [*argv, "--quiet"], "seed": seed} for seed in seeds]
    show = sys.stderr.isatty() and not options.quiet
    try:
        with TemporaryDirectory() as folder:
            results = run_tasks(tasks, train_seed, cli.Path(folder) / "results.jsonl", jobs=-1, progress=show)
    except KeyboardInterrupt:
        return cli.fail("interrupted, and nothing saved: a group of seeds is written whole", 130)
    group = Result(
        name=options.out.name,
        settings=run_settings,
        layers=layer_names(network),
        parameters=sum(array.size for array in network.parameters),
        seeds=seeds,
        logits=np.array([result["logits"] for result in results]),
        curves={name: np.array([result["curves"][name] for result in results]) for name in CURVES},
        parts=[result["parts"] for result in results],
        seconds=float(np.mean([result["seconds"] for result in results])),
        test=dataset.test,
        generator=dataset.generator,
    )
    say(*report.group(group))
    with replacing_folder(options.out, GROUP_FILES) as folder:
        write_group(group, folder)
        names = [name for name in GROUP_FILES if (folder / name).exists()]
    say("", f"written to {cli.shown(options.out)}: {', '.join(names)}")
    return 0


def train_seed(task):
    """What one training of a group leads to; the network is that of train.py with this --seed, to the bit."""
    options = parse(task["arguments"])
    options.seed = task["seed"]
    dataset, rng = read_data(options), np.random.default_rng(options.seed)
    network = build(dataset.train, options, rng)
    before, history, optimizer = deepcopy(network), History(), make_optimizer(options.optimizer, options.lr)
    seconds = train(network, dataset.train, dataset.test, history, {}, optimizer, rng, options, Event())
    run = Run(settings(dataset, options), before, network, history, dataset.test, dataset.generator)
    run.measure_parts(np.random.default_rng([options.seed, 1]))
    return {
        "logits": run.logits["after"].tolist(),
        "curves": {name: getattr(history, name) for name in CURVES},
        "parts": None if run.parts is None else run.parts["after"],
        "seconds": seconds,
    }


def parse(argv):
    parser = cli.parser(__doc__)
    whole, positive = cli.number(int, at_least=1), cli.number(float, above=0)
    layer = cli.number(int, at_least=0)
    data = "folder with train.csv and test.csv, or one CSV file"
    parser.add_argument("--data", type=cli.path, default=cli.ROOT / "data", help=data)
    parser.add_argument("--label", metavar="NAME", help="column of the labels (default: found by name or content)")
    parser.add_argument("--drop", nargs="+", default=[], metavar="NAME", help="columns to leave out")
    shape = "of images that are not square"
    parser.add_argument("--shape", type=cli.shape, metavar="ROWSxCOLUMNS", help=shape)
    share = cli.number(float, above=0, at_most=0.9)
    held = "of each class to hold out where there is no test.csv with labels"
    parser.add_argument("--test-share", type=share, default=0.2, help=held)
    parser.add_argument(
        "--split-seed", type=cli.number(int, at_least=0), default=0, help="of which images are held out"
    )
    parser.add_argument("--hidden", **cli.listed(layer), default=[16], metavar="N", help="hidden sizes; 0 for none")
    parser.add_argument("--epochs", type=cli.number(int, at_least=0), default=40, help="times to see each patch")
    parser.add_argument("--batch-size", type=whole, default=32, help="patches a step")
    rates = ", ".join(f"{name} {rate:g}" for name, rate in LEARNING_RATES.items())
    parser.add_argument("--lr", type=positive, help=f"learning rate (default: {rates})")
    parser.add_argument(
        "--optimizer", type=str.lower, choices=LEARNING_RATES, default="sgd", help="how a gradient changes the weights"
    )
    balanced = "let each class count as much as any other"
    parser.add_argument("--class-weight", choices=["balanced"], help=balanced)
    parser.add_argument("--target", choices=["label", "kind"], default="label", help="the labels, or the seven kinds")
    seed = cli.number(int, at_least=0, at_most=2**32 - 1)  # as much as scikit-learn takes
    parser.add_argument("--seed", type=seed, default=0, help="of weights and shuffling")
    several = "train with so many seeds, from --seed on, and report their mean and spread"
    parser.add_argument("--seeds", type=cli.number(int, at_least=1, at_most=1000), default=1, help=several)
    out = f"folder for the run (default: {OUTPUTS / 'train'}; with --seeds: {OUTPUTS / 'seeds'})"
    parser.add_argument("--out", type=cli.path, help=out)
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out, up to --epochs in all")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    parser.add_argument("--no-figures", action="store_true", help="draw nothing, and leave out the explorer")

    arguments, saved = argv, {}
    if parser.parse_args(arguments).resume:
        saved = load_run(parser.parse_args(arguments).out or OUTPUTS / "train").settings
        known = saved | dict(zip(READING, saved["data"]["reading"].values(), strict=True))
        known["shape"] = known["shape"] and tuple(known["shape"])
        parser.set_defaults(
            **{name: known[name] for name in (*FLAGS, *READING)}, data=cli.Path(saved["data"]["source"])
        )
    options = parser.parse_args(arguments)
    if 0 in options.hidden and options.hidden != [0]:
        parser.error("argument --hidden: 0 means no hidden layer, so it stands alone")
    if options.resume and options.seeds > 1:
        parser.error("argument --seeds: --resume goes on with a single run")
    if options.seed + options.seeds > 2**32:
        parser.error(f"argument --seeds: the last one would be {options.seed + options.seeds - 1}, above 2**32 - 1")
    options.hidden = [size for size in options.hidden if size]
    options.out = options.out or OUTPUTS / ("seeds" if options.seeds > 1 else "train")
    options.lr = options.lr or LEARNING_RATES[options.optimizer]
    for name in (*FLAGS, *READING) if saved else ():
        if getattr(options, name) != known[name] and name not in ("epochs", "lr"):
            flag = f"argument --{name.replace('_', '-')}"
            parser.error(f"{flag}: this run was trained with {known[name]}, not {getattr(options, name)}; leave it out")
    return options


def read_data(options):
    """The Dataset, with the kinds as labels where these are to be learned."""
    progress = sys.stderr.isatty() and not options.quiet
    try:
        dataset = load_dataset(options.data, **reading(options), progress=progress)
    except FileNotFoundError as error:
        if not options.resume:
            raise
        raise ValueError(f"{error.filename} is not there any more: --data names where the data are now") from None
    if options.target == "kind":
        dataset.train, dataset.test = dataset.train.with_kind_labels(), dataset.test.with_kind_labels()
    return dataset


def reading(options):
    """What load_dataset is told about the data."""
    given = {name: getattr(options, name) for name in READING}
    return given | {"seed": given.pop("split_seed")}


def build(patches, options, rng):
    inputs, classes = patches.pixels.shape[1], len(patches.class_names)
    return build_network(inputs, options.hidden, classes, rng)


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


def check(network, patches):
    """Holds backpropagation against finite differences; returns the largest error. Raises ValueError."""
    error = check_gradient(network, patches.pixels[:32], patches.labels[:32])
    if error > 1e-3:  # rounding stays below 1e-4
        raise ValueError(
            f"gradient check failed, largest relative error {error:.1e}: a backward does not fit its forward"
        )
    return error


def train(network, patches, test_patches, history, snapshots, optimizer, rng, options, stop):
    """Trains network, and fills history and snapshots, up to options.epochs in all or until stop is set.

    Returns the seconds that this took.
    """
    started = time.perf_counter()
    batches = -(-len(patches) // options.batch_size)
    if not history.epoch:
        history.record(network, patches, test_patches)
        snapshots[0] = flat(network.parameters)
    done = history.epoch[-1]
    recording = Recording(optimizer, snapshots, snapshot_steps(options.epochs, batches), done * batches)
    show = sys.stderr.isatty() and not options.quiet
    for _ in tqdm(range(done, options.epochs), desc="training", unit="epoch", disable=not show):
        train_epoch(network, patches, batch_size=options.batch_size, optimizer=recording, rng=rng)
        history.record(network, patches, test_patches)
        if stop.is_set():
            break
    snapshots[recording.steps] = flat(network.parameters)
    return time.perf_counter() - started


def resume(run_settings, before, test_patches, optimizer, rng, options):
    """The network, history and snapshots of the run in options.out; brings optimizer and rng to where it stopped."""
    saved = load_run(options.out)
    same = saved.settings["data"]["fingerprint"] == run_settings["data"]["fingerprint"]
    if not same or not np.array_equal(saved.test.pixels, test_patches.pixels):
        raise ValueError(f"{options.data} holds other data than this run was trained on: name those with --data")
    if not np.array_equal(flat(saved.before.parameters), flat(before.parameters)):
        raise ValueError(f"{options.out} began with other weights, from another version of numpy: train again")
    reached = saved.history.epoch[-1]
    if options.epochs < reached or (options.epochs == reached and saved.interrupted_at is None):
        raise ValueError(f"argument --epochs: {options.out} has seen {reached} epochs already: name more of them")
    load_state(saved, options.out, optimizer, rng)
    batches = -(-run_settings["data"]["train"] // options.batch_size)
    kept = {*snapshot_steps(options.epochs, batches)}  # where it stopped is no longer one of them
    return saved.after, saved.history, {step: vector for step, vector in saved.snapshots.items() if step in kept}


def write(run, dataset, optimizer, rng, seconds, options, say):
    """Puts the run in the place of a former one, with its figures and its explorer."""
    note = []
    with replacing_folder(options.out, FILES) as folder:
        run.write(folder, optimizer, rng, seconds, dataset.unlabelled, dataset.test_rows)
        if not options.no_figures:
            save_figures(run, folder)
            try:
                write_explorer(run, folder / "explorer.html")
            except UnknownLayer as error:
                note = [f"no explorer.html: {error}"]
        names = [name for name in FILES if (folder / name).exists()]
    say(*report.written(cli.shown(options.out), names), *note)


if __name__ == "__main__":
    sys.exit(main())
