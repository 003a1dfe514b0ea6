"""What evaluate.py and compare.py say: sentences first, then tables of the numbers behind them."""

from edge_demo.console.tables import short, table

import numpy as np

from edge_demo.evaluation import certain_sign, guessers_interval
from edge_demo.runs.run import FRESH

ON_FRESH = f"{FRESH:,} fresh patches, nats"
TITLES = {
    "cross_entropy": "loss on labels",
    "brier_score": "Brier",
    "calibration_error": "ECE",
    "kl_divergence": "above floor",
    "calibration": "calibration loss",
    "mean_absolute_error": "|p - p*|",
    "ambiguous_error": "of ambiguous",
    "temperature": "T",
    "low": "from",
    "high": "to",
    "agreement": "same class",
}


def of_evaluation(results, run, details):
    """The lines of evaluate.py; details: with all scores, recall, intervals and temperatures."""
    scored, truth, on_test = results["predictors"], results.get("truth"), f"{len(run.test):,} test patches"
    rows = {name: {on_test: _some(row, "accuracy", "cross_entropy")} for name, row in scored.items()}
    if truth:
        for name, row in rows.items():
            row[ON_FRESH] = _some(truth[name], "kl_divergence", "grouping", "calibration")
    blocks = [_sentences(results, run), _of_dicts("", rows)]
    if "kinds" in results:
        blocks.append(_of_dicts("which kinds suffer?", results["kinds"], decimals=3))
    if details:
        rows = {name: {on_test: _some(row, "brier_score", "calibration_error")} for name, row in scored.items()}
        distances = {name: _some(row, "mean_absolute_error", "ambiguous_error") for name, row in (truth or {}).items()}
        blocks += [_of_dicts("ECE: the calibration error", rows), _of_dicts("p*: the exact p", distances)]
        stages = results["classes"]
        rows = {
            name: {"patches": row["patches"]}
            | {stage: _some(stages[stage]["classes"][name], "recall", "precision") for stage in stages}
            for name, row in stages["after"]["classes"].items()
        }
        blocks += [_of_dicts("class", rows), _of_dicts("after, less", results["differences"])]
        rows = {name: _some(found, "temperature", "without", "with") for name, found in results["temperatures"].items()}
        blocks += [
            _of_dicts("fitted on half, scores of the rest", rows),
        ]
    return [line for block in blocks if block for line in ("", *block)][1:]


def _some(row, *names):
    return {name: row[name] for name in names if row.get(name) is not None}


def _of_dicts(head, rows, left=1, decimals=4):
    """A table of a dict from name to a dict of numbers, or of dicts of numbers, whose names stand above."""
    flat = {
        name: {
            (above, key): number
            for above, values in row.items()
            for key, number in (values if isinstance(values, dict) else {above: values}).items()
        }
        for name, row in rows.items()
    }
    columns = dict.fromkeys(column for row in flat.values() for column in row)
    above = ["", *("" if outer == inner else TITLES.get(outer, outer) for outer, inner in columns)]
    heads = [head, *(TITLES.get(inner, inner) for _, inner in columns)]
    cells = [[name, *map(row.get, columns)] for name, row in zip(short(flat, 28), flat.values(), strict=True)]
    return table(heads, cells, left=left, above=above if any(above) else None, decimals=decimals) if cells else []


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

    shown = {}
    for name, row in zip(names, rows, strict=True):
        shown[name] = _some(row, "network", "training", "parameters")
        shown[name][f"{tested:,} test patches"] = _some(row, "accuracy", "cross_entropy")
        shown[name][ON_FRESH] = _some(row, "grouping", "calibration")
    differences = {name: row["difference"] for name, row in others}
    return [*lines, "", *_of_dicts("", shown, left=3), "", *_of_dicts(f"difference from {names[0]}", differences)]


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
