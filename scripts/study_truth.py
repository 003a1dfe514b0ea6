"""How close do learned probabilities come to the exact ones? Trains on ever more patches with ever more units."""

import sys

import cli

SIZES = [500, 2000, 8000, 32_000, 125_000, 500_000, 1_000_000]
HIDDEN = [2, 4, 8, 16, 32, 64, 128]


def main():
    parser = cli.parser(__doc__)
    whole = cli.number(int, at_least=1)
    parser.add_argument("--train-size", type=whole, nargs="+", default=SIZES, metavar="N", help="training patches")
    parser.add_argument("--hidden", type=whole, nargs="+", default=HIDDEN, metavar="N", help="hidden units, one layer")
    parser.add_argument("--seeds", type=whole, default=3, help="trainings of each combination")
    parser.add_argument("--jobs", type=whole, help="processes at once on this machine (default: one a core)")
    parser.add_argument("--dask", metavar="ADDRESS", help="use the workers of this scheduler, tcp://host:port")
    parser.add_argument(
        "--out", type=cli.Path, default=cli.ROOT / "outputs" / "study_truth", help="folder for the results"
    )
    options = parser.parse_args()
    cli.check_folder(options.out)
    cli.need_network([25, max(options.hidden), 2], max(options.train_size))

    import numpy as np

    from edge_demo.files import write_rows
    from edge_demo.sweeps import combinations, run_tasks, train_on_fresh_patches

    schedule = {"optimizer": "adam", "rates": [0.01, 0.003, 0.001, 0.0003], "batch_size": 256}
    schedule |= {"epochs": 16, "least_steps": 1000}
    train_sizes, hidden_sizes = sorted(set(options.train_size)), sorted(set(options.hidden))
    grid = combinations(train_size=train_sizes, hidden=hidden_sizes, seed=list(range(options.seeds)))
    tasks = [{"noise": 0.1, **cell, **schedule} for cell in grid]
    options.out.mkdir(parents=True, exist_ok=True)
    log, progress = options.out / "results.jsonl", sys.stderr.isatty()
    results = run_tasks(tasks, train_on_fresh_patches, log, options.jobs or -1, options.dask, progress)

    header = [*grid[0], *results[0]]
    rows = [[*cell.values(), *result.values()] for cell, result in zip(grid, results, strict=True)]
    write_rows(options.out / "study_truth.csv", header, rows)
    shape = (len(train_sizes), len(hidden_sizes), options.seeds)
    kl = np.array([result["kl_divergence"] for result in results]).reshape(shape)

    cli.say(f"mean KL to the exact posterior in nats, mean of {options.seeds} trainings")
    cli.say(f"{'patches':>10}" + "".join(f"{hidden:>9}" for hidden in hidden_sizes) + "   hidden units")
    for size, row in zip(train_sizes, kl.mean(axis=2), strict=True):
        cli.say(f"{size:>10,}" + "".join(f"{value:9.4f}" for value in row))
    i, j = np.unravel_index(kl.mean(axis=2).argmin(), shape[:2])
    best = f"{train_sizes[i]:,} patches and {hidden_sizes[j]} hidden units"
    cli.say(f"closest: {kl.mean(axis=2)[i, j]:.4f} nats with {best}")

    from edge_demo.figures.scaling import scaling
    from edge_demo.figures.style import save_figure

    save_figure(scaling(train_sizes, hidden_sizes, kl), options.out / "study_truth.png")
    for name in ("study_truth.csv", "study_truth.png"):
        cli.say(f"written: {cli.shown(options.out / name)}")


if __name__ == "__main__":
    cli.run(main)
