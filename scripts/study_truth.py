"""How close do learned probabilities come to the exact ones? Trains on ever more patches with ever more units."""

from edge_demo.console import cli

import sys

import numpy as np
from tqdm import tqdm

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.figures.scaling import scaling
from edge_demo.figures.style import save_figure
from edge_demo.runs.folder import write_rows
from edge_demo.runs.sweeps import combinations, run_tasks, train_on_fresh_patches

SIZES = [500, 2000, 8000, 32_000, 125_000, 500_000, 1_000_000]
HIDDEN = [2, 4, 8, 16, 32, 64, 128]
RATES = [0.01, 0.003, 0.001, 0.0003]  # Adam's, each for a quarter of the epochs
SCHEDULE = {"optimizer": "adam", "rates": RATES, "batch_size": 256, "epochs": 16, "least_steps": 1000}


@cli.command
def main(argv):
    options = parse(argv)
    cli.check_folder(options.out)

    sizes, widths = sorted(set(options.train_size)), sorted(set(options.hidden))
    cells = combinations(train_size=sizes, hidden=widths, seed=list(range(options.seeds)))
    tasks = [{"noise": PatchGenerator().noise, **cell, **SCHEDULE} for cell in cells]
    options.out.mkdir(parents=True, exist_ok=True)
    log = options.out / "results.jsonl"
    results = run_tasks(tasks, train_on_fresh_patches, log, jobs=options.jobs, dask=options.dask, progress=tqdm)

    header = [*cells[0], *results[0]]
    rows = [[*cell.values(), *result.values()] for cell, result in zip(cells, results, strict=True)]
    write_rows(options.out / "study_truth.csv", header, rows)
    shape = len(sizes), len(widths), options.seeds
    grouping, calibration, above, ambiguous = (
        np.array([result[name] for result in results]).reshape(shape)
        for name in ("grouping", "calibration", "kl_divergence", "ambiguous_error")
    )
    cli.say(*table("grouping loss", grouping, sizes, widths), "")
    cli.say(*table("calibration loss", calibration, sizes, widths), "")
    i, j = np.unravel_index(above.mean(axis=2).argmin(), shape[:2])
    best = [values[i, j].mean() for values in (above, grouping, calibration, ambiguous)]
    cli.say(
        f"closest to the truth: {sizes[i]:,} patches and {widths[j]} hidden units, {best[0]:.4f} nats above the floor",
        f"  grouping {best[1]:.4f}, calibration {best[2]:.4f}, |p - p*| on ambiguous patches {best[3]:.3f}",
    )
    cli.say(*what_mends(grouping.mean(axis=2), calibration.mean(axis=2), sizes, widths))
    save_figure(scaling(sizes, widths, grouping, calibration), options.out / "study_truth.png")
    cli.say(*(f"written: {cli.shown(options.out / name)}" for name in ("study_truth.csv", "study_truth.png")))


def parse(argv):
    parser = cli.parser(__doc__)
    whole, out = cli.number(int, at_least=1), cli.ROOT / "outputs" / "study_truth"
    parser.add_argument("--train-size", **cli.listed(whole), default=SIZES, metavar="N", help="training patches")
    parser.add_argument("--hidden", **cli.listed(whole), default=HIDDEN, metavar="N", help="hidden units, one layer")
    parser.add_argument("--seeds", type=whole, default=3, help="trainings of each combination")
    parser.add_argument("--jobs", type=whole, help="processes at once on this machine (default: one a core)")
    parser.add_argument("--dask", metavar="ADDRESS", help="use the workers of this scheduler, tcp://host:port")
    parser.add_argument("--out", type=cli.path, default=out, help="folder for the results")
    return parser.parse_args(argv)


def table(what, values, sizes, widths):
    """A line a training size, a column a width: means over the seeds."""
    lines = [f"{what}, nats, mean of {values.shape[2]} trainings"]
    lines.append(f"{'patches':>10}" + "".join(f"{width:>9}" for width in widths) + "   hidden units")
    for size, row in zip(sizes, values.mean(axis=2), strict=True):
        lines.append(f"{size:>10,}" + "".join(f"{value:9.4f}" for value in row))
    return lines


def what_mends(grouping, calibration, sizes, widths):
    """A line on what more patches do to the widest network, and one on what more units do on most patches."""
    lines = []
    if len(sizes) > 1:
        change = _change(grouping[:, -1], calibration[:, -1])
        lines.append(f"with {widths[-1]} hidden units, from {sizes[0]:,} to {sizes[-1]:,} patches: {change}")
    if len(widths) > 1:
        change = _change(grouping[-1], calibration[-1])
        lines.append(f"with {sizes[-1]:,} patches, from {widths[0]} to {widths[-1]} hidden units: {change}")
    return lines


def _change(grouping, calibration):
    return (
        f"grouping {grouping[0]:.4f} -> {grouping[-1]:.4f}, calibration {calibration[0]:.4f} -> {calibration[-1]:.4f}"
    )


if __name__ == "__main__":
    sys.exit(main())
