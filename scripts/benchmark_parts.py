"""The parts of the benchmark. Each takes quick (True: less work) and returns (rows, curves).

rows: a list of measure.Row. curves: a dict from the name of an axis to (sizes, seconds, seconds of the floor).
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from edge_demo.classifier import EdgeClassifier
from edge_demo.generator import PatchGenerator, components
from edge_demo.network import build_network
from edge_demo.optimizers import SGD, Adam
from edge_demo.patches import Patches, read_csv
from edge_demo.softmax import cross_entropy, log_softmax, softmax
from edge_demo.training import train

import cli
from measure import Row, allocations, compare, interleaved, peak_memory
from peers import Floor, missing, per_value_step, scikit_learn_fit, torch_step

SIZES = (25, 16, 2)
OPTIMIZERS = {"sgd": (SGD, 1e-3), "adam": (Adam, 1e-5)}  # so small a rate that the numbers stay what they are
STEP_GOALS = {32: (4.5, 6), 256: (3, 4.5), 2000: (1.9, 3)}  # × the floor: the step alone, and through train()
THREADS = {"1": 1, "default": os.cpu_count()}  # as many as OpenBLAS takes where nobody limits it


def training_step(quick):
    """A step of 25-16-2 alone and through train(), against the floor, scikit-learn, PyTorch and plain Python."""
    rows, patches = [], PatchGenerator().sample(4000, np.random.default_rng(0))
    turns = 3 if quick else 41
    for threads, limit in THREADS.items():
        for batch in STEP_GOALS:
            for optimizer in OPTIMIZERS:
                if quick and (threads, optimizer) != ("1", "sgd") and batch != 32:
                    continue
                with threadpool_limits(limit):
                    rows += _steps(patches, batch, optimizer, threads, turns)
    for batch in STEP_GOALS:
        step = _step(patches, batch, "sgd")
        step()
        lines, total = allocations(step)
        rows.append(amount(f"step, batch {batch:,}", "peak memory", peak_memory(step)[0]))
        rows.append(amount(f"step, batch {batch:,}", f"allocated, by {lines} lines", total))
    return rows, {}


def _steps(patches, batch, optimizer, threads, turns):
    pixels, labels = patches.pixels[:batch].copy(), patches.labels[:batch].copy()
    epochs = 2 if turns == 3 and batch == 32 else 10  # and the untrained network is measured, once as in train.py's 40
    steps = epochs * -(-len(patches) // batch)
    make, rate = OPTIMIZERS[optimizer]
    network, rng = build_network(25, [16], 2, np.random.default_rng(0)), np.random.default_rng(1)

    def whole():
        train(network, patches, epochs=epochs, batch_size=batch, optimizer=make(rate), rng=rng)

    work = {"floor": Floor(SIZES, batch, rng), "step": _step(patches, batch, optimizer), "train()": (whole, steps)}
    if threads == "1":
        fit = scikit_learn_fit(patches.pixels, patches.labels, (16,), batch, optimizer, epochs)
        work["scikit-learn fit"] = (fit, steps)
        if not missing("torch"):
            work["PyTorch step"] = torch_step(pixels, labels, (16,), 2, optimizer)
    times = interleaved(work, turns, least=0.002)
    part, more, at_32 = f"{optimizer}, batch {batch:,}", optimizer == "adam", batch == 32
    step_goal, train_goal = (goal + more for goal in STEP_GOALS[batch])
    slack = 3 if at_32 else 2  # the goals at 32 are from a slower BLAS, beside which 30 other calls of NumPy weigh less
    rows = [
        replace(compare(times, name, "floor", part, threads, goal), slack=slack)
        for name, goal in (("step", step_goal), ("train()", train_goal))
    ]
    if threads != "1":
        return rows
    rows += [compare(times, name, "floor", part) for name in ("scikit-learn fit", "PyTorch step") if name in times]
    rows.append(compare(times, "train()", "scikit-learn fit", part, goal=1 / 5 if at_32 else None))
    if "PyTorch step" in times:
        rows.append(replace(compare(times, "step", "PyTorch step", part, goal=1 / 8 if at_32 else None), slack=slack))
    if at_32 and not more:
        slow = interleaved({"step": work["step"], "plain Python": (per_value_step(SIZES), 1 / batch)}, 3)
        rows.append(compare(slow, "plain Python", "step", part))
    return rows


def _step(patches, batch, optimizer):
    make, rate = OPTIMIZERS[optimizer]
    pixels, labels = patches.pixels[:batch].copy(), patches.labels[:batch].copy()
    network, rule = build_network(25, [16], 2, np.random.default_rng(0)), make(rate)
    return lambda: rule.step(network.parameters, network.gradient(pixels, labels))


def softmax_and_loss(quick):
    """softmax, log_softmax and cross-entropy against scipy.special, PyTorch and bare np.exp."""
    import scipy.special

    rng, rows = np.random.default_rng(0), []
    for n, classes in ((32, 2), (2000, 2), (10_000, 100), (1_000_000, 2)):
        z, labels = rng.normal(0, 3, (n, classes)), rng.integers(classes, size=n)
        every = np.arange(n)
        work = {
            "np.exp": lambda z=z: np.exp(z),
            "softmax": lambda z=z: softmax(z),
            "scipy softmax": lambda z=z: scipy.special.softmax(z, axis=1),
            "log_softmax": lambda z=z: log_softmax(z),
            "scipy log_softmax": lambda z=z: scipy.special.log_softmax(z, axis=1),
            "cross_entropy": lambda z=z, labels=labels: cross_entropy(z, labels),
            "scipy cross-entropy": lambda z=z, labels=labels, every=every: (
                -scipy.special.log_softmax(z, axis=1)[every, labels].mean()
            ),
        }
        if not missing("torch"):
            import torch

            torch.set_num_threads(1)
            tensor, target = torch.from_numpy(z), torch.from_numpy(labels)
            work["PyTorch softmax"] = lambda t=tensor: torch.softmax(t, 1)
            work["PyTorch cross-entropy"] = lambda t=tensor, y=target: torch.nn.functional.cross_entropy(t, y)
        large = z.size >= 1e6
        with threadpool_limits(1):
            times = interleaved(work, (2 if large else 5) if quick else (15 if large else 51), least=0.0003)
        part = f"({n:,}, {classes})"
        for name in ("softmax", "log_softmax", "cross_entropy"):
            goal = 3 if n == 1_000_000 and name == "softmax" else None
            rows.append(compare(times, name, "np.exp", part, goal=goal))
            rows.append(compare(times, name, f"scipy {name.replace('s_e', 's-e')}", part, goal=1))
        for name in ("softmax", "cross_entropy"):
            peer = f"PyTorch {name.replace('_', '-')}"
            if peer in times:
                rows.append(compare(times, name, peer, part))
    return rows, {}


def data(quick):
    """Sampling, the posterior and reading files, against normals, one matrix product and np.loadtxt; their growth."""
    rows, curves = [], {}
    generator, rng = PatchGenerator(), np.random.default_rng(0)
    templates = components()[0]
    room = np.empty((len(templates), 10_000))

    def multiply(pixels):
        for start in range(0, len(pixels), 10_000):
            np.dot(templates, pixels[start : start + 10_000].T, out=room)

    path = cli.ROOT / "data" / "train.csv"
    sizes = [10_000, 30_000] if quick else [10_000, 30_000, 100_000, 300_000, 1_000_000]
    sampling, posterior = [], []
    with threadpool_limits(1):
        for n in sizes:
            turns = 3 if quick else 5 if n > 100_000 else 9
            pixels = generator.sample(n, rng).pixels
            times = interleaved(
                {
                    "sample": lambda n=n: generator.sample(n, rng),
                    "standard normals": lambda n=n: rng.standard_normal((n, 25)),
                    "log_posterior": lambda pixels=pixels: generator.log_posterior(pixels),
                    "product with all signed templates": lambda pixels=pixels: multiply(pixels),
                },
                turns,
            )
            sampling.append(compare(times, "sample", "standard normals", f"{n:,} patches", goal=1.35))
            posterior.append(
                compare(times, "log_posterior", "product with all signed templates", f"{n:,} patches", goal=2)
            )
        reading = interleaved(
            {
                "read_csv": lambda: read_csv(path),
                "np.loadtxt": lambda: np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(2, 27)),
            },
            3 if quick else 15,
        )
        rows += [sampling[-1], posterior[-1]] if quick else [*sampling, *posterior]
    rows.append(compare(reading, "read_csv", "np.loadtxt", "4,000 patches", goal=2))
    for name, found in (("sampling", sampling), ("posterior", posterior)):
        curves[f"{name}: patches"] = (sizes, [row.seconds for row in found], [row.against_seconds for row in found])
        rows.append(_growth(f"{name}: patches", *curves[f"{name}: patches"]))
    n = sizes[-1]
    peak, kept = peak_memory(lambda: generator.sample(n, rng))
    rows.append(amount(f"{n:,} patches", "sample: peak beside the result", peak - kept))
    stream = peak_memory(lambda: [len(generator.sample(10_000, rng)) for _ in range(n // 10_000)])[0]
    rows.append(amount(f"{n:,} patches", "sample, 10,000 at a time: peak", stream))
    return rows, curves


def whole_script(quick):
    """train.py as a user starts it, against a floor and a plain script, and what --help and a typing error cost."""
    turns, rows = 1 if quick else 5, []
    train_py, floors = cli.ROOT / "scripts" / "train.py", cli.ROOT / "scripts" / "benchmark_floors.py"
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "train.py": [train_py, "--out", f"{folder}/run"],
            "floor script": [floors, "floor", folder],
            "lean floor": [floors, "lean-floor", folder],
            "plain script": [floors, "plain", folder],
        }
        if quick:
            del commands["lean floor"], commands["plain script"]
        else:
            _run(commands["floor script"])  # so that every file has been read once
        found = {name: [] for name in commands}
        for _ in range(turns):
            for name, command in commands.items():
                found[name].append(_run(command))
    tables, ends = ({name: np.array(pairs)[:, i] for name, pairs in found.items()} for i in (0, 1))
    rows = [
        compare(tables, "train.py", "floor script", "start to table", "default", 1.4),
        compare(ends, "train.py", "floor script", "start to end", "default", 1.4),
    ]
    if not quick:
        rows.append(compare(ends, "train.py", "plain script", "start to end", "default", 1.0))
        rows.append(compare(tables, "train.py", "lean floor", "start to table", "default"))
    answers = {
        "--help": [train_py, "--help"],
        "a typing error": [train_py, "--epochs", "many"],
        "import argparse": ["-c", "import argparse"],
    }
    times = interleaved({name: lambda c=command: _run(c) for name, command in answers.items()}, 3 if quick else 21)
    for name in ("--help", "a typing error"):
        rows.append(compare(times, name, "import argparse", "answers at once", "1", 1.5))
    return rows, {}


def _run(command):
    """Seconds from the start of python to the table, and to the end."""
    start, table = perf_counter(), float("nan")
    process = subprocess.Popen(
        [sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    for line in process.stdout:
        if line.startswith("table") or "test patches: logits z" in line:
            table = perf_counter() - start
    process.wait()
    return table, perf_counter() - start


def growth(quick):
    """Time of an epoch against patches, hidden units, classes and image sides, with the floor beside it."""
    axes = {
        "patches": [1000, 10_000, 30_000] if quick else [1000, 10_000, 100_000, 1_000_000],
        "hidden units": [4, 64, 1024] if quick else [4, 16, 64, 256, 1024],
        "classes": [2, 14, 100] if quick else [2, 5, 14, 37, 100],
        "image side": [5, 12, 28] if quick else [5, 8, 12, 18, 28],
    }
    rows, curves, rng, batch = [], {}, np.random.default_rng(0), 32
    for axis, values in axes.items():
        seconds, floors = [], []
        for value in values:
            n = value if axis == "patches" else 320 if quick else 2000
            side = value if axis == "image side" else 5
            hidden = value if axis == "hidden units" else 16
            classes = value if axis == "classes" else 2
            names = tuple(map(str, range(classes)))
            patches = Patches(rng.normal(0.5, 0.2, (n, side**2)), rng.integers(classes, size=n), class_names=names)
            network, rule = build_network(side**2, [hidden], classes, rng), SGD(1e-3)
            steps = -(-n // batch)
            with threadpool_limits(1):
                times = interleaved(
                    {
                        "epoch": lambda p=patches, w=network, r=rule: train(
                            w, p, epochs=1, batch_size=batch, optimizer=r, rng=rng
                        ),
                        "floor": (Floor((side**2, hidden, classes), batch, rng), 1 / steps),
                    },
                    3 if quick or n > 10_000 else 7,
                )
            seconds.append(np.median(times["epoch"]))
            floors.append(np.median(times["floor"]))
        curves[f"epoch: {axis}"] = (values, seconds, floors)
        rows.append(_growth(f"epoch: {axis}", values, seconds, floors))
    return rows, curves


def _growth(name, sizes, seconds, floors):
    """How much more the time grows than the floor does, from the smallest size to the worst of the others."""
    ratios = np.divide(seconds, floors)
    grown = ratios[1:].max() / ratios[0]
    return Row(name, f"growth, {sizes[0]:,} to {sizes[-1]:,}", "the floor's growth", "1", grown, grown, grown, 1.25)


def streaming(quick):
    """Training on fresh patches, block by block, against training on as many that are in memory already."""
    n, block = (20_000, 10_000) if quick else (1_000_000, 10_000)
    generator, rng, rows = PatchGenerator(), np.random.default_rng(0), []
    held = generator.sample(n, rng)
    settings = {"epochs": 1, "batch_size": 32, "optimizer": SGD(1e-2), "rng": rng}
    network, model = build_network(25, [16], 2, rng), EdgeClassifier(epochs=1, random_state=0, learning_rate=1e-2)
    model.partial_fit(held.pixels[:block], held.labels[:block], classes=[0, 1])

    def stream(learn):
        for _ in range(n // block):
            learn(generator.sample(block, rng))

    def fit(patches):
        model.partial_fit(patches.pixels, patches.labels)

    with threadpool_limits(1):
        times = interleaved(
            {
                "train(), streamed": lambda: stream(lambda patches: train(network, patches, **settings)),
                "train() in memory": lambda: train(network, held, **settings),
                "partial_fit, streamed": lambda: stream(fit),
                "partial_fit in memory": lambda: fit(held),
            },
            3,
            least=0,
        )
    for name in ("train()", "partial_fit"):
        rows.append(compare(times, f"{name}, streamed", f"{name} in memory", f"{n:,} patches", goal=1 / 0.7))
    return rows, {}


def digits(quick):
    """Test accuracy on scikit-learn's digits beside MLPClassifier of the same shape; five seeds, not if quick."""
    import warnings

    from sklearn.datasets import load_digits
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    if quick:
        return [], {}
    pixels, labels = load_digits(return_X_y=True)
    epochs, accuracies = 60, {"EdgeClassifier": [], "MLPClassifier": []}
    for seed in range(5):
        x, x_test, y, y_test = train_test_split(pixels / 16, labels, test_size=0.3, random_state=seed, stratify=labels)
        ours = EdgeClassifier((32,), epochs=epochs, random_state=seed)
        theirs = MLPClassifier((32,), max_iter=epochs, batch_size=32, n_iter_no_change=epochs, random_state=seed)
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore", ConvergenceWarning)
            for name, model in zip(accuracies, (ours, theirs), strict=True):
                accuracies[name].append(100 * model.fit(x, y).score(x_test, y_test))
    behind = np.subtract(accuracies["MLPClassifier"], accuracies["EdgeClassifier"])
    means = " and ".join(f"{np.mean(values):.1f} %" for values in accuracies.values())
    low, high = np.percentile(behind, [25, 75])
    name = f"accuracy behind ({means})"
    row = Row("digits, 64-32-10", name, "MLPClassifier", "1", behind.mean(), low, high, goal=1.0, unit="points")
    return [row], {}


def amount(part, operation, size):
    """A Row of bytes, in KiB."""
    return Row(part, operation, "nothing", "1", size / 1024, 0, 0, unit="KiB")


PARTS = {
    "step": training_step,
    "softmax": softmax_and_loss,
    "data": data,
    "script": whole_script,
    "growth": growth,
    "streaming": streaming,
    "digits": digits,
}
