"""What are a run's probabilities worth? Scores, the parts of the loss, calibration and a temperature."""

from edge_demo.console import cli, verdicts

import sys

import numpy as np
from tqdm import tqdm

from edge_demo import evaluation
from edge_demo.datasets.patches import KIND_NAMES
from edge_demo.figures.confusion import confusion
from edge_demo.figures.loss_parts import loss_parts
from edge_demo.figures.probability_vs_truth import probability_vs_truth
from edge_demo.figures.reliability import reliability
from edge_demo.figures.style import save_figure
from edge_demo.figures.temperature import temperature
from edge_demo.optimizers import make_optimizer
from edge_demo.runs.folder import check_replaceable, replacing_folder, write_json, write_rows
from edge_demo.runs.run import FRESH, PARTS, load_run, new_network, training_patches, with_parameters
from edge_demo.softmax import log_softmax
from edge_demo.training import TrainingDiverged, train

WATCHED = 20_000  # patches on which the parts of the loss are measured over training
POINTS = 30  # epochs of the longer training at which they are
FEWEST = 20  # so few test patches, or fewer, are too few to fit a temperature on one half and test it on the other
FIGURES = ("loss_parts.png", "probability_vs_truth.png", "reliability.png", "confusion.png", "temperature.png")
FILES = ("evaluation.json", "evaluation.csv", *FIGURES)


@cli.command
def main(argv):
    options = parse(argv)
    check_replaceable(options.out, FILES)
    run = load_run(options.run)
    patches = training_patches(run, options.data)
    rng = np.random.default_rng([run.settings["seed"], 1])
    fresh, truth = draw_fresh(run, rng)  # first, so that they are those of train.py

    networks, parts_by_epoch = train_longer(run, patches, options.longer, fresh, truth)
    predictors = make_predictors(run, patches, networks)
    on_test = {name: predict(run.test.pixels) for name, predict in predictors.items()}
    on_fresh = {name: predict(fresh.pixels) for name, predict in predictors.items() if fresh is not None}
    if fresh is not None:
        on_test["exact posterior"], on_fresh["exact posterior"] = run.log_posterior, truth

    halves = None
    if len(run.test) > FEWEST:
        halves = evaluation.stratified_halves(run.test.labels, rng)
    results = measure_labels(run.test, on_test, networks, halves, rng)
    for predictions in (on_test, on_fresh):
        add_cooled(predictions, results["temperatures"])
    if fresh is not None:
        results["truth"] = evaluation.against_truth(on_fresh, truth, getattr(run.generator, "bayes_loss", None))
    if run.test.kinds is not None:
        results["kinds"] = score_kinds(*((run.test, on_test) if fresh is None else (fresh, on_fresh)))

    cli.say(*verdicts.of_evaluation(results, run, options.details))
    with replacing_folder(options.out, FILES) as folder:
        write(folder, results)
        draw(folder, run, on_test, halves, results, parts_by_epoch, on_fresh)
        names = [name for name in FILES if (folder / name).exists()]
    cli.say("", f"written to {cli.shown(options.out)}: {', '.join(names)}")


def parse(argv):
    parser = cli.parser(__doc__)
    outputs = cli.ROOT / "outputs"
    times = cli.number(int, at_least=1)
    parser.add_argument("--run", type=cli.path, default=outputs / "train", help="folder that train.py wrote")
    parser.add_argument("--data", type=cli.path, help="the run's data, where that has moved (default: as in training)")
    parser.add_argument("--longer", type=times, default=10, metavar="N", help="train N times as long, too; 1: do not")
    parser.add_argument("--details", action="store_true", help="print intervals, recall and temperatures, too")
    parser.add_argument("--out", type=cli.path, default=outputs / "evaluation", help="folder for results and figures")
    return parser.parse_args(argv)


def draw_fresh(run, rng):
    """Fresh patches of the run's generator, and their exact log probabilities; None, None where it is not known."""
    if run.generator is None:
        return None, None
    fresh, target = run.generator.sample(FRESH, rng), run.settings["target"]
    return fresh.with_kind_labels() if target == "kind" else fresh, run.generator.log_posterior(fresh.pixels, target)


def train_longer(run, patches, times, fresh, truth):
    """A dict of the networks to judge, and a dict from epochs to the LossParts there, empty where they are not known.

    The longer training is what train.py would have done, had it been told so many times the epochs.
    """
    settings, reached = run.settings, run.history.epoch[-1]
    networks, by_epoch = {"before": run.before, "after": run.after}, {}

    def watch(epoch, network):
        if truth is not None and truth.shape[1] == 2:
            log_p, floor = (
                log_softmax(network.logits(fresh.pixels[:WATCHED])),
                getattr(run.generator, "bayes_loss", None),
            )
            by_epoch[epoch] = evaluation.loss_parts(log_p, truth[:WATCHED], floor=floor)

    for epoch, arrays in run.snapshots.items():
        watch(epoch, with_parameters(run.before, arrays))
    if times == 1 or reached == 0:
        return networks, by_epoch

    network, rng = new_network(patches, settings)
    watched = {*np.geomspace(reached, times * reached, POINTS).astype(int).tolist()}

    def progress(epochs):
        for passed in tqdm(epochs, desc=f"{times} × as long", unit="epoch", disable=not sys.stderr.isatty()):
            if passed in watched:
                watch(passed, network)
            yield passed

    optimizer = make_optimizer(settings["optimizer"], settings["lr"])
    how = {"epochs": times * reached, "batch_size": settings["batch_size"], "optimizer": optimizer, "rng": rng}
    try:
        train(network, patches, **how, progress=progress)
    except TrainingDiverged as error:
        cli.say(f"not trained {times} × as long: {error}", "")
        return networks, by_epoch
    watch(times * reached, network)
    return networks | {f"{times} × as long": network}, by_epoch


