"""The text that train.py prints. Each function returns lines and computes every number in them."""

import numpy as np

from edge_demo.patches import KIND_NAMES


def opening(folder, patches, network, settings):
    data, side, names = settings["data"], patches.side, settings["class_names"]
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
    names = run.test.class_names
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
    names, lines = run.test.class_names, []
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
    lines = []
    for position, i in enumerate(rows, start=1):
        p, label = run.probabilities["after"][i], run.test.labels[i]
        if p.argmax() != label or p[label] < 0.9:
            state = "unsure" if p.argmax() == label else "still wrong"
            lines.append(f"patch {position} {state}: p({run.test.class_names[label]}) = {_shown(p[label])}")
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


def _kind(run, i):
    return "" if run.test.kinds is None else KIND_NAMES[run.test.kinds[i]]


def _shown(p):
    """A probability with three decimals, never rounded to 0 or 1, which softmax does not reach."""
    return "<0.001" if p < 0.0005 else ">0.999" if p > 0.9995 else f"{p:.3f}"
