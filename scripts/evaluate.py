"""What are a run's probabilities worth? Scores, the parts of the loss, calibration and a temperature."""

from edge_demo.console import cli
from edge_demo.console.tables import short

import sys
from copy import deepcopy

import numpy as np
from tqdm import tqdm

from edge_demo import evaluation
from edge_demo.evaluation import NoTemperature
from edge_demo.figures.confusion import confusion
from edge_demo.figures.loss_parts import loss_parts
from edge_demo.figures.probability_vs_truth import probability_vs_truth
from edge_demo.figures.reliability import reliability
from edge_demo.figures.style import save_figure
from edge_demo.figures.temperature import temperature
from edge_demo.network import build_network
from edge_demo.optimizers import make_optimizer
from edge_demo.runs.folder import check_replaceable, replacing_folder, write_json, write_rows
from edge_demo.runs.run import FRESH, load_run, training_patches, with_parameters
from edge_demo.softmax import log_softmax
from edge_demo.training import TrainingDiverged, train_epoch

WATCHED = 20_000  # patches on which the parts of the loss are measured over training
POINTS = 30  # epochs of the longer training at which they are
FIGURES = ("loss_parts.png", "probability_vs_truth.png", "reliability.png", "confusion.png", "temperature.png")
FILES = ("evaluation.json", "evaluation.csv", *FIGURES)
TITLES = {"accuracy": "accuracy", "cross_entropy": "loss", "brier_score": "Brier", "calibration_error": "calib."}


@cli.command
def main(argv):
    options = parse(argv)
    check_replaceable(options.out, FILES)
    run = load_run(options.run)
    train_patches = read_training_patches(run, options)
    rng = np.random.default_rng([run.settings["seed"], 1])

    fresh, truth = draw_fresh(run, rng)  # first, so that they are those of train.py
    parts_of = make_parts_of(run, rng)
    networks, parts_by_epoch = train_longer(run, train_patches, options.longer, parts_of)
    predictors = make_predictors(run, train_patches, networks)
    results = {"predictors": score(predictors, run), "classes": score_classes(predictors, run), "differences": {}}

    halves = None
    if len(run.test) > 20:
        halves = evaluation.stratified_halves(run.test.labels, rng)
        results["differences"] = compare(predictors, run, rng)
    results["temperatures"] = fit_temperatures(predictors, networks, run, halves)
    add_cooled(predictors, results["temperatures"])

    if truth is not None:
        results["truth"] = hold_against_truth(predictors, fresh, truth)

    cli.say(*report(results, run))
    with replacing_folder(options.out, FILES) as folder:
        draw(folder, run, predictors, results, parts_by_epoch, halves, fresh, truth)
        write(folder, results)
        names = [name for name in FILES if (folder / name).exists()]
    cli.say("", f"written to {cli.shown(options.out)}: {', '.join(names)}")


def parse(argv):
    parser = cli.parser(__doc__)
    outputs = cli.ROOT / "outputs"
    times = cli.number(int, at_least=1)
    parser.add_argument("--run", type=cli.path, default=outputs / "train", help="folder that train.py wrote")
    parser.add_argument("--data", type=cli.path, help="the run's data, where that has moved (default: as in training)")
    parser.add_argument("--longer", type=times, default=10, metavar="N", help="train N times as long, too; 1: do not")
    parser.add_argument("--out", type=cli.path, default=outputs / "evaluation", help="folder for results and figures")
    return parser.parse_args(argv)


def read_training_patches(run, options):
    """The patches that the run was trained on. Raises ValueError where they have moved, or changed since."""
    try:
        return training_patches(run, options.data)
    except (ValueError, OSError) as error:
        reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else error
        raise ValueError(f"{reason}; --data names what {options.run} was trained on, where that has moved") from None


def make_parts_of(run, rng):
    """A function, network -> LossParts, or None where the truth is not known, or has more than two classes."""
    if run.generator is None or len(run.test.class_names) != 2:
        return None
    pixels = run.generator.sample(WATCHED, rng).pixels
    truth = run.generator.log_posterior(pixels)
    return lambda network: evaluation.loss_parts(log_softmax(network.logits(pixels)), truth)


