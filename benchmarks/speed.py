"""How long things take that a user waits for, side by side with peers, as ratios of one run on this machine.

Each comparison is made in turns, ours then theirs, after a warm-up; the table shows the median ratio and its quartiles.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when NumPy is imported
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import read_csv
from edge_demo.network import build_network
from edge_demo.optimizers import make_optimizer
from edge_demo.softmax import softmax
from edge_demo.training import train, train_epoch

ROOT = Path(__file__).resolve().parent.parent
PATCHES = 4000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer turns, and no whole processes")
    parser.add_argument("--write-docs", action="store_true", help="write the tables into docs/performance.md")
    options = parser.parse_args()

    turns = 3 if options.quick else 9
    lines = ["ratio to a peer, median (quartiles)" + " " * 29 + "wanted"]
    with tempfile.TemporaryDirectory() as folder:
        pairs = [*training_peers(), *softmax_peers(), *reading_peers(Path(folder), 2000 if options.quick else 60_000)]
        if not options.quick:
            pairs.append(("train.py / a plain script", train_script, plain_script, 1.2))
        for name, ours, theirs, most in pairs:
            ratio, low, high = compare(ours, theirs, min(turns, 3) if "read" in name else turns)
            missed = "" if ratio <= most else "  missed"
            lines.append(f"{name:46}{ratio:6.2f} ({low:.2f} to {high:.2f}){most:9.2f}{missed}")
    print("\n".join(lines) + "\n", flush=True)
    waits = ["seconds of waiting" + " " * 36 + "wanted"]
    for name, work, most in waiting(options.quick):
        seconds = min(timed(work) for _ in range(turns))
        waits.append(f"{name:46}{seconds:8.2f}{most:10.2f}{'' if seconds <= most else '  missed'}")
    print("\n".join(waits) + "\n", flush=True)
    grows = growth(turns)
    print("\n".join(grows))
    if options.write_docs:
        write_docs([*lines, "", *waits, "", *grows])


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(ours, theirs, turns):
    """Median and quartiles of the ratio of times, ours / theirs, in turns."""
    ours(), theirs()
    ratios = [timed(ours) / timed(theirs) for _ in range(turns)]
    low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    return middle, low, high


def training_peers():
    """(name, ours, theirs, the ratio wanted) of trainings of 25-16-2 by train() and by its peers, epoch for epoch."""
    patches = PatchGenerator().sample(PATCHES, np.random.default_rng(0))
    wanted = {32: (1 / 2.5, 1 / 3), 256: (1.0, 1.0), 2000: (1.6, None)}
    for batch_size, (to_scikit, to_torch) in wanted.items():
        epochs = max(4, batch_size // 16)
        for name in ("sgd", "adam"):
            peers = [("scikit-learn", scikit_learn(patches, batch_size, name, epochs), to_scikit)]
            if to_torch is not None and (step := torch_epochs(patches, batch_size, name, epochs)):
                peers.append(("PyTorch", step, to_torch))
            for peer, theirs, most in peers:
                work = our_training(patches, batch_size, name, epochs)
                yield f"{name}, batches of {batch_size:,}: train() / {peer}", work, theirs, most


def our_training(patches, batch_size, optimizer, epochs):
    def work():
        rng = np.random.default_rng(0)
        how = {"epochs": epochs, "batch_size": batch_size, "optimizer": make_optimizer(optimizer, 0.001), "rng": rng}
        train(build_network(25, [16], 2, rng), patches, **how)

    return work


def scikit_learn(patches, batch_size, optimizer, epochs):
    """MLPClassifier.fit with plain steps: no momentum, no penalty, no early stop."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    plain = {"alpha": 0.0, "momentum": 0.0, "tol": 0.0, "n_iter_no_change": 10**6, "random_state": 0}

    def work():
        model = MLPClassifier((16,), solver=optimizer, batch_size=batch_size, max_iter=epochs, **plain)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(patches.pixels, patches.labels)

    return work


