"""Trains every combination of hidden units, noise and training patches, on this machine or on a Dask cluster."""

from edge_demo.console import cli

import sys

import numpy as np
from tqdm import tqdm

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.figures.style import save_figure
from edge_demo.figures.sweep import sweep_heatmaps, sweep_lines
from edge_demo.runs.folder import write_rows
from edge_demo.runs.sweeps import combinations, run_tasks, train_on_fresh_patches


@cli.command
def main(argv):
    options = parse(argv)
    cli.check_folder(options.out)

    axes = {name: sorted(set(getattr(options, name))) for name in ("noise", "train_size", "hidden")}
    noises, train_sizes, hidden_sizes = axes.values()
    for noise in noises:
        PatchGenerator(noise)  # raises ValueError for what it cannot do, before anything is written
    grid = combinations(**axes, seed=list(range(options.seeds)))
    schedule = {"optimizer": "sgd", "rates": [0.2], "batch_size": 32, "epochs": options.epochs, "least_steps": 0}
    tasks = [cell | schedule for cell in grid]
    options.out.mkdir(parents=True, exist_ok=True)
    log = options.out / "results.jsonl"
    results = run_tasks(tasks, train_on_fresh_patches, log, jobs=options.jobs, dask=options.dask, progress=tqdm)

    rows = [[*cell.values(), *result.values()] for cell, result in zip(grid, results, strict=True)]
    write_rows(options.out / "sweep.csv", [*grid[0], *results[0]], rows)
    shape = (*map(len, axes.values()), options.seeds)
    accuracy, kl = (np.array([r[name] for r in results]).reshape(shape) for name in ("accuracy", "kl_divergence"))

    cli.say(f"accuracy, and KL to the exact posterior in nats: means of {options.seeds} trainings")
    cli.say(f"{'noise':>6}{'patches':>9}" + "".join(f"{hidden:>15}" for hidden in hidden_sizes) + "   hidden units")
    for i, noise in enumerate(noises):
        for j, size in enumerate(train_sizes):
            cells = zip(accuracy[i, j].mean(axis=1), kl[i, j].mean(axis=1), strict=True)
            cli.say(f"{noise:6g}{size:9,}" + "".join(f"{a:8.3f}{d:7.3f}" for a, d in cells))

    measured = (noises, train_sizes, hidden_sizes, accuracy, kl)
    save_figure(sweep_heatmaps(*measured), options.out / "sweep_heatmaps.png")
    save_figure(sweep_lines(*measured), options.out / "sweep_lines.png")
    for name in ("sweep.csv", "sweep_heatmaps.png", "sweep_lines.png"):
        cli.say(f"written: {cli.shown(options.out / name)}")


def parse(argv):
    parser = cli.parser(__doc__)
    whole = cli.number(int, at_least=1)
    parser.add_argument(
        "--hidden",
        **cli.listed(cli.number(int, at_least=0)),
        default=[2, 4, 8, 16, 32],
        metavar="N",
        help="units; 0 for none",
    )
    parser.add_argument(
        "--noise",
        **cli.listed(cli.number(float, above=0)),
        default=[0.05, 0.1, 0.2],
        metavar="X",
        help="of each pixel",
    )
    parser.add_argument(
        "--train-size", **cli.listed(whole), default=[500, 2000, 8000], metavar="N", help="training patches"
    )
    parser.add_argument("--seeds", type=whole, default=5, help="trainings of each combination")
    parser.add_argument("--epochs", type=whole, default=40, help="times to see each patch")
    parser.add_argument("--jobs", type=whole, help="processes at once on this machine (default: one a core)")
    parser.add_argument("--dask", metavar="ADDRESS", help="use the workers of this scheduler, tcp://host:port")
    parser.add_argument("--out", type=cli.path, default=cli.ROOT / "outputs" / "sweep", help="folder for the results")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
