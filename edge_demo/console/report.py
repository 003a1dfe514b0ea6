"""The text that train.py prints. Each function returns lines and computes every number in them."""

from edge_demo.console import tables
from edge_demo.console.tables import probability_text, short

import numpy as np

from edge_demo.datasets.patches import KIND_NAMES, shape_text
from edge_demo.evaluation.scores import accuracy, guessing
from edge_demo.runs.run import FRESH, PARTS, layer_sizes
from edge_demo.softmax import cross_entropy
from edge_demo.training import FAR

FIRST_TO_OPEN = ("04_logits_vs_probabilities.png", "08_photograph.png", "explorer.html")


def opening(dataset, network, settings, source):
    data, names = settings["data"], short(settings["class_names"])
    parameters = sum(array.size for array in network.parameters)
    sizes = "-".join(map(str, layer_sizes(network, dataset.train.pixels.shape[1])))
    shown = ", ".join(names[:7]) + (f" and {len(names) - 7} more" if len(names) > 7 else "")
    counts = f"{data['train']:,} training and {data['test']:,} test patches of {shape_text(dataset.train.shape)} pixels"
    return [
        f"data      {source}: {counts}",
        *(f"          {line}" for line in dataset.understood),
        f"classes   {shown}",
        f"network   {sizes}: {parameters:,} parameters, seed {settings['seed']}",
        f"training  {settings['epochs']} epochs, batches of {settings['batch_size']}, {settings['optimizer']} "
        f"at learning rate {settings['lr']:g}{', classes balanced' if settings['balance'] else ''}",
    ]


def gradient_line(error):
    return f"gradient  check passed: backpropagation against finite differences, largest relative error {error:.0e}"


def table(run):
    """The example patches, before and after side by side."""
    rows = run.examples()
    body = _two_classes if len(run.test.class_names) == 2 else _many_classes
    return ["", *body(run, rows)]


def _two_classes(run, rows):
    """A line a patch: logits z and probabilities p before and after, and the exact p where it is known."""
    names = short(run.test.class_names)
    first, second = (max(7, len(name) + 1) for name in names)
    second = max(8, second)
    true = max(map(len, names))
    pair = f"{{:>{first}}}{{:>{second}}}"
    known = run.log_posterior is not None
    letters = f"{'z':>{(first + second) // 2 + 3}}{'p':>{first + second}}".ljust(2 * (first + second))
    heads = [f"{stage + ' training':^{2 * (first + second)}}" for stage in ("before", "after")]
    exact_p = f"{'p(' + names[0] + ')':>10}"
    lines = [
        f"{len(rows)} test patches: logits z and probabilities p",
        f"{'':{13 + true}}{heads[0]}{heads[1]}{'     exact' if known else ''}".rstrip(),
        f"{'':{13 + true}}{letters * 2}".rstrip(),
        f"{'kind':12} {'true':{true}}" + pair.format(*names) * 4 + (exact_p if known else ""),
    ]
    for i in rows:
        cells = ""
        for stage in ("before", "after"):
            cells += pair.format(*(f"{z:.2f}" for z in run.logits[stage][i]))
            cells += pair.format(*(probability_text(p, 3) for p in run.probabilities[stage][i]))
        if known:
            cells += f"{probability_text(np.exp(run.log_posterior[i, 0]), 3):>10}"
        lines.append(f"{_kind(run, i):12} {names[run.test.labels[i]]:{true}}{cells}")
    return lines


def _many_classes(run, rows):
    """A line a patch: its most probable class before and after, and p of its true class."""
    names = short(run.test.class_names, most=16)
    width = max(13, *(len(name) + 2 for name in names))
    head = f"{'true class':{width}}"
    for stage in ("before", "after"):
        head += f"{'most probable ' + stage:{width + 10}}{'p(true)':>7}   "
    lines = [f"{len(rows)} test patches: the most probable class, and the probability of the true one", head.rstrip()]
    for i in rows:
        line = f"{names[run.test.labels[i]]:{width}}"
        for stage in ("before", "after"):
            p = run.probabilities[stage][i]
            best = f"{names[p.argmax()]} {probability_text(p.max(), 3)}"
            line += f"{best:{width + 10}}{probability_text(p[run.test.labels[i]], 3):>7}   "
        lines.append(line.rstrip())
    return lines