def train_longer(run, patches, times, parts_of):
    """A dict of the networks to judge, and a dict from epochs to the LossParts there, None where they are not known.

    The longer training is what train.py would have done, had it been told so many times the epochs.
    """
    settings, reached = run.settings, run.history.epoch[-1]
    networks = {"before": run.before, "after": run.after}
    by_epoch = {}
    for epoch, kept in run.snapshots.items() if parts_of else ():
        by_epoch[epoch] = parts_of(with_parameters(run.before, kept))
    if times < 2 or reached == 0:
        return networks, by_epoch or None

    rng = np.random.default_rng(settings["seed"])
    build_network(patches.pixels.shape[1], settings["hidden"], len(patches.class_names), rng)  # as train.py draws it
    network = deepcopy(run.before)
    optimizer = make_optimizer(settings["optimizer"], settings["lr"])
    epochs = times * reached
    watched = set(np.geomspace(reached, epochs, POINTS).astype(int).tolist())
    bar = tqdm(range(1, epochs + 1), desc=f"{times} × as long", unit="epoch", disable=not sys.stderr.isatty())
    try:
        for epoch in bar:
            train_epoch(network, patches, batch_size=settings["batch_size"], optimizer=optimizer, rng=rng)
            if parts_of and epoch in watched:
                by_epoch[epoch] = parts_of(network)
    except TrainingDiverged as error:
        bar.close()
        cli.say(f"not trained {times} × as long: {error}", "")
        return networks, by_epoch or None
    networks[f"{times} × as long"] = network
    return networks, by_epoch or None


def make_predictors(run, train_patches, networks):
    """A dict from name to a function, pixels (n, inputs) -> log probabilities (n, classes), in the table's order."""
    settings = run.settings
    known = {name: (lambda pixels, network=n: log_softmax(network.logits(pixels))) for name, n in networks.items()}
    predictors = {"guessing": lambda pixels: evaluation.guessing(settings["data"]["class_counts"], len(pixels))}
    predictors["before"] = known.pop("before")
    predictors |= evaluation.baselines(train_patches, settings["hidden"], settings["epochs"], settings["seed"])
    predictors |= known
    if run.generator is not None:
        predictors["exact posterior"] = lambda pixels: run.generator.log_posterior(pixels, settings["target"])
    return predictors


def score(predictors, run):
    """A dict from name to the scores of each predictor on the test patches."""
    return {name: evaluation.scores(of(run.test.pixels), run.test.labels) for name, of in predictors.items()}


def score_classes(predictors, run):
    """How well each class is recognized, by the network before and after training."""
    test = run.test
    return {
        stage: evaluation.class_scores(predictors[stage](test.pixels), test.labels, test.class_names)
        for stage in ("before", "after")
    }


def compare(predictors, run, rng):
    """What the trained network is worth less what each other is, with bootstrap intervals.

    A dict from name to dicts of accuracy and cross_entropy; without the latter, where the other's loss is infinite.
    """
    labels, rows = run.test.labels, np.arange(len(run.test))
    predictions = {name: of(run.test.pixels) for name, of in predictors.items()}
    right = {name: (log_p.argmax(axis=1) == labels).astype(float) for name, log_p in predictions.items()}
    losses = {name: -log_p[rows, labels] for name, log_p in predictions.items()}

    differences = {}
    for other in predictions:
        if other == "after":
            continue
        differences[other] = {}
        for score_name, values in (("accuracy", right), ("cross_entropy", losses)):
            each = values["after"] - values[other]
            if np.isfinite(each).all():
                low, high = evaluation.bootstrap_interval(each, rng)
                differences[other][score_name] = {"mean": float(each.mean()), "low": low, "high": high}
    return differences


def fit_temperatures(predictors, networks, run, halves):
    """For each trained network the temperature fitted on one half of the test patches, and scores on the other."""
    if halves is None:
        return {}
    fit_on, rest = (run.test[half] for half in halves)
    found = {}
    for name in networks:
        if name == "before":
            continue
        try:
            value, note = evaluation.fit_temperature(predictors[name](fit_on.pixels), fit_on.labels), None
        except NoTemperature as error:
            value, note = None, str(error)
        log_p = predictors[name](rest.pixels)
        found[name] = {"temperature": value, "note": note, "fitted_on": len(fit_on), "measured_on": len(rest)}
        found[name]["without"] = evaluation.scores(log_p, rest.labels)
        if value is not None:
            found[name]["with"] = evaluation.scores(log_softmax(log_p, temperature=value), rest.labels)
    return found


