"""What are a run's probabilities worth? Scores, the parts of the loss, calibration and a temperature."""

from edge_demo.console import cli, verdicts

import sys
from functools import partial

import numpy as np
from tqdm import tqdm

from edge_demo import evaluation
from edge_demo.datasets.loading import Dataset
from edge_demo.datasets.patches import KIND_NAMES
from edge_demo.figures.confusion import confusion
from edge_demo.figures.loss_parts import loss_parts
from edge_demo.figures.probability_vs_truth import probability_vs_truth
from edge_demo.figures.reliability import reliability
from edge_demo.figures.style import save_figure
from edge_demo.figures.temperature import temperature
from edge_demo.runs.folder import check_replaceable, replacing_folder, write_json, write_rows
from edge_demo.runs.run import FRESH, PARTS, load_run, train_run, training_patches, with_parameters
from edge_demo.softmax import log_softmax
from edge_demo.training import TrainingDiverged

WATCHED = 20_000  # patches on which the parts of the loss are measured over training
FEWEST = 20  # so few test patches, or fewer, are too few to fit a temperature on one half and test it on the other
FIGURES = ("loss_parts.png", "probability_vs_truth.png", "reliability.png", "confusion.png", "temperature.png")
FILES = ("evaluation.json", "evaluation.csv", *FIGURES)
EXACT = "exact posterior"


@cli.command
def main(argv):
    options = parse(argv)
    check_replaceable(options.out, FILES)
    run = load_run(options.run)
    patches = training_patches(run, options.data)
    rng = np.random.default_rng([run.settings["seed"], 1])
    fresh, truth = draw_fresh(run, rng)  # first, so that they are those of train.py

    networks = {"before": run.before, "after": run.after}
    longest = train_longer(run, patches, options.longer) or run
    if longest is not run:
        networks[f"{options.longer} × as long"] = longest.after
    predictors = make_predictors(run, patches, networks)
    test = {name: predict(run.test.pixels) for name, predict in predictors.items()}
    if run.generator:
        test[EXACT] = run.log_posterior
    known = {name: predict(fresh.pixels) for name, predict in predictors.items()} if run.generator else {}

    results = measure(run, test, networks, rng)
    if run.generator:
        for name, found in results["temperatures"].items():
            if found["temperature"]:
                cooled = log_softmax(known[name], temperature=found["temperature"])
                known[f"{name}, T = {found['temperature']:.2f}"] = cooled
        known[EXACT] = truth
        floor = run.generator.bayes_loss if truth.shape[1] == 2 else None  # of Edge and No Edge, not of kinds
        results["truth"] = evaluation.against_truth(known, truth, floor)
    if run.test.kinds is not None:
        results["kinds"] = score_kinds(fresh or run.test, known or test)

    cli.say(*verdicts.of_evaluation(results, run, options.details))
    with replacing_folder(options.out, FILES) as folder:
        write(folder, results)
        draw_labels(folder, run, test)
        if truth is not None and truth.shape[1] == 2:
            draw_truth(folder, run, longest, fresh, known, results["truth"])
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


def train_longer(run, patches, times):
    """The Run that train.py would have trained, had it been told so many times the epochs, or None."""
    epochs = times * run.history.epoch[-1]
    if times == 1 or epochs == 0:
        return None
    progress = partial(tqdm, desc=f"{times} × as long", unit="epoch", disable=not sys.stderr.isatty())
    try:
        return train_run(Dataset(patches, run.test), run.settings | {"epochs": epochs}, progress)
    except TrainingDiverged as error:
        cli.say(f"not trained {times} × as long: {error}", "")
        return None


def make_predictors(run, patches, networks):
    """A dict from name to a function, pixels (n, inputs) -> log probabilities (n, classes), in the table's order."""
    settings = run.settings
    known = {name: lambda pixels, of=network: log_softmax(of.logits(pixels)) for name, network in networks.items()}
    predictors = {"guessing": lambda pixels: evaluation.guessing(settings["data"]["class_counts"], len(pixels))}
    predictors["before"] = known.pop("before")
    return predictors | evaluation.baselines(patches, settings["hidden"], settings["epochs"], settings["seed"]) | known


def measure(run, predictions, networks, rng):
    """What the labels of the test patches tell of each prediction, a dict from name to log probabilities."""
    labels, names = run.test.labels, run.test.class_names
    results = {"predictors": {name: evaluation.scores(log_p, labels) for name, log_p in predictions.items()}}
    results["classes"] = {
        stage: evaluation.class_scores(predictions[stage], labels, names) for stage in ("before", "after")
    }
    results |= {"differences": {}, "temperatures": {}}
    if len(labels) > FEWEST:
        halves = evaluation.stratified_halves(labels, rng)
        others = {name: log_p for name, log_p in predictions.items() if name != "after"}
        results["differences"] = evaluation.differences_from(predictions["after"], others, labels, rng)
        for name in [*networks][1:]:
            results["temperatures"][name] = evaluation.try_temperature(predictions[name], labels, halves)
    return results


def score_kinds(patches, predictions):
    shown = {name: predictions[name] for name in ("after", EXACT) if name in predictions}
    return evaluation.kind_scores(shown, patches.labels, patches.kinds, KIND_NAMES)


def draw_labels(folder, run, predictions):
    names, labels = run.test.class_names, run.test.labels
    predicted = (run.logits[stage].argmax(axis=1) for stage in ("before", "after"))
    save_figure(confusion(labels, *predicted, names), folder / "confusion.png")
    save_figure(temperature(run.logits["after"][run.examples()[0]], names), folder / "temperature.png")

    panels = []
    for name, log_p in predictions.items():
        if name in ("before", "after", EXACT) or name.endswith("× as long"):
            p, right = np.exp(log_p.max(axis=1)), evaluation.each_patch(log_p, labels)["accuracy"]
            panels.append((name, p, evaluation.reliability_points(p, right)))
    save_figure(reliability(panels), folder / "reliability.png")


def draw_truth(folder, run, longest, fresh, predictions, rows):
    truth = predictions[EXACT]
    figure = probability_vs_truth(predictions["after"], truth, run.test.class_names[0])
    save_figure(figure, folder / "probability_vs_truth.png")

    curve = []
    for snapshot in longest.snapshots.values():
        log_p = log_softmax(with_parameters(run.before, snapshot).logits(fresh.pixels[:WATCHED]))
        found = evaluation.loss_parts(log_p, truth[:WATCHED], floor=run.generator.bayes_loss)
        curve.append([getattr(found, part) for part in PARTS])
    shown = [name for name in rows if name != "guessing" and ", T = " not in name]
    parts = [[rows[name][part] for part in PARTS] for name in shown]
    went = {part: f"{rows['before'][part]:.3f} to {rows['after'][part]:.3f}" for part in PARTS}
    title = f"Training takes grouping from {went['grouping']} nats, calibration from {went['calibration']}"
    figure = loss_parts(title, shown, parts, [*longest.snapshots], curve, {run.history.epoch[-1]: "the run ends"})
    save_figure(figure, folder / "loss_parts.png")


def write(folder, results):
    write_json(folder / "evaluation.json", _finite(results))
    labels, truth = results["predictors"], results.get("truth", {})
    columns = [*labels["after"], *truth.get("after", ())]
    rows = [[name, *map((labels.get(name, {}) | truth.get(name, {})).get, columns)] for name in labels | truth]
    write_rows(folder / "evaluation.csv", ["predictor", *columns], rows)


def _finite(value):
    """value, and what is in it, with None for an infinite number: JSON has none."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value


if __name__ == "__main__":
    sys.exit(main())