def summary(run):
    """Loss and accuracy before and after, beside what guessing and, where it is known, the exact posterior reach."""
    labels = run.test.labels
    references = {"guessing": guessing(run.settings["data"]["class_counts"], len(labels))}
    if run.log_posterior is not None:
        references["exact"] = run.log_posterior
    lines = ["", f"{'':28}{'before':>10}{'after':>10}" + "".join(f"{name:>10}" for name in references)]
    for part in ("train", "test"):
        for title, name, of in (("cross-entropy, nats", "loss", cross_entropy), ("accuracy", "accuracy", accuracy)):
            values = getattr(run.history, f"{part}_{name}")
            line = f"{part + ' ' + title:28} {values[0]:9.4f} {values[-1]:9.4f}"
            if part == "test":
                line += "".join(f" {of(log_p, labels):9.4f}" for log_p in references.values())
            lines.append(line)
    return lines


def truth(run):
    """Where the loss comes from, and how far p is from the exact one; nothing where that is not known."""
    if run.parts is None:
        return []
    lines = ["", f"expected loss on {FRESH:,} fresh patches =  Bayes floor + grouping + calibration"]
    for stage in ("before", "after"):
        bayes, grouping, calibration = (run.parts[stage][name] for name in PARTS)
        total = bayes + grouping + calibration
        lines.append(f"  {stage:28}{total:8.4f} = {bayes:11.4f}{grouping:11.4f}{calibration:14.4f}")
    if run.parts["ambiguous"]:
        off = {stage: run.parts[stage]["ambiguous_error"] for stage in ("before", "after")}
        share = 100 * run.parts["ambiguous"]
        change = f"{off['before']:.3f} before training, {off['after']:.3f} after"
        lines.append(f"of the {share:.0f} % that are ambiguous, exact p between 0.05 and 0.95, p is off by {change}")
    return lines


def seeds(runs):
    """A line a run, and mean and standard deviation over them; runs: as load_stored returns them."""
    names = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
    parts = () if runs[0].parts is None else ("grouping", "calibration")
    rows = [
        [str(run.settings["seed"]), *(getattr(run.history, name)[-1] for name in names)]
        + [run.parts["after"][name] for name in parts]
        for run in runs
    ]
    values = np.array([row[1:] for row in rows])
    rows += [["mean", *values.mean(axis=0)], ["deviation", *values.std(axis=0, ddof=1)]]
    return ["", *tables.table(["seed", *(name.replace("_", " ") for name in (*names, *parts))], rows)]


def warnings(run):
    """A line where training led nowhere, with the probable cause."""
    logits = run.logits["after"]
    if not run.settings["hidden"] or np.ptp(logits, axis=0).any():
        return []
    largest, rate = np.abs(run.test.pixels).max(), run.settings["lr"]
    remedy = f"pixels reach {largest:g}: bring them to 0 to 1" if largest > FAR else f"try --lr {rate / 10:g}"
    dead = "a hidden layer is dead, none of its units is active on any of them"
    return ["", f"every test patch gets the same logits: {dead}; {remedy}"]


def written(folder, names):
    first = [name for name in FIRST_TO_OPEN if name in names] or names[:3]
    return ["", f"written to {folder}: {len(names)} files; open first", *(f"  {folder / name}" for name in first)]


def interrupted(run):
    if run.interrupted_at is None:
        return "interrupted after the training, saved whole"
    return f"interrupted after epoch {run.interrupted_at} of {run.settings['epochs']}, saved"


def _kind(run, i):
    return "" if run.test.kinds is None else KIND_NAMES[run.test.kinds[i]]
