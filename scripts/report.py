"""The text that train.py prints. Each function returns lines and computes every number in them."""

import numpy as np

from edge_demo.patches import KIND_NAMES


def opening(folder, patches, network, settings):
    data, side, names = settings["data"], patches.side, _short(settings["class_names"])
    sizes = [patches.pixels.shape[1], *settings["hidden"], len(names)]
    shown = ", ".join(names[:7]) + (f" and {len(names) - 7} more" if len(names) > 7 else "")
    return [
        f"data      {folder}: {data['train']:,} training and {data['test']:,} test patches of {side}×{side} pixels",
        f"classes   {shown}",
        f"network   {'-'.join(map(str, sizes))}: {network.parameters.size:,} parameters, seed {settings['seed']}",
        f"training  {settings['epochs']} epochs, batches of {settings['batch_size']}, {settings['optimizer']} "
        f"at learning rate {settings['lr']:g}",
    ]


def gradient_line(error, checked, network):
    total = network.parameters.size
    which = f"all {total:,}" if checked == total else f"{checked:,} of {total:,}"
    return f"gradient  check passed: backpropagation against finite differences, {which} parameters, error {error:.0e}"


def table(run):
    """The example patches, before and after side by side: logits z, then probabilities p."""
    rows = run.examples()
    body = _lines if len(run.test.class_names) == 2 else _blocks
    return ["", f"{len(rows)} test patches: logits z and probabilities p", *body(run, rows), *_notes(run, rows)]


def _lines(run, rows):
    """Two classes: a line a patch."""
    names = _short(run.test.class_names)
    first, second = (max(7, len(name) + 1) for name in names)
    second = max(8, second)
    true = max(map(len, names))
    group = 2 * (first + second)
    pair = f"{{:>{first}}}{{:>{second}}}"
    letters = f"{'z':>{(first + second) // 2 + 3}}{'p':>{first + second}}".ljust(group)
    lines = [
        f"{'':{13 + true}}{'before training':^{group}}{'after training':^{group}}".rstrip(),
        f"{'':{13 + true}}{letters * 2}".rstrip(),
        f"{'kind':12} {'true':{true}}" + pair.format(*names) * 4,
    ]
    for i in rows:
        cells = ""
        for stage in ("before", "after"):
            cells += pair.format(*(f"{z:.2f}" for z in run.logits[stage][i]))
            cells += pair.format(*map(_shown, run.probabilities[stage][i]))
        lines.append(f"{_kind(run, i):12} {names[run.test.labels[i]]:{true}}{cells}")
    return lines


def _blocks(run, rows, most=7):
    """More classes: a block a patch, a line a class, the most probable after training first."""
    names, lines = _short(run.test.class_names), []
    width = max(14, *map(len, names))
    for i in rows:
        label = run.test.labels[i]
        order = np.argsort(-run.logits["after"][i], kind="stable").tolist()
        order = order[:most] if label in order[:most] else [*order[: most - 1], label]
        z = [run.logits[stage][i] for stage in ("before", "after")]
        p = [run.probabilities[stage][i] for stage in ("before", "after")]
        lines += ["", f"{_kind(run, i):{width + 2}}{'z before':>10}{'z after':>10}{'p before':>12}{'p after':>10}"]
        for k in order:
            scores = "".join(f"{values[k]:10.2f}" for values in z)
            shares = f"{_shown(p[0][k]):>12}{_shown(p[1][k]):>10}"
            lines.append(f"  {names[k]:{width}}{scores}{shares}{'  true class' if k == label else ''}")
        if len(names) > most:
            lines.append(f"  and {len(names) - most} more classes")
    return lines


def _notes(run, rows):
    """Which of the patches the trained network is still wrong, or unsure, about."""
    names, lines = _short(run.test.class_names), []
    for position, i in enumerate(rows, start=1):
        p, label = run.probabilities["after"][i], run.test.labels[i]
        if p.argmax() != label or p[label] < 0.9:
            state = "unsure" if p.argmax() == label else "still wrong"
            lines.append(f"patch {position} {state}: p({names[label]}) = {_shown(p[label])}")
    return lines


