"""What evaluate.py and compare.py say: sentences first, and tables of the numbers behind them."""

from edge_demo.console.tables import short, table

import numpy as np

from edge_demo.evaluation import certain_sign, guessers_interval
from edge_demo.runs.run import FRESH

SCORES = {"accuracy": "accuracy", "cross_entropy": "loss on labels", "brier_score": "Brier", "calibration_error": "ECE"}
PARTS = {"kl_divergence": "above floor", "grouping": "grouping", "calibration": "calibration loss"}
WORDS = {1: "better", -1: "worse", 0: "unclear"}


def of_evaluation(results, run, details):
    """The lines of evaluate.py; details: with intervals, recall, temperatures and distances."""
    blocks = [_sentences(results, run), _scores(results, run)]
    if "kinds" in results:
        blocks.append(_kinds(results["kinds"]))
    if details:
        blocks += [_classes(results["classes"]), _labels(results["predictors"])]
        if results["differences"]:
            blocks += [_differences(results["differences"]), _temperatures(results["temperatures"])]
        if "truth" in results:
            blocks.append(_distances(results["truth"]))
    return [line for block in blocks for line in ("", *block)][1:]


def _scores(results, run):
    truth = results.get("truth", {})
    shown = ["accuracy", "cross_entropy"] if truth else list(SCORES)
    parts = [part for part in PARTS if truth and truth["after"][part] is not None]
    tested = f"{len(run.test):,} test patches"
    heads = ["", *(SCORES[name] for name in shown), *(PARTS[name] for name in parts)]
    above = ["", *[tested] * len(shown), *[f"{FRESH:,} fresh patches, nats"] * len(parts)]
    rows = [
        [name, *(row[score] for score in shown), *(truth[name][part] for part in parts)]
        for name, row in results["predictors"].items()
    ]
    return table(heads, rows, above=above)


def _sentences(results, run):
    """What the numbers say, a sentence each."""
    n, names = len(run.test), run.test.class_names
    counts, differences, truth = run.settings["data"]["class_counts"], results["differences"], results.get("truth")
    low, high = guessers_interval(max(counts) / sum(counts), n)
    scored = results["predictors"]
    chance = f"always naming {names[int(np.argmax(counts))]} gives {low:.3f} to {high:.3f} on 95 % of such test sets"
    reached = f"accuracy {scored['after']['accuracy']:.3f}; {chance}"
    if not differences:
        few = f"{n} test patches are too few to compare predictors, or to fit a temperature on a half of them"
        lines = [reached, few]
    else:
        losses = [scored[name]["cross_entropy"] for name in ("after", "linear")]
        lines = [
            f"better than guessing? {_yes(differences['guessing']['accuracy'], 1)}: {reached}",
            f"better than a linear model, without a hidden layer? {_yes(differences['linear']['cross_entropy'], -1)}: "
            "loss on labels {:.3f}, the linear model's {:.3f}".format(*losses),
        ]
    lines += [_temperature(name, found) for name, found in results["temperatures"].items()]
    if truth is None:
        return [*lines, "no generator.json beside the data: what needs the true probabilities is left out"]
    return lines + _about_truth(truth)


def _yes(interval, better):
    """yes or no only where the interval leaves no doubt about the sign."""
    return {1: "yes", -1: "no, worse", 0: "not clearly"}[certain_sign(interval) * better]


def _temperature(name, found):
    t = found["temperature"]
    if t is None:
        return f"too sure? {name}: {found['note']}"
    change = found["with"]["cross_entropy"] - found["without"]["cross_entropy"]
    if abs(change) < 0.001:
        return f"too sure? {name}: no, a temperature of {t:.2f} leaves the loss within 0.001"
    sure = "yes, softer by a temperature" if t > 1 else "too little, sharper by a temperature"
    return f"too sure? {name}: {sure} of {t:.2f} the loss changes by {change:+.3f}"


def _about_truth(truth):
    before, after = truth["before"], truth["after"]
    above = f"from {before['kl_divergence']:.3f} to {after['kl_divergence']:.3f}"
    lines = [
        f"what can nobody know? {after['bayes']:.3f} nats, the Bayes floor, lie in the patches themselves",
        f"what could be learned? what is above the floor went {above}, measured to within {after['error']:.3f}",
    ]
    if after["grouping"] is not None:
        went = {name: f"from {before[name]:.3f} to {after[name]:.3f}" for name in ("grouping", "calibration")}
        lines.append(f"what is not told apart? grouping went {went['grouping']}; only learning mends it")
        lines.append(f"what is said wrongly? calibration loss went {went['calibration']}")
        for name, row in truth.items():
            cooled = next((other for other in truth if other.startswith(f"{name}, T")), None)
            if name.endswith("× as long") and cooled:
                lines[-1] += f"; {name} {row['calibration']:.3f}, with a temperature {truth[cooled]['calibration']:.3f}"
    if after["ambiguous_error"] is not None:
        off = f"p is off by {after['ambiguous_error']:.3f} on average"
        lines.append(f"is it the true probability? on ambiguous patches, exact p from 0.05 to 0.95, {off}")
    return lines


def _kinds(kinds):
    """A line a kind, the one that loses most first."""
    known = "exact posterior" in next(iter(kinds.values()))
    heads = ["which kinds suffer?", "patches", "accuracy", *["at most"] * known, "loss on labels", *["at best"] * known]
    rows = []
    for name, row in kinds.items():
        cells = [row[who][score] for score in ("accuracy", "cross_entropy") for who in list(row)[1:]]
        rows.append([name, row["patches"], *cells])
    return table(heads, sorted(rows, key=lambda row: -row[-1 - known] + known * row[-1]), decimals=3)