def torch_epochs(patches, batch_size, optimizer, epochs):
    """Eager PyTorch in float64 on one thread, batches by indexing; None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(25, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)).double()
    update = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer](model.parameters(), lr=0.001)
    loss = torch.nn.CrossEntropyLoss()
    pixels, labels = torch.from_numpy(patches.pixels), torch.from_numpy(patches.labels)

    def work():
        for _ in range(epochs):
            for batch in torch.randperm(len(pixels)).split(batch_size):
                update.zero_grad()
                loss(model(pixels[batch]), labels[batch]).backward()
                update.step()

    return work


def softmax_peers():
    from scipy.special import softmax as scipy_softmax

    for shape in ((32, 2), (2000, 2), (10_000, 100), (1_000_000, 2)):
        logits = np.random.default_rng(0).normal(size=shape)
        calls = max(1, 200_000 // logits.size)

        def ours(logits=logits, calls=calls):
            for _ in range(calls):
                softmax(logits)

        def theirs(logits=logits, calls=calls):
            for _ in range(calls):
                scipy_softmax(logits, axis=-1)

        yield f"softmax{shape}: ours / SciPy", ours, theirs, 1.15


def reading_peers(folder, images):
    """read_csv beside np.loadtxt, which knows beforehand that there is a header and that all is numbers."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (images, 784)) * (rng.random((images, 784)) < 0.2)  # as dark as MNIST
    path = folder / "images.csv"
    header = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    np.savetxt(path, np.column_stack([rng.integers(10, size=images), pixels]), "%d", ",", header=header, comments="")
    name = f"read_csv({images:,} × 785) / np.loadtxt"
    yield name, lambda: read_csv(path), lambda: np.loadtxt(path, delimiter=",", skiprows=1), 1.3


def train_script():
    _script(str(ROOT / "scripts" / "train.py"))


def plain_script():
    _script(str(ROOT / "benchmarks" / "plain_script.py"))


def _script(path):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, path, "--out", f"{folder}/out"], check=True, stdout=subprocess.DEVNULL)


def waiting(quick):
    """(name, work, seconds wanted)."""
    generator, rng = PatchGenerator(), np.random.default_rng(0)
    pixels = generator.sample(100_000, rng).pixels
    yield "the exact posterior of 100,000 patches", lambda: generator.log_posterior(pixels), 1.5
    if not quick:
        yield "a million patches sampled", lambda: generator.sample(1_000_000, rng), 3.0
        yield "train.py, to its end", train_script, np.inf
        help_line = [sys.executable, str(ROOT / "scripts" / "train.py"), "--help"]
        yield "train.py --help", lambda: subprocess.run(help_line, check=True, stdout=subprocess.DEVNULL), 1.0


def growth(turns):
    """Milliseconds of an epoch in batches of 32, by patches and by hidden units."""
    lines = ["milliseconds of an epoch in batches of 32, by training patches and hidden units"]
    widths = (4, 16, 64, 256)
    lines.append(f"{'patches':>10}" + "".join(f"{width:>9}" for width in widths))
    for count in (1000, 10_000, 100_000):
        patches = PatchGenerator().sample(count, np.random.default_rng(0))
        cells = []
        for width in widths:
            rng = np.random.default_rng(0)
            network, optimizer = build_network(25, [width], 2, rng), make_optimizer("sgd", 0.001)

            def epoch(network=network, patches=patches, optimizer=optimizer, rng=rng):
                train_epoch(network, patches, batch_size=32, optimizer=optimizer, rng=rng)

            cells.append(f"{1000 * min(timed(epoch) for _ in range(turns if count < 10**5 else 1)):9.0f}")
        lines.append(f"{count:>10,}" + "".join(cells))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*lines, f"largest memory of this benchmark: {peak:,.0f} MB"]


def write_docs(lines):
    path = ROOT / "docs" / "performance.md"
    before, _, rest = path.read_text(encoding="utf-8").partition("```text\n")
    after = rest.partition("```")[2]
    path.write_text(before + "```text\n" + "\n".join(lines) + "\n```" + after, encoding="utf-8")


if __name__ == "__main__":
    main()
