"""Trains every combination of hidden units, noise and training patches, on this machine or on a Dask cluster."""

from edge_demo.console import cli, sweeping, tables

import sys
from itertools import product

from edge_demo.figures.style import save_figure
from edge_demo.figures.sweep import sweep_heatmaps, sweep_lines


@cli.command
def main(argv):
    options = parse(argv)
    cli.check_folder(options.out)
    axes = {name: sorted(set(getattr(options, name))) for name in ("noise", "train_size", "hidden")}
    noises, train_sizes, hidden_sizes = axes.values()
    schedule = {"optimizer": "sgd", "rates": [0.2], "batch_size": 32, "epochs": options.epochs, "least_steps": 0}
    found = sweeping.sweep(options, axes, schedule, "sweep.csv")

    accuracy, kl = found["accuracy"], found["kl_divergence"]
    rows = []
    for (i, noise), (j, size) in product(enumerate(noises), enumerate(train_sizes)):
        cells = zip(accuracy[i, j].mean(axis=1), kl[i, j].mean(axis=1), strict=True)
        rows.append([f"{noise:g}", size, *(float(value) for cell in cells for value in cell)])
    heads = ["noise", "patches", *["accuracy", "KL"] * len(hidden_sizes)]
    above = ["", "", *(f"{hidden} hidden" for hidden in hidden_sizes for _ in range(2))]
    cli.say(f"accuracy, and KL to the exact posterior in nats: means of {options.seeds} trainings")
    cli.say(*tables.table(heads, rows, above=above, decimals=3))

    measured = (*axes.values(), accuracy, kl)
    save_figure(sweep_heatmaps(*measured), options.out / "sweep_heatmaps.png")
    save_figure(sweep_lines(*measured), options.out / "sweep_lines.png")
    for name in ("sweep.csv", "sweep_heatmaps.png", "sweep_lines.png"):
        cli.say(f"written: {cli.shown(options.out / name)}")


def parse(argv):
    parser = cli.parser(__doc__)
    noise = cli.listed(cli.number(float, at_least=1e-12, at_most=1e6))
    parser.add_argument("--noise", **noise, default=[0.05, 0.1, 0.2], metavar="X", help="of each pixel")
    sweeping.add_flags(parser, [500, 2000, 8000], [2, 4, 8, 16, 32], seeds=5, out="sweep")
    whole = cli.number(int, at_least=1)
    parser.add_argument("--epochs", type=whole, default=40, help="times to see each patch")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
