"""Did my change help? Holds runs, or groups of seeds, against the first of them, on the same test patches."""

from edge_demo.console import cli
from edge_demo.console.tables import short

import sys

import numpy as np

from edge_demo.evaluation import certain_sign
from edge_demo.figures.comparison import curves, differences
from edge_demo.figures.style import save_figure
from edge_demo.runs.comparisons import agreement, difference, load_results, most_different
from edge_demo.runs.folder import check_replaceable, replacing_folder, write_json, write_rows
from edge_demo.runs.run import PARTS

FILES = ("comparison.json", "comparison.csv", "curves.png", "differences.png")
SCORES = ("accuracy", "cross_entropy")
MOST = 8  # runs that one picture can show


@cli.command
def main(argv):
    options = parse(argv)
    check_replaceable(options.out, FILES)
    results = load_results(options.runs)
    rng = np.random.default_rng(0)
    first, *others = results
    rows = [describe(result) for result in results]
    for result, row in zip(others, rows[1:], strict=True):
        row["difference"] = difference(result, first, rng) | {"agreement": agreement(result, first)}

    cli.say(*table(results, rows), "", *difference_lines(results, rows), "", *verdicts(results, rows))
    with replacing_folder(options.out, FILES) as folder:
        draw(results, folder)
        write(rows, folder)
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


def describe(result):
    """A row of the table, as a dict."""
    settings = result.settings
    parts = result.mean_parts or dict.fromkeys(PARTS)
    epochs = result.curves["test_loss"].shape[1] - 1
    balanced = ", balanced" if settings["balance"] else ""
    return {
        "run": result.name,
        "seeds": result.seeds,
        "network": network(result),
        "training": f"{settings['optimizer']} {settings['lr']:g}, {epochs} epochs{balanced}",
        "parameters": result.parameters,
        "accuracy": float(result.right.mean()),
        "cross_entropy": float(result.losses.mean()),
        **parts,
    }


def network(result):
    """Sizes and activations, as 25-16-2 ReLU; all layers, where they are not those that the settings ask for."""
    hidden = result.settings["hidden"]
    if result.layers.count("Dense") != len(hidden) + 1:
        return ", ".join(result.layers)
    sizes = [result.test.pixels.shape[1], *hidden, len(result.test.class_names)]
    activations = sorted({name for name in result.layers if name not in ("Center", "Dense")})
    return " ".join(["-".join(map(str, sizes)), *activations])


def table(results, rows):
    names, width = shown_names(results)
    networks, trainings = (max(len(row[key]) for row in rows) + 2 for key in ("network", "training"))
    known = rows[0]["bayes"] is not None
    lines = [f"{len(results[0].test):,} test patches; loss is the cross-entropy in nats"]
    heads = f"{'network':{networks}}{'training':{trainings}}{'parameters':>10}{'accuracy':>10}{'loss':>8}"
    lines.append(f"{'':{width}}{heads}{'   floor + grouping + calib.' if known else ''}")
    for name, row in zip(names, rows, strict=True):
        line = f"{name:{width}}{row['network']:{networks}}{row['training']:{trainings}}{row['parameters']:10,}"
        line += f"{row['accuracy']:10.4f}{row['cross_entropy']:8.4f}"
        if row["bayes"] is not None:
            line += f"{row['bayes']:8.4f}{row['grouping']:11.4f}{row['calibration']:9.4f}"
        lines.append(line)
    return lines


def difference_lines(results, rows):
    names, width = shown_names(results)
    lines = [f"less {names[0]}, with 95 % intervals", f"{'':{width}}{'accuracy':34}{'loss':34}same class"]
    for name, row in zip(names[1:], rows[1:], strict=True):
        found = row["difference"]
        accuracy, loss = shown_difference(found["accuracy"], 1), shown_difference(found["cross_entropy"], -1)
        lines.append(f"{name:{width}}{accuracy:34}{loss:34}{100 * found['agreement']:.1f} %")
    return lines


def shown_difference(row, better):
    word = {1: "better", -1: "worse", 0: "unclear"}[certain_sign(row) * better]
    return f"{row['mean']:+.4f} [{row['low']:+.4f} {row['high']:+.4f}] {word}"


def verdicts(results, rows):
    """What the intervals say, and what they do not, a plain sentence each."""
    names, _ = shown_names(results)
    first, lines = results[0], []
    for name, result, row in zip(names[1:], results[1:], rows[1:], strict=True):
        loss = row["difference"]["cross_entropy"]
        if result.is_group and first.is_group:
            certain, unclear = "more than the seeds explain", "no more than the seeds differ"
        elif result.is_group or first.is_group:
            certain, unclear = "beyond what another seed would give", "as another seed of the group might give"
        else:
            certain = "more than these test patches leave to chance"
            unclear = "within the chance of the test patches"
        found = certain if certain_sign(loss) else unclear
        lines.append(f"{name}: loss {loss['mean']:+.4f} against {names[0]}, {found}")
    if any(not result.is_group for result in results):
        lines.append("a run is one draw of its seed: train.py --seeds 5 trains groups, whose difference says more")
    return lines


def shown_names(results):
    """Names, with the number of seeds, and the width of their column."""
    names = short([result.name for result in results])
    counts = [f" ({len(result.seeds)} seeds)" if result.is_group else "" for result in results]
    names = [name + count for name, count in zip(names, counts, strict=True)]
    return names, max(map(len, names)) + 2


def draw(results, folder):
    names, _ = shown_names(results)
    losses, accuracies = ([result.curves[name] for result in results] for name in ("test_loss", "test_accuracy"))
    save_figure(curves(names, losses, accuracies), folder / "curves.png")
    shown = most_different(results)
    patches = results[0].test[shown]
    p = np.array([result.p_label.mean(axis=0)[shown] for result in results])
    exact = None
    generator, target = results[0].generator, results[0].settings["target"]
    if generator is not None:
        log_posterior = generator.log_posterior(patches.pixels, target)
        exact = np.exp(log_posterior[np.arange(len(patches)), patches.labels])
    figure = differences(names, patches.pixels, patches.shape, patches.labels, patches.class_names, p, exact)
    save_figure(figure, folder / "differences.png")


def write(rows, folder):
    write_json(folder / "comparison.json", rows)
    columns = ["run", "network", "training", "parameters", *SCORES, *PARTS]
    ends = [(score, end) for score in SCORES for end in ("mean", "low", "high")]
    header = [*columns, "seeds", *(f"{score}_difference_{end}" for score, end in ends)]
    lines = []
    for row in rows:
        found = row.get("difference", {})  # the first run has none
        differences = [found.get(score, {}).get(end) for score, end in ends]
        lines.append([*(row[name] for name in columns), len(row["seeds"]), *differences])
    write_rows(folder / "comparison.csv", header, lines)


if __name__ == "__main__":
    sys.exit(main())