def add_cooled(predictors, temperatures):
    """Adds to predictors what each trained network says with its temperature."""
    exact = predictors.pop("exact posterior", None)
    for name, found in temperatures.items():
        if found["temperature"] is not None:
            cooled = lambda pixels, of=predictors[name], t=found["temperature"]: log_softmax(of(pixels), temperature=t)  # noqa: E731
            predictors[f"{name}, T = {found['temperature']:.2f}"] = cooled
    if exact is not None:
        predictors["exact posterior"] = exact


def draw_fresh(run, rng):
    """Fresh patches of the run's generator, and their exact log probabilities; None, None where it is not known."""
    if run.generator is None:
        return None, None
    pixels = run.generator.sample(FRESH, rng).pixels
    return pixels, run.generator.log_posterior(pixels, run.settings["target"])


def hold_against_truth(predictors, fresh, truth):
    """A dict from name to the parts of the loss of each predictor, and its distance to the exact posterior."""
    rows = {}
    for name, of in predictors.items():
        log_p = of(fresh)
        parts = evaluation.loss_parts(log_p, truth)
        rows[name] = {"bayes": parts.bayes, "grouping": parts.grouping, "calibration": parts.calibration}
        rows[name] |= evaluation.distance_to_truth(log_p, truth)
    return rows


def report(results, run):
    """The lines to print."""
    n, names, counts = len(run.test), run.test.class_names, run.settings["data"]["class_counts"]
    lines = [f"{n:,} test patches; loss is the cross-entropy in nats, calib. the calibration error"]
    lines.append(f"{'':24}" + "".join(f"{title:>10}" for title in TITLES.values()))
    for name, row in results["predictors"].items():
        lines.append(f"{name:24}" + "".join(f"{row[key]:10.4f}" for key in TITLES))
    low, high = evaluation.guessers_interval(max(counts) / sum(counts), n)
    most = names[int(np.argmax(counts))]
    lines.append(f"guessing: always {most}, the most frequent class in training, with the class shares as p;")
    lines.append(f"on 95 % of such test sets its accuracy is from {low:.3f} to {high:.3f}")
    lines += ["", *_class_lines(results["classes"])]

    if results["differences"]:
        lines += ["", *_difference_lines(results["differences"]), "", *_temperature_lines(results["temperatures"])]
    else:
        lines.append(f"{n} test patches are too few to compare predictors, or to fit a temperature on a half of them")
    if "truth" in results:
        lines += ["", *_truth_lines(results["truth"])]
    else:
        lines += ["", "no generator.json beside the data: what needs the true probabilities is left out"]
    verdicts = _verdicts(results)
    return [*lines, "", *verdicts] if verdicts else lines


def _class_lines(classes):
    before, after = classes["before"]["classes"], classes["after"]["classes"]
    lines = ["recall: the share of a class that is recognized; precision: the share of what is taken for it that is it"]
    lines.append(f"{'':24}{'patches':>10}{'recall before':>15}{'after':>8}{'precision before':>18}{'after':>8}")
    for name, shown in zip(after, short(after, most=23), strict=True):
        row = after[name]
        if not row["patches"]:
            lines.append(f"{shown:24}{0:10}{'-':>15}{'-':>8}{'-':>18}{'-':>8}")
            continue
        cells = f"{row['patches']:10,}{before[name]['recall']:15.4f}{row['recall']:8.4f}"
        lines.append(f"{shown:24}{cells}{before[name]['precision']:18.4f}{row['precision']:8.4f}")
    balanced = (classes[stage]["balanced_accuracy"] for stage in ("before", "after"))
    lines.append("balanced accuracy, the mean recall: {:.4f} before, {:.4f} after".format(*balanced))
    return lines