def summary(run):
    """Loss and accuracy before and after, beside what guessing would give."""
    classes, n = len(run.test.class_names), len(run.test)
    ln, chance, history = np.log(classes), 1 / classes, run.history
    lines = ["", f"{'':24}{'before':>10}{'after':>10}   reference"]
    for part in ("train", "test"):
        loss = getattr(history, f"{part}_loss")
        accuracy = getattr(history, f"{part}_accuracy")
        lines.append(f"{part + ' cross-entropy':24}{loss[0]:10.4f}{loss[-1]:10.4f}   {ln:.4f} = ln {classes}, equal p")
        lines.append(f"{part + ' accuracy':24}{accuracy[0]:10.4f}{accuracy[-1]:10.4f}   {chance:.4f} = chance")
    spread = 1.96 * np.sqrt(chance * (1 - chance) / n)
    after = history.test_accuracy[-1]
    verdict = "above" if after > chance + spread else "no better than"
    return [
        *lines,
        f"test accuracy {after:.4f} is {verdict} guessing: "
        f"95 % of guessers on {n:,} patches get {chance - spread:.3f} to {chance + spread:.3f}",
    ]


SCORES = {"accuracy": "accuracy", "cross_entropy": "loss", "brier_score": "Brier", "calibration_error": "calib."}
DISTANCES = {"mean_absolute_error": "|p - p*|", "kl_divergence": "KL nats"}


def evaluation(run):
    """What the probabilities are worth, beside other predictors and the exact posterior."""
    results, n, known = run.evaluation, len(run.test), run.generator is not None
    predictors, cooling = results["predictors"], results["temperature"]
    columns = SCORES | DISTANCES if known else SCORES
    lines = ["", f"What are the probabilities worth? {n:,} test patches; loss is cross-entropy in nats"]
    lines.append(f"{'':18}" + "".join(f"{title:>10}" for title in columns.values()))
    for name, row in predictors.items():
        lines.append(f"{name:18}" + "".join(f"{row[key]:10.4f}" for key in columns))
    if known:
        floor = results["calibration_noise_floor"]
        lines.append(f"calib.: calibration error; true probabilities show {floor:.4f} on {n:,} patches, by chance")
        lines.append(f"|p - p*| and KL: distance to the exact posterior p* on {results['fresh']:,} fresh patches")
    else:
        lines.append("no generator.json beside the data: what needs the true probabilities is left out")

    lines += ["", "network after, less the others, with 95 % bootstrap intervals"]
    lines.append(f"{'':20}{'accuracy':<31}loss")
    differences = {}
    for row in results["differences"]:
        differences.setdefault(row["versus"], []).append(_difference(row))
    lines += [f"  {other:18}{''.join(pair)}".rstrip() for other, pair in differences.items()]

    after, without, cooled = predictors["network after"], cooling["without"], cooling["with"]
    changes = [f"{title} {without[key]:.4f} -> {cooled[key]:.4f}" for key, title in SCORES.items()]
    lines += ["", f"temperature {cooling['temperature']:.3f}, fitted on {cooling['fitted_on']:,} of the test patches"]
    lines.append(f"  on the other {cooling['measured_on']:,}: {', '.join(changes)}")
    if known:
        changes = [f"{title} {after[key]:.4f} -> {cooling[key]:.4f}" for key, title in DISTANCES.items()]
        lines.append(f"  on the fresh ones: {', '.join(changes)}")
    return lines


def _difference(row):
    """A difference with its interval; a word for it only where the interval leaves no doubt about the sign."""
    gain = row["mean"] if row["score"] == "accuracy" else -row["mean"]
    clear = row["low"] > 0 or row["high"] < 0
    word = ("better" if gain > 0 else "worse") if clear else "unclear"
    return f"{row['mean']:+.3f} [{row['low']:+.3f} {row['high']:+.3f}] {word:8}"


def _kind(run, i):
    return "" if run.test.kinds is None else KIND_NAMES[run.test.kinds[i]]


def _short(names, most=24):
    """Names on one line, the longest cut in the middle: often the end is what tells one from another."""
    flat = [" ".join(name.split()) for name in names]
    return [name if len(name) <= most else f"{name[: most - 9]}…{name[-8:]}" for name in flat]


def _shown(p):
    """A probability with three decimals, never rounded to 0 or 1, which softmax does not reach."""
    return "<0.001" if p < 0.0005 else ">0.999" if p > 0.9995 else f"{p:.3f}"
