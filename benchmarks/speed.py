"""How long things take that a user waits for, and how many times as fast they are as their peers, in one run.

Peers take turns, ours then theirs, after a warm-up; the table shows the median ratio and its quartiles.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when NumPy is imported
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np

from edge_demo.datasets import PatchGenerator, read_csv
from edge_demo.network import build_network
from edge_demo.optimizers import make_optimizer
from edge_demo.softmax import softmax
from edge_demo.training import train, train_epoch

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
PATCHES = PatchGenerator().sample(4000, np.random.default_rng(0))
WANTED = {32: (2.2, 3.0), 256: (1.0, 1.0), 2000: (0.6, 0.6)}  # a batch: times as fast as scikit-learn, as PyTorch


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer turns, and no whole processes")
    parser.add_argument("--write-docs", action="store_true", help="write the tables into docs/performance.md")
    options = parser.parse_args()

    turns = 3 if options.quick else 9
    lines = [f"{'seconds of waiting':48}{'':22}at most"]
    for name, work, most in waiting(options.quick):
        seconds = min(timed(work) for _ in range(3))
        lines.append(f"{name:48}{seconds:6.2f}{most:23.2f}{'  missed' if seconds > most else ''}")

    lines += ["", f"{'times as fast as a peer, median (quartiles)':70}at least"]
    with tempfile.TemporaryDirectory() as folder:
        for name, ours, theirs, least in pairs(Path(folder), options.quick):
            low, ratio, high = np.quantile(ratios(ours, theirs, turns), [0.25, 0.5, 0.75])
            missed = "  missed" if ratio < least else ""
            lines.append(f"{name:48}{ratio:6.2f} ({low:.2f} to {high:.2f}){least:9.2f}{missed}")

    lines += ["", *growth()]
    print("\n".join(lines))
    if options.write_docs:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition("```text\n")
        text = "\n".join([f"{before}```text", *lines, f"```{rest.partition('```')[2]}"])
        PAGE.write_text(text, encoding="utf-8")


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratios(ours, theirs, turns):
    """How many times as long theirs takes, turn by turn."""
    ours(), theirs()
    return [timed(theirs) / timed(ours) for _ in range(turns)]


def waiting(quick):
    """(name, work, the seconds that it may take)."""
    generator, rng = PatchGenerator(), np.random.default_rng(0)
    pixels = generator.sample(100_000, rng).pixels
    if not quick:
        yield "train.py, to its end", train_script, 3.0
        yield "train.py --help", partial(script, "scripts/train.py", "--help"), 1.0
    yield "training 4,000 patches, 40 epochs of batch 32", partial(our_training, 32, "sgd", 40), 0.5
    yield "the exact posterior of 100,000 patches", lambda: generator.log_posterior(pixels), 1.5
    yield "a million patches sampled", lambda: generator.sample(1_000_000, rng), 3.0


def pairs(folder, quick):
    """(name, ours, theirs, how many times as fast it is wanted)."""
    for size, wanted in WANTED.items():
        for name in ("sgd", "adam"):
            work = size, name, max(4, size // 16)  # so many epochs, because long batches make short ones
            ours, peers = partial(our_training, *work), (partial(scikit_learn, *work), torch_training(*work))
            for peer, theirs, least in zip(("scikit-learn", "PyTorch"), peers, wanted, strict=True):
                if theirs is not None:
                    yield f"train(), {name}, batches of {size:,} / {peer}", ours, theirs, least

    for shape in ((32, 2), (2000, 2), (10_000, 100)):
        logits = np.random.default_rng(0).normal(size=shape)
        calls = max(1, 200_000 // logits.size)
        ours, theirs = (partial(repeat, function, logits, calls) for function in (softmax, scipy_softmax()))
        yield f"softmax{shape} / SciPy", ours, theirs, 0.85

    images = 2000 if quick else 60_000
    path = folder / "images.csv"
    write_images(path, images)
    plain = partial(np.loadtxt, path, delimiter=",", skiprows=1)  # it knows that a header is there, and numbers alone
    yield f"read_csv({images:,} × 785) / np.loadtxt", partial(read_csv, path), plain, 0.75
    if not quick:
        yield "train.py / a plain script", train_script, plain_script, 0.8


def our_training(batch_size, optimizer, epochs):
    rng = np.random.default_rng(0)
    how = {"epochs": epochs, "batch_size": batch_size, "optimizer": make_optimizer(optimizer, 0.001), "rng": rng}
    train(build_network(25, [16], 2, rng), PATCHES, **how)


def scikit_learn(batch_size, optimizer, epochs):
    """MLPClassifier.fit with plain steps: no momentum, no penalty, no early stop."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    plain = {"alpha": 0.0, "momentum": 0.0, "tol": 0.0, "n_iter_no_change": 10**6, "random_state": 0}
    model = MLPClassifier((16,), solver=optimizer, batch_size=batch_size, max_iter=epochs, **plain)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(PATCHES.pixels, PATCHES.labels)


def torch_training(batch_size, optimizer, epochs):
    """Eager PyTorch in float64 on one thread, batches by indexing; None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(25, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)).double()
    update = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer](model.parameters(), lr=0.001)
    loss = torch.nn.CrossEntropyLoss()
    pixels, labels = torch.from_numpy(PATCHES.pixels), torch.from_numpy(PATCHES.labels)

    def work():
        for _ in range(epochs):
            for batch in torch.randperm(len(pixels)).split(batch_size):
                update.zero_grad()
                loss(model(pixels[batch]), labels[batch]).backward()
                update.step()

    return work


def scipy_softmax():
    from scipy.special import softmax

    return partial(softmax, axis=-1)


def repeat(function, logits, calls):
    for _ in range(calls):
        function(logits)


def write_images(path, images):
    """A CSV file of 28×28 pixels, as dark as MNIST."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (images, 784)) * (rng.random((images, 784)) < 0.2)
    header = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    np.savetxt(path, np.column_stack([rng.integers(10, size=images), pixels]), "%d", ",", header=header, comments="")


def script(path, *flags):
    subprocess.run([sys.executable, ROOT / path, *flags], check=True, stdout=subprocess.DEVNULL)


def train_script():
    with tempfile.TemporaryDirectory() as folder:
        script("scripts/train.py", "--out", f"{folder}/out")


def plain_script():
    with tempfile.TemporaryDirectory() as folder:
        script("benchmarks/plain_script.py", "--out", f"{folder}/out")


def growth():
    """Lines of a table: milliseconds of an epoch in batches of 32, by patches and by hidden units."""
    widths = (4, 16, 64, 256)
    lines = ["milliseconds of an epoch in batches of 32, by training patches and hidden units"]
    lines.append(f"{'patches':>10}" + "".join(f"{width:9}" for width in widths))
    for count in (1000, 10_000, 100_000):
        patches, line = PatchGenerator().sample(count, np.random.default_rng(0)), f"{count:10,}"
        for width in widths:
            rng = np.random.default_rng(0)
            network = build_network(25, [width], 2, rng)
            epoch = partial(
                train_epoch, network, patches, batch_size=32, optimizer=make_optimizer("sgd", 0.001), rng=rng
            )
            line += f"{1000 * timed(epoch):9.0f}"
        lines.append(line)
    return lines


if __name__ == "__main__":
    main()
