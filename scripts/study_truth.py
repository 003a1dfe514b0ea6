"""How close do learned probabilities come to the exact ones? Trains on ever more patches with ever more units."""

from edge_demo.console import cli, sweeping, tables

import sys

import numpy as np

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.figures.account import account
from edge_demo.figures.scaling import scaling
from edge_demo.figures.style import save_figure
from edge_demo.runs.folder import write_rows

SIZES = [500, 2000, 8000, 32_000, 125_000, 500_000, 1_000_000]
HIDDEN = [2, 4, 8, 16, 32, 64, 128]
RATES = [0.01, 0.003, 0.001, 0.0003]  # Adam's, each for a quarter of the epochs
SCHEDULE = {"optimizer": "adam", "rates": RATES, "batch_size": 256, "epochs": 16, "least_steps": 1000}
SCHEDULE |= {"noise": PatchGenerator().noise}
UNITS, PATCHES, DRAWS = 16, 4000, 5  # of train.py, and how often they are drawn to say what holds it back
USUAL = SCHEDULE | {"optimizer": "sgd", "rates": [0.2], "batch_size": 32, "epochs": 40, "least_steps": 0}


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
    written = ["study_truth.csv", "study_truth.png"]
    if UNITS in widths and sizes[-1] > PATCHES:
        written += what_holds_it_back(sizes[-1], options)
    cli.say(*(f"written: {cli.shown(options.out / name)}" for name in written))


def what_holds_it_back(most, options):
    """Splits what train.py's network is above the floor into three reasons; prints, writes and draws them.

    Of the same draws of patches: what its units leave on most patches by the best schedule known, too small a network;
    what PATCHES add to that, too few data; what train.py's own schedule adds to that, too short or coarse a training.
    """
    cells = {"usual": (PATCHES, USUAL), "best": (PATCHES, SCHEDULE), "most": (most, SCHEDULE)}
    seeds = range(DRAWS)
    tasks = [
        {"train_size": size, "hidden": UNITS, "seed": seed} | schedule
        for size, schedule in cells.values()
        for seed in seeds
    ]
    results = sweeping.measure(tasks, options)
    usual, best, fewest = np.array([result["kl_divergence"] for result in results]).reshape(3, DRAWS)
    reasons = {"network too small": fewest, "data too few": best - fewest}
    reasons["training too short or coarse"] = usual - best
    rows = [[name, values.mean(), values.std(ddof=1)] for name, values in {"above the floor": usual, **reasons}.items()]
    cli.say(
        "",
        f"what holds train.py's network back: {UNITS} units, {PATCHES:,} patches, 40 epochs at 0.2; {DRAWS} draws",
        *tables.table(["nats", "mean", "deviation"], rows),
        f"too small: what is left on {most:,} patches; an upper bound, for a better training might leave less",
        "too short or coarse: against the best schedule known, so a lower bound",
    )
    write_rows(options.out / "what_holds_it_back.csv", ["seed", *reasons], zip(seeds, *reasons.values(), strict=True))
    parts = {part: np.mean([result[part] for result in results[:DRAWS]]) for part in ("grouping", "calibration")}
    shown = {name: spread for name, *spread in rows[1:]}
    title = f"What holds the network back most: {max(shown, key=shown.get)}"
    save_figure(account(parts, shown, title), options.out / "what_holds_it_back.png")
    return ["what_holds_it_back.csv", "what_holds_it_back.png"]


if __name__ == "__main__":
    sys.exit(main())