# --------------------------------------------------------------------------------------------------------- details


def _classes(classes):
    before, after = classes["before"]["classes"], classes["after"]["classes"]
    rows = []
    for (name, row), shown in zip(after.items(), short(after), strict=True):
        cells = [stage[name][score] for score in ("recall", "precision") for stage in (before, after)]
        rows.append([shown, row["patches"], *(cells if row["patches"] else [None] * 4)])
    balanced = " before, ".join(f"{classes[stage]['balanced_accuracy']:.4f}" for stage in ("before", "after"))
    return [
        "recall: the share of a class that is called so; precision: the share of what is called so that is so",
        *table(["", "patches", *["before", "after"] * 2], rows, above=["", " ", *["recall"] * 2, *["precision"] * 2]),
        f"balanced accuracy, the mean recall: {balanced} after",
    ]


def _labels(predictors):
    rows = [[name, *(row[score] for score in SCORES)] for name, row in predictors.items()]
    words = "by labels; ECE: the calibration error, how far confidence and accuracy lie apart"
    return [words, *table(["", *SCORES.values()], rows)]


def _differences(differences):
    rows = [
        [name, *_interval(row["accuracy"], 1), *_interval(row.get("cross_entropy"), -1)]
        for name, row in differences.items()
    ]
    heads = ["after, less", *["", "95 % interval", ""] * 2]
    return table(heads, rows, left=7, above=["", *["accuracy"] * 3, *["loss on labels"] * 3])


def _interval(row, better, decimals=3):
    """A difference, its interval, and a word for it."""
    if row is None:
        return "-", "", ""
    low, high = (f"{row[end]:+.{decimals}f}" for end in ("low", "high"))
    return f"{row['mean']:+.{decimals}f}", f"{low} to {high}", WORDS[certain_sign(row) * better]


def _temperatures(temperatures):
    first, rows = next(iter(temperatures.values())), []
    for name, found in temperatures.items():
        if found["temperature"] is not None:
            cells = (found[when][score] for score in list(SCORES)[1:] for when in ("without", "with"))
            rows.append([name, found["temperature"], *cells])
    heads = ["", "T", *["without", "with"] * 3]
    above = ["", " ", *(SCORES[score] for score in list(SCORES)[1:] for _ in range(2))]
    halves = f"fitted on {first['fitted_on']:,} of the test patches, scores on the other {first['measured_on']:,}"
    return [f"temperature T, {halves}", *table(heads, rows, above=above)]


def _distances(truth):
    heads = ["", *PARTS.values(), "|p - p*|", "of ambiguous"]
    keys = [*PARTS, "mean_absolute_error", "ambiguous_error"]
    rows = [[name, *(row[key] for key in keys)] for name, row in truth.items()]
    return [f"{FRESH:,} fresh patches, p* the exact probability", *table(heads, rows)]


# ------------------------------------------------------------------------------------------------------ compare.py


def of_comparison(rows, names, tested):
    """The lines of compare.py: what the intervals say, the runs, and the differences from the first of them.

    rows: a dict a run or group of seeds; names: as names_of() gives them; tested: how many test patches there are.
    """
    first, others = rows[0], list(zip(names, rows, strict=True))[1:]
    lines = [
        f"{name}: loss {row['difference']['cross_entropy']['mean']:+.4f} against {names[0]}, {_chance(row, first)}"
        for name, row in others
    ]
    if any(len(row["seeds"]) == 1 for row in rows):
        lines.append("a run is one draw of its seed: train.py --seeds 5 trains groups, whose difference says more")

    keys = {"network": "network", "training": "training", "parameters": "parameters"}
    keys |= {"accuracy": "accuracy", "cross_entropy": "loss on labels"}
    known = first["grouping"] is not None
    keys |= {"grouping": "grouping", "calibration": "calibration loss"} if known else {}
    above = [*[""] * 4, *[f"{tested:,} test patches"] * 2, *[f"{FRESH:,} fresh patches, nats"] * 2 * known]
    cells = [[name, *(row[key] for key in keys)] for name, row in zip(names, rows, strict=True)]
    lines += ["", *table(["", *keys.values()], cells, left=3, above=above)]

    cells = []
    for name, row in others:
        found = row["difference"]
        accuracy, loss = _interval(found["accuracy"], 1, 4), _interval(found["cross_entropy"], -1, 4)
        cells.append([name, *accuracy, *loss, f"{100 * found['agreement']:.1f} %"])
    heads = [f"less {names[0]}", *["", "95 % interval", ""] * 2, "same class"]
    return [*lines, "", *table(heads, cells, left=7, above=["", *["accuracy"] * 3, *["loss on labels"] * 3, ""])]


def names_of(rows):
    """Names to show, of groups with the number of their seeds."""
    counts = [len(row["seeds"]) for row in rows]
    names = short([row["run"] for row in rows])
    return [name + f" ({count} seeds)" * (count > 1) for name, count in zip(names, counts, strict=True)]


def _chance(row, first):
    """How much of a difference is chance."""
    loss, groups = row["difference"]["cross_entropy"], sum(len(each["seeds"]) > 1 for each in (row, first))
    certain, unclear = {
        2: ("more than the seeds explain", "no more than the seeds differ"),
        1: ("beyond what another seed would give", "as another seed of the group might give"),
        0: ("more than these test patches leave to chance", "within the chance of the test patches"),
    }[groups]
    return certain if certain_sign(loss) else unclear