def make_predictors(run, patches, networks):
    """A dict from name to a function, pixels (n, inputs) -> log probabilities (n, classes), in the table's order."""
    settings = run.settings
    known = {name: lambda pixels, of=network: log_softmax(of.logits(pixels)) for name, network in networks.items()}
    predictors = {"guessing": lambda pixels: evaluation.guessing(settings["data"]["class_counts"], len(pixels))}
    predictors["before"] = known.pop("before")
    return predictors | evaluation.baselines(patches, settings["hidden"], settings["epochs"], settings["seed"]) | known


def measure_labels(test, predictions, networks, halves, rng):
    """What the labels of the test patches tell; predictions: a dict from name to log probabilities."""
    scored = {name: evaluation.scores(log_p, test.labels) for name, log_p in predictions.items()}
    classes = {
        stage: evaluation.class_scores(predictions[stage], test.labels, test.class_names)
        for stage in ("before", "after")
    }
    results = {"predictors": scored, "classes": classes, "differences": {}, "temperatures": {}}
    if halves is not None:
        trained = [name for name in networks if name != "before"]
        tried = {name: evaluation.try_temperature(predictions[name], test.labels, halves) for name in trained}
        others = {name: log_p for name, log_p in predictions.items() if name != "after"}
        results["differences"] = evaluation.differences_from(predictions["after"], others, test.labels, rng)
        results["temperatures"] = tried
    return results


def add_cooled(predictions, temperatures):
    """Adds what each trained network says with its temperature, before the exact posterior."""
    exact = {name: predictions.pop(name) for name in ("exact posterior",) if name in predictions}
    for name, found in temperatures.items():
        if found["temperature"] is not None and predictions:
            cooled = log_softmax(predictions[name], temperature=found["temperature"])
            predictions[f"{name}, T = {found['temperature']:.2f}"] = cooled
    predictions |= exact


def score_kinds(patches, predictions):
    shown = {name: predictions[name] for name in ("after", "exact posterior") if name in predictions}
    return evaluation.kind_scores(shown, patches.labels, patches.kinds, KIND_NAMES)


def draw(folder, run, on_test, halves, results, parts_by_epoch, on_fresh):
    names, labels = run.test.class_names, run.test.labels
    predicted = (run.logits[stage].argmax(axis=1) for stage in ("before", "after"))
    save_figure(confusion(labels, *predicted, names), folder / "confusion.png")
    save_figure(temperature(run.logits["after"][run.examples()[0]], names), folder / "temperature.png")
    judged = np.arange(len(labels)) if halves is None else halves[1]  # patches on which no temperature was fitted
    shown = [name for name in on_test if name == "before" or name.startswith("after") or name == "exact posterior"]
    panels = [(name, *_claims(on_test[name][judged], labels[judged])) for name in shown]
    one = names[0] if len(names) == 2 else "predicted class"
    save_figure(reliability(panels, one), folder / "reliability.png")
    if not parts_by_epoch:
        return

    figure = probability_vs_truth(on_fresh["after"], on_fresh["exact posterior"], names[0])
    save_figure(figure, folder / "probability_vs_truth.png")
    truth = results["truth"]
    longer = [name for name in truth if name.endswith("× as long")]
    rows = ["before", "after", *longer, "linear", "scikit-learn MLP", "exact posterior"]
    parts = [[truth[name][part] for part in PARTS] for name in rows]
    curve = [[getattr(parts, part) for part in PARTS] for parts in parts_by_epoch.values()]
    before, after = truth["before"], truth["after"]
    title = (
        f"Training takes grouping from {before['grouping']:.3f} to {after['grouping']:.3f} nats, "
        f"calibration from {before['calibration']:.3f} to {after['calibration']:.3f}"
    )
    figure = loss_parts(title, rows, parts, list(parts_by_epoch), curve, {run.history.epoch[-1]: "the run ends"})
    save_figure(figure, folder / "loss_parts.png")


def _claims(log_p, labels):
    """What a reliability diagram judges: p (n,) of the first of two classes, of more the largest; and the points."""
    p = np.exp(log_p)
    one, is_one = (p[:, 0], labels == 0) if p.shape[1] == 2 else (p.max(axis=1), p.argmax(axis=1) == labels)
    return one, evaluation.reliability_points(one, is_one)


def write(folder, results):
    write_json(folder / "evaluation.json", _finite(results))
    labels, truth = results["predictors"], results.get("truth", {})
    known = [list(next(iter(rows.values()))) for rows in (labels, truth) if rows]
    header = [column for columns in known for column in columns]
    rows = [[name, *map((labels.get(name, {}) | truth.get(name, {})).get, header)] for name in labels | truth]
    write_rows(folder / "evaluation.csv", ["predictor", *header], _finite(rows))


def _finite(value):
    """value, and what is in it, with None for an infinite number: JSON has none."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


if __name__ == "__main__":
    sys.exit(main())
