"""How close do learned probabilities come to the exact ones? Trains on ever more patches with ever more units."""

from edge_demo.console import cli, sweeping, tables

import sys

import numpy as np

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.figures.scaling import scaling
from edge_demo.figures.style import save_figure

SIZES = [500, 2000, 8000, 32_000, 125_000, 500_000, 1_000_000]
HIDDEN = [2, 4, 8, 16, 32, 64, 128]
RATES = [0.01, 0.003, 0.001, 0.0003]  # Adam's, each for a quarter of the epochs
SCHEDULE = {"optimizer": "adam", "rates": RATES, "batch_size": 256, "epochs": 16, "least_steps": 1000}
SCHEDULE |= {"noise": PatchGenerator().noise}


@cli.command
def main(argv):
    parser = cli.parser(__doc__)
    sweeping.add_flags(parser, SIZES, HIDDEN, seeds=3, out="study_truth")
    options = parser.parse_args(argv)
    cli.check_folder(options.out)
    sizes, widths = sorted(set(options.train_size)), sorted(set(options.hidden))
    found = sweeping.sweep(options, {"train_size": sizes, "hidden": widths}, SCHEDULE, "study_truth.csv")

    means = {score: values.mean(axis=2) for score, values in found.items()}
    for part in ("grouping", "calibration"):
        rows = [[f"{size:,}", *map(float, row)] for size, row in zip(sizes, means[part], strict=True)]
        cli.say(f"{part} loss, nats, mean of {options.seeds} trainings, by hidden units")
        cli.say(*tables.table(["patches", *map(str, widths)], rows), "")
    i, j = np.unravel_index(means["kl_divergence"].argmin(), means["kl_divergence"].shape)
    above, grouping, calibration, ambiguous = (
        means[score][i, j] for score in ("kl_divergence", "grouping", "calibration", "ambiguous_error")
    )
    cli.say(
        f"closest to the truth: {sizes[i]:,} patches and {widths[j]} hidden units, {above:.4f} nats above the floor",
        f"  grouping {grouping:.4f}, calibration {calibration:.4f}, |p - p*| on ambiguous patches {ambiguous:.3f}",
    )
    save_figure(scaling(sizes, widths, found["grouping"], found["calibration"]), options.out / "study_truth.png")
    cli.say(*(f"written: {cli.shown(options.out / name)}" for name in ("study_truth.csv", "study_truth.png")))


if __name__ == "__main__":
    sys.exit(main())
