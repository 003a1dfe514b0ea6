"""Two scripts that train.py is held against: python benchmark_floors.py floor|plain FOLDER.

floor: imports the libraries that train.py imports, makes the matrix products of its training, and saves as many bare
figures of the same sizes. lean-floor: the same, but it imports scikit-learn and matplotlib after the products only.
plain: NumPy and matplotlib alone; trains as long and saves ten ordinary charts of two axes. Each prints "table" where
train.py prints its table.
"""

import sys
from pathlib import Path

SIZES, PATCHES, EPOCHS, BATCH = (25, 16, 2), 4000, 40, 32


def floor(folder, late=False):
    import numpy as np
    import tqdm  # noqa: F401

    from peers import Floor

    if not late:
        imports()
    products = Floor(SIZES, BATCH, np.random.default_rng(0))
    for _ in range(EPOCHS * (PATCHES // BATCH)):
        products()
    print("table", flush=True)
    imports()
    from matplotlib.figure import Figure

    for i, inches in enumerate(figure_sizes()):
        Figure(figsize=inches, dpi=100).savefig(folder / f"{i}.png")


def imports():
    import sklearn.calibration
    import sklearn.linear_model
    import sklearn.metrics
    import sklearn.neural_network  # noqa: F401


def figure_sizes():
    """Inches of the figures that train.py draws."""
    return [(9, 5.2), (9, 3.8), (9, 5), (9, 8.5), (9, 7), (9, 6), (9, 6.3), (9, 4.7), (9, 4.8), (9, 9), (9, 9.3)]


def plain(folder):
    """What one would write in ten minutes: a training loop by hand, pyplot, ten pairs of axes."""
    import matplotlib
    import numpy as np

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rng = np.random.default_rng(0)
    path = Path(__file__).parent.parent / "data" / "train.csv"
    rows = np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(2, 27))
    labels = rng.integers(2, size=len(rows))
    w1, b1 = rng.normal(0, 0.3, SIZES[:2]), np.zeros(SIZES[1])
    w2, b2 = rng.normal(0, 0.3, SIZES[1:]), np.zeros(SIZES[2])
    losses = []
    for _ in range(EPOCHS):
        order = rng.permutation(len(rows))
        for start in range(0, len(rows), BATCH):
            batch = order[start : start + BATCH]
            x, y = rows[batch], labels[batch]
            hidden = np.maximum(x @ w1 + b1, 0)
            logits = hidden @ w2 + b2
            e = np.exp(logits - logits.max(axis=1, keepdims=True))
            p = e / e.sum(axis=1, keepdims=True)
            losses.append(-np.log(p[np.arange(len(y)), y]).mean())
            p[np.arange(len(y)), y] -= 1
            p /= len(y)
            back = p @ w2.T * (hidden > 0)
            w2 -= 0.01 * hidden.T @ p
            b2 -= 0.01 * p.sum(axis=0)
            w1 -= 0.01 * x.T @ back
            b1 -= 0.01 * back.sum(axis=0)
    print("table", flush=True)
    for i in range(10):
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.5))
        left.plot(losses[i::10])
        left.set(title="loss", xlabel="step", ylabel="nats")
        right.hist(rows[:, i], 30)
        right.set(title="pixels", xlabel="intensity", ylabel="patches")
        figure.savefig(folder / f"{i}.png", dpi=100)
        plt.close(figure)


if __name__ == "__main__":
    which, folder = sys.argv[1], Path(sys.argv[2])
    {"floor": floor, "lean-floor": lambda f: floor(f, late=True), "plain": plain}[which](folder)
