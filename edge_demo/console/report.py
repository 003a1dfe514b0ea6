"""The text that train.py prints. Each function returns lines and computes every number in them."""

from edge_demo.console import tables
from edge_demo.console.tables import probability_text, short

import numpy as np

from edge_demo.datasets.patches import KIND_NAMES
from edge_demo.evaluation import accuracy, guessing, log_loss
from edge_demo.runs.run import FILES, FRESH, PARTS, STAGES, layer_sizes

FIRST_TO_OPEN = ("04_logits_vs_probabilities.png", "08_photograph.png", "explorer.html")
TOLD = {"gradient": "gradient", "first loss": "first loss", "by heart": "16 patches by heart"}  # of what has passed


def opening(dataset, network, settings, source):
    data, names = settings["data"], short(settings["class_names"])
    rows, columns = dataset.train.shape
    parameters = sum(array.size for array in network.parameters)
    sizes = "-".join(map(str, layer_sizes(network, dataset.train.pixels.shape[1])))
    shown = ", ".join(names[:7]) + (f" and {len(names) - 7} more" if len(names) > 7 else "")
    return [
        f"data      {source}: {data['train']:,} training and {data['test']:,} test patches of {rows}×{columns} pixels",
        *(f"          {line}" for line in dataset.understood),
        f"classes   {shown}",
        f"network   {sizes}: {parameters:,} parameters, seed {settings['seed']}",
        f"training  {settings['epochs']} epochs, batches of {settings['batch_size']}, {settings['optimizer']} "
        f"at learning rate {settings['lr']:g}{', classes balanced' if settings['balance'] else ''}",
    ]


def checks(findings):
    """One line where all is well, else a line for each Finding that is not."""
    wrong = [f"check     {finding.name}: {finding.text}" for finding in findings if not finding.passed]
    told = ", ".join(f"{TOLD[finding.name]} {finding.text}" for finding in findings if finding.name in TOLD)
    return wrong or [f"checks    {len(findings)} passed: {told}"]


def table(run):
    """The example patches, before and after side by side; the last of them is the one that is most wrong."""
    rows, names = run.examples(), short(run.test.class_names, most=16)
    labels = run.test.labels[rows]
    sorts = "classes" if run.test.kinds is None else "kinds"
    kinds = [""] * len(rows) if run.test.kinds is None else [KIND_NAMES[kind] for kind in run.test.kinds[rows]]
    kinds[-1] = f"{kinds[-1]} (most wrong)".strip()

    above, heads, columns = ["", ""], ["", "true class"], [kinds, [names[label] for label in labels]]
    for stage in STAGES:
        z, p = run.logits[stage][rows], run.probabilities[stage][rows]  # (patches, classes)
        if len(names) == 2:
            above += [f"z {stage}"] * 2 + [f"p {stage}"] * 2
            heads += names * 2
            columns += [*z.T, *(map(probability_text, column) for column in p.T)]
        else:
            above += [f"{stage} training"] * 2
            heads += ["most probable", "p(true)"]
            columns += [[names[k] for k in p.argmax(axis=1)], map(probability_text, p[range(len(rows)), labels])]
    if run.log_posterior is not None and len(names) == 2:
        above += ["exact"]
        heads += [f"p({names[0]})"]
        columns += [map(probability_text, np.exp(run.log_posterior[rows, 0]))]
    title = f"{len(rows)} test patches: clear ones of different {sorts}, and the one that training left most wrong"
    return ["", title, *tables.table(heads, zip(*columns, strict=True), left=2, above=above, decimals=2)]


def summary(run):
    """Loss and accuracy before and after, beside what guessing and, where it is known, the exact posterior reach."""
    labels = run.test.labels
    references = {"guessing": guessing(run.settings["data"]["class_counts"], len(labels))}
    if run.log_posterior is not None:
        references["exact"] = run.log_posterior
    rows = []
    for part in ("train", "test"):
        for title, name, of in (("cross-entropy, nats", "loss", log_loss), ("accuracy", "accuracy", accuracy)):
            values = getattr(run.history, f"{part}_{name}")
            reached = [of(log_p, labels) if part == "test" else "" for log_p in references.values()]
            rows.append([f"{part} {title}", values[0], values[-1], *reached])
    return ["", *tables.table(["measured on labels", *STAGES, *references], rows)]


def truth(run):
    """Where the loss comes from, and how far p is from the exact one; nothing where that is not known."""
    if run.parts is None:
        return []
    parts = [[run.parts[stage][name] for name in PARTS] for stage in STAGES]
    rows = [[stage, sum(three), *three] for stage, three in zip(STAGES, parts, strict=True)]
    lines = ["", *tables.table(["", "expected loss", "= Bayes floor", "+ grouping", "+ calibration"], rows)]
    if run.parts["ambiguous"]:
        before, after = (run.parts[stage]["ambiguous_error"] for stage in STAGES)
        lines.append(
            f"of {FRESH:,} fresh patches, {100 * run.parts['ambiguous']:.0f} % are ambiguous, exact p 0.05 to 0.95: "
            f"there p is off by {before:.2f} before training, {after:.2f} after"
        )
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


def written(folder):
    """What is in the folder of a run, which exists, and what to look at first."""
    names = [name for name in FILES if (folder / name).exists()]
    first = [name for name in FIRST_TO_OPEN if name in names] or names[:3]
    return ["", f"written to {folder}: {len(names)} files; open first", *(f"  {folder / name}" for name in first)]


def interrupted(run):
    if run.interrupted_at is None:
        return "interrupted after the training, saved whole"
    return f"interrupted after epoch {run.interrupted_at} of {run.settings['epochs']}, saved"
