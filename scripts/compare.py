"""Did my change help? Holds runs, or folders of seeds, against the first of them, on the same test patches."""

from edge_demo.console import cli, verdicts

import sys

import numpy as np

from edge_demo.evaluation import difference
from edge_demo.figures.comparison import curves, differences
from edge_demo.figures.style import save_figure
from edge_demo.runs.folder import check_replaceable, replacing_folder, write_json, write_rows
from edge_demo.runs.groups import agreement, load_groups, most_different

FILES = ("comparison.json", "comparison.csv", "curves.png", "differences.png")
MOST = 8  # runs that one picture can show


@cli.command
def main(argv):
    options = parse(argv)
    check_replaceable(options.out, FILES)
    groups = load_groups(options.runs)
    rng = np.random.default_rng(0)
    first, scored = groups[0], [group.scored for group in groups]
    rows = [describe(group, values) for group, values in zip(groups, scored, strict=True)]
    for group, row, values in zip(groups[1:], rows[1:], scored[1:], strict=True):
        found = {score: difference(values[score], scored[0][score], rng) for score in values}
        row["difference"] = found | {"agreement": agreement(group, first)}

    names = verdicts.names_of(rows)
    cli.say(*verdicts.of_comparison(rows, names, len(first.run.test)))
    with replacing_folder(options.out, FILES) as folder:
        write(rows, folder)
        draw(groups, names, folder)
    cli.say("", f"written to {cli.shown(options.out)}: {', '.join(FILES)}")


def parse(argv):
    parser = cli.parser(__doc__)
    outputs = cli.ROOT / "outputs"
    runs = "folders that train.py wrote, with --seeds or without; the others are compared with the first"
    parser.add_argument("runs", type=cli.path, nargs="+", metavar="RUN", help=runs)
    parser.add_argument("--out", type=cli.path, default=outputs / "comparison", help="folder for table and figures")
    options = parser.parse_args(argv)
    if not 2 <= len(options.runs) <= MOST:
        parser.error(f"argument RUN: 2 to {MOST} runs can be compared, not {len(options.runs)}")
    return options


def describe(group, scored):
    """A row of the table, as a dict."""
    run, settings = group.run, group.run.settings
    layers = [name for name in run.layers if name not in ("Center", "Dense")]
    balance = ", balanced" if settings["balance"] else ""
    return {
        "run": group.name,
        "seeds": [each.settings["seed"] for each in group.runs],
        "network": " ".join(["-".join(map(str, run.sizes)), *dict.fromkeys(layers)]),
        "training": f"{settings['optimizer']} {settings['lr']:g}, {run.history.epoch[-1]} epochs{balance}",
        "parameters": run.parameters,
        **{score: float(values.mean()) for score, values in scored.items()},
        **group.parts,
    }


def draw(groups, names, folder):
    losses, accuracies = ([group.curve(name) for group in groups] for name in ("test_loss", "test_accuracy"))
    save_figure(curves(names, losses, accuracies), folder / "curves.png")
    first = groups[0].run
    shown, p = most_different(groups)
    patches, exact = first.test[shown], None
    if first.generator is not None:
        log_posterior = first.generator.log_posterior(patches.pixels, first.settings["target"])
        exact = np.exp(log_posterior[np.arange(len(patches)), patches.labels])
    figure = differences(names, patches.pixels, patches.shape, patches.labels, patches.class_names, p, exact)
    save_figure(figure, folder / "differences.png")


def write(rows, folder):
    write_json(folder / "comparison.json", rows)
    lines = []
    for row in rows:
        cells = row | {"seeds": len(row["seeds"])}
        for score in ("accuracy", "cross_entropy"):
            found = cells.get("difference", {}).get(score, {})  # the first run has none
            cells |= {f"{score}_difference_{end}": found.get(end) for end in ("mean", "low", "high")}
        cells.pop("difference", None)
        lines.append(cells)
    write_rows(folder / "comparison.csv", lines[0], [line.values() for line in lines])


if __name__ == "__main__":
    sys.exit(main())
