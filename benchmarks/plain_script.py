"""What train.py is held against: imports NumPy, tqdm and matplotlib, trains as long, saves ten ordinary charts."""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when NumPy is imported

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from edge_demo.datasets.loading import load_dataset
from edge_demo.network import build_network
from edge_demo.optimizers import SGD
from edge_demo.training import train

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--out", type=Path, required=True)
out = parser.parse_args().out
out.mkdir(parents=True)

data = load_dataset(Path(__file__).resolve().parent.parent / "data")
rng = np.random.default_rng(0)
network = build_network(25, [16], 2, rng)
history = train(network, data.train, epochs=40, batch_size=32, optimizer=SGD(0.2), rng=rng, test=data.test)

logits = network.logits(data.test.pixels)
for k in range(10):
    figure = Figure(figsize=(9, 5), dpi=100)
    left, right = figure.subplots(1, 2)
    left.plot(history.epoch, history.train_loss, label="train")
    left.plot(history.epoch, history.test_loss, label="test")
    left.set(xlabel="epoch", ylabel="loss")
    left.legend()
    right.plot(logits[:, 0], logits[:, 1], "o", ms=2)
    right.set(xlabel="z_edge", ylabel="z_no_edge")
    figure.savefig(out / f"{k}.png")