def _difference_lines(differences):
    lines = ["after, less the others, with 95 % bootstrap intervals", f"{'':24}{'accuracy':<31}loss"]
    for other, row in differences.items():
        line = f"  {other:22}{_difference(row['accuracy'], 1)}"
        if "cross_entropy" in row:
            line += _difference(row["cross_entropy"], -1)
        lines.append(line.rstrip())
    return lines


def _difference(row, better):
    """A difference with its interval; a word for it only where the interval leaves no doubt about the sign."""
    word = {1: "better", -1: "worse", 0: "unclear"}[evaluation.certain_sign(row) * better]
    return f"{row['mean']:+.3f} [{row['low']:+.3f} {row['high']:+.3f}] {word:8}"


def _temperature_lines(temperatures):
    first = next(iter(temperatures.values()))
    lines = [
        f"temperature, fitted on a random half of the test patches ({first['fitted_on']:,}, with half of each class); "
        f"scores on the other {first['measured_on']:,}"
    ]
    for name, found in temperatures.items():
        if found["temperature"] is None:
            lines.append(f"  {name}: {found['note']}")
            continue
        changes = [
            f"{title} {found['without'][key]:.4f} -> {found['with'][key]:.4f}"
            for key, title in TITLES.items()
            if key != "accuracy"
        ]
        lines.append(f"  {name:18} T = {found['temperature']:.3f}: {', '.join(changes)}")
    return lines


def _truth_lines(truth):
    """The table of fresh patches; of more than two classes only what the floor leaves over is known."""
    floor = truth["exact posterior"]["bayes"]
    split = truth["exact posterior"]["grouping"] is not None
    lines = [f"{FRESH:,} fresh patches: expected loss = Bayes floor {floor:.4f} + what is above it, in nats"]
    head = f"{'grouping':>10}{'calib. loss':>13}" if split else ""
    lines.append(f"{'':24}{head}{'above floor':>13}{'|p - p*|':>11}{'of ambiguous':>14}")
    for name, row in truth.items():
        cells = f"{row['grouping']:10.4f}{row['calibration']:13.4f}" if split else ""
        ambiguous = "-" if row["ambiguous_error"] is None else f"{row['ambiguous_error']:.4f}"
        cells += f"{row['kl_divergence']:13.4f}{row['mean_absolute_error']:11.4f}{ambiguous:>14}"
        lines.append(f"{name:24}{cells}")
    return lines


def _verdicts(results):
    """What the numbers say, a plain sentence a part."""
    lines = []
    if results["differences"]:
        lines += [_against_guessing(results["differences"]), _against_linear(results["differences"])]
    lines += [_about_temperature(name, found) for name, found in results["temperatures"].items()]
    if "truth" not in results:
        return lines
    truth = results["truth"]
    before, after = truth["before"], truth["after"]
    lines.append(f"nobody can know: {after['bayes']:.3f} nats, the Bayes floor, are in the patches themselves")
    if after["grouping"] is None:
        change = f"from {before['kl_divergence']:.3f} to {after['kl_divergence']:.3f} nats"
        lines.append(f"to be learned: the loss above the floor went {change}")
    else:
        parts = {name: f"from {before[name]:.3f} to {after[name]:.3f} nats" for name in ("grouping", "calibration")}
        lines.append(f"not told apart: grouping went {parts['grouping']}; only learning mends it")
        share = f"{100 * after['calibration'] / after['kl_divergence']:.0f} % of what training left above the floor"
        lines.append(f"said wrongly: calibration went {parts['calibration']}, {share}")
        lines += _about_longer(truth)
    if after["ambiguous_error"] is not None:
        lines.append(
            f"is it the true probability? On ambiguous patches p is off by {after['ambiguous_error']:.3f} on average"
        )
    return lines


def _against_guessing(differences):
    row = differences["guessing"]["accuracy"]
    found = {1: "right more often than guessing", 0: "not clearly better than guessing", -1: "worse than guessing"}
    return f"the network is {found[evaluation.certain_sign(row)]}: accuracy {row['mean']:+.3f}"


def _against_linear(differences):
    row = differences["linear"]["cross_entropy"]
    found = {
        -1: "its hidden layer is needed, a linear model does worse",
        0: "a linear model does about as well",
        1: "a linear model does better",
    }
    return f"{found[evaluation.certain_sign(row)]}: loss {row['mean']:+.3f} against it"


def _about_temperature(name, found):
    if found["temperature"] is None:
        return f"{name}: {found['note']}"
    change = found["with"]["cross_entropy"] - found["without"]["cross_entropy"]
    if abs(change) < 0.001:
        return f"{name}: a temperature, {found['temperature']:.2f}, mends nothing: the loss stays within 0.001"
    sure = "too sure" if found["temperature"] > 1 else "not sure enough"
    return f"{name}: {sure}, says the temperature {found['temperature']:.2f}; with it the loss changes by {change:+.3f}"


def _about_longer(truth):
    """What a temperature mends of the longer training, and what it does not."""
    name = next((name for name in truth if name.endswith("× as long")), None)
    cooled = next((truth[other] for other in truth if other.startswith(f"{name}, T")), None)
    if name is None or cooled is None:
        return []
    row = truth[name]
    return [
        f"{name}: calibration {row['calibration']:.3f} nats, with its temperature {cooled['calibration']:.3f}; "
        f"grouping {row['grouping']:.3f}, which no temperature changes"
    ]


def draw(folder, run, predictors, results, parts_by_epoch, halves, fresh, truth):
    names, labels = run.test.class_names, run.test.labels
    predicted = (run.logits[stage].argmax(axis=1) for stage in ("before", "after"))
    save_figure(confusion(labels, *predicted, names), folder / "confusion.png")
    save_figure(temperature(run.logits["after"][run.examples()[0]], names), folder / "temperature.png")
    judged = run.test if halves is None else run.test[halves[1]]  # patches on which no temperature was fitted
    shown = [name for name in predictors if name == "before" or name.startswith("after") or name == "exact posterior"]
    panels = [(name, *_claims(predictors[name](judged.pixels), judged.labels)) for name in shown]
    one = names[0] if len(names) == 2 else "predicted class"
    save_figure(reliability(panels, one), folder / "reliability.png")
    if truth is None or len(names) != 2:
        return

    figure = probability_vs_truth(predictors["after"](fresh), truth, names[0])
    save_figure(figure, folder / "probability_vs_truth.png")
    rows = {name: results["truth"][name] for name in _in_order_of_lesson(results["truth"])}
    parts = [(row["bayes"], row["grouping"], row["calibration"]) for row in rows.values()]
    curve = [(parts.bayes, parts.grouping, parts.calibration) for parts in parts_by_epoch.values()]
    marked = {run.history.epoch[-1]: "the run ends"}
    title = _parts_title(rows["before"], rows["after"])
    figure = loss_parts(title, list(rows), parts, list(parts_by_epoch), curve, marked)
    save_figure(figure, folder / "loss_parts.png")


def _parts_title(before, after):
    return (
        f"Training takes grouping from {before['grouping']:.3f} to {after['grouping']:.3f} nats, "
        f"calibration from {before['calibration']:.3f} to {after['calibration']:.3f}"
    )


def _in_order_of_lesson(names):
    """before, after, longer, that with its temperature, then the others."""
    longer = [name for name in names if "× as long" in name]
    return ["before", "after", *longer, "linear", "scikit-learn MLP", "exact posterior"]


def _claims(log_p, labels):
    """What a reliability diagram judges: p (n,) of the first of two classes, of more the largest; and the points."""
    p = np.exp(log_p)
    one, is_one = (p[:, 0], labels == 0) if p.shape[1] == 2 else (p.max(axis=1), p.argmax(axis=1) == labels)
    return one, evaluation.reliability_points(one, is_one)


def write(folder, results):
    write_json(folder / "evaluation.json", _finite(results))
    truth = results.get("truth", {})
    known = list(next(iter(truth.values()))) if truth else []
    rows = []
    for name in truth or results["predictors"]:
        row = results["predictors"].get(name, {}) | truth.get(name, {})
        rows.append([name, *(_finite(row.get(column)) for column in (*TITLES, *known))])
    write_rows(folder / "evaluation.csv", ["predictor", *TITLES, *known], rows)


def _finite(value):
    """value, and what is in it, with None for an infinite number: JSON has none."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value


if __name__ == "__main__":
    sys.exit(main())
