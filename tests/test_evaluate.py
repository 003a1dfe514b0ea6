"""evaluate.py as a user runs it: on a default run, on seven kinds, on own data, sorted, few and moved."""

import csv
import json
import re

import numpy as np
import pytest
from conftest import call, listing
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import load_dataset, write_csv
from edge_demo.datasets.patches import Patches
from edge_demo.evaluation import guessers_interval, loss_parts
from edge_demo.figures.loss_parts import loss_parts as draw_parts
from edge_demo.figures.probability_vs_truth import probability_vs_truth
from edge_demo.figures.reliability import reliability
from edge_demo.figures.scaling import scaling
from edge_demo.figures.training_curves import training_curves
from edge_demo.runs.run import load_run

WITHOUT_TRUTH = {"evaluation.json", "evaluation.csv", "reliability.png", "confusion.png", "temperature.png"}
ALL = WITHOUT_TRUTH | {"loss_parts.png", "probability_vs_truth.png"}

# scikit-learn 1.6 passes SciPy an option that newer SciPy deprecates
pytestmark = pytest.mark.filterwarnings("ignore:.*L-BFGS-B solver are deprecated:DeprecationWarning")


def done(name, *arguments):
    """The printed text of a script that must succeed."""
    result = call(name, *arguments)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def read(folder):
    return json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))


def write_data(folder, train, test):
    folder.mkdir()
    write_csv(folder / "train.csv", train)
    write_csv(folder / "test.csv", test)
    return folder


def evaluate_own(folder, train, test, epochs, longer=1):
    """(results, printed text) of own data, trained on and evaluated."""
    data = write_data(folder / "data", train, test)
    done("train.py", "--data", data, "--epochs", epochs, "--no-figures", "--out", folder / "run")
    text = done("evaluate.py", "--run", folder / "run", "--longer", longer, "--out", folder / "evaluation")
    return read(folder / "evaluation"), text


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a short run on the default data."""
    folder = tmp_path_factory.mktemp("run") / "run"
    done("train.py", "--epochs", 4, "--no-figures", "--out", folder)
    return folder


@pytest.fixture(scope="module")
def diagrams():
    """The panels of the reliability diagram that the evaluation draws."""
    return []


@pytest.fixture(scope="module")
def evaluated(run, diagrams, tmp_path_factory):
    """(folder, results, printed text) of its evaluation."""
    folder = tmp_path_factory.mktemp("evaluated") / "evaluation"

    def kept(panels, name):
        diagrams.extend(panels)
        return reliability(panels, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evaluate.reliability", kept)
        text = done("evaluate.py", "--run", run, "--longer", 3, "--out", folder)
    return folder, read(folder), text


def test_a_run_with_a_known_truth_gives_the_table_and_all_figures(evaluated):
    folder, results, text = evaluated
    assert {path.name for path in folder.iterdir()} == ALL
    names = ["guessing", "before", "linear", "scikit-learn MLP", "after", "3 × as long", "exact posterior"]
    assert list(results["predictors"]) == names
    for name, row in results["predictors"].items():
        values = [row[key] for key in ("accuracy", "cross_entropy", "brier_score", "calibration_error")]
        assert f"\n{name:24}" + "".join(f"{value:10.4f}" for value in values) in text


def test_the_scores_are_those_of_the_saved_networks_and_of_scikit_learn(run, evaluated):
    results, saved = evaluated[1]["predictors"], load_run(run)
    test, train = saved.test, load_dataset(saved.settings["data"]["source"]).train
    predictions = {stage: saved.probabilities[stage] for stage in ("before", "after")}
    linear = LogisticRegression(max_iter=1000).fit(train.pixels, train.labels)
    predictions["linear"] = linear.predict_proba(test.pixels)
    predictions["guessing"] = np.tile(np.bincount(train.labels) / len(train), (len(test), 1))
    for name, p in predictions.items():
        assert results[name]["accuracy"] == pytest.approx(accuracy_score(test.labels, p.argmax(axis=1)))
        assert results[name]["cross_entropy"] == pytest.approx(log_loss(test.labels, p), rel=1e-9)


def test_the_longer_training_is_what_train_py_would_have_done(run, evaluated, tmp_path):
    done("train.py", "--epochs", 12, "--no-figures", "--out", tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    found = evaluated[1]["predictors"]["3 × as long"]
    assert found["cross_entropy"] == pytest.approx(metrics["after"]["test_loss"], rel=1e-12)
    assert found["accuracy"] == metrics["after"]["test_accuracy"]


def test_the_parts_of_each_predictor_are_its_loss_and_its_temperature_leaves_the_grouping(evaluated):
    truth = evaluated[1]["truth"]
    for row in truth.values():
        assert row["grouping"] + row["calibration"] == pytest.approx(row["kl_divergence"], abs=1e-12)
        assert row["bayes"] == truth["exact posterior"]["bayes"]
    exact, after, guessing = truth["exact posterior"], truth["after"], truth["guessing"]
    assert exact["mean_absolute_error"] == exact["ambiguous_error"] == exact["kl_divergence"] == 0
    assert 0 < after["grouping"] < guessing["grouping"]
    assert guessing["grouping"] == pytest.approx(np.log(2) - guessing["bayes"], abs=0.01)
    (cooled,) = [name for name in truth if name.startswith("after, T")]
    assert truth[cooled]["grouping"] == pytest.approx(after["grouping"], abs=1e-12)


def test_the_csv_file_holds_the_table_of_all_predictors(evaluated):
    folder, results, _ = evaluated
    with open(folder / "evaluation.csv", encoding="utf-8", newline="") as file:
        rows = {row.pop("predictor"): row for row in csv.DictReader(file)}
    assert list(rows) == list(results["truth"])
    for name, row in rows.items():
        expected = results["predictors"].get(name, {}) | results["truth"][name]
        assert {key: float(value) for key, value in row.items() if value} == expected


def test_a_verdict_is_said_of_every_part(evaluated):
    _, results, text = evaluated
    before, after = results["truth"]["before"], results["truth"]["after"]
    assert "the network is right more often than guessing: accuracy +" in text
    assert "its hidden layer is needed, a linear model does worse" in text
    assert f"nobody can know: {after['bayes']:.3f} nats" in text
    assert f"not told apart: grouping went from {before['grouping']:.3f} to {after['grouping']:.3f} nats" in text
    assert f"said wrongly: calibration went from {before['calibration']:.3f} to {after['calibration']:.3f}" in text
    assert f"On ambiguous patches p is off by {after['ambiguous_error']:.3f} on average" in text


def test_of_seven_kinds_the_floor_and_what_is_above_it_are_told(tmp_path):
    done("train.py", "--target", "kind", "--epochs", 2, "--no-figures", "--out", tmp_path / "run")
    text = done("evaluate.py", "--run", tmp_path / "run", "--longer", 2, "--out", tmp_path / "evaluation")
    results = read(tmp_path / "evaluation")
    assert results["truth"]["after"]["grouping"] is None
    assert results["truth"]["after"]["kl_divergence"] > 0
    assert "grouping" not in text
    assert "the loss above the floor went from" in text
    assert {path.name for path in (tmp_path / "evaluation").iterdir()} == WITHOUT_TRUTH


def test_own_data_are_evaluated_without_the_truth_which_is_said(few, tmp_path):
    data = load_dataset(few)
    results, text = evaluate_own(tmp_path, data.train, data.test, epochs=3, longer=2)
    assert "truth" not in results
    assert "\nno generator.json beside the data: what needs the true probabilities is left out\n" in text
    assert {path.name for path in (tmp_path / "evaluation").iterdir()} == WITHOUT_TRUTH


@pytest.mark.parametrize("flags", [["--hidden", "0", "--epochs", "1"], ["--epochs", "0"]])
def test_a_run_without_a_hidden_layer_or_without_training_is_evaluated_too(tmp_path, flags):
    done("train.py", *flags, "--no-figures", "--out", tmp_path / "run")
    done("evaluate.py", "--run", tmp_path / "run", "--longer", 2, "--out", tmp_path / "evaluation")
    assert {path.name for path in (tmp_path / "evaluation").iterdir()} == ALL


def unequal(n, share, seed):
    """So many patches, sorted by class, of which a share is Edge."""
    patches = PatchGenerator().sample(20 * n, np.random.default_rng(seed))
    edges = round(share * n)
    rows = [np.flatnonzero(patches.labels == k)[:size] for k, size in enumerate((edges, n - edges))]
    return patches[np.concatenate(rows)]


def test_of_a_test_file_sorted_by_class_the_temperature_sees_both_classes(tmp_path):
    results, _ = evaluate_own(tmp_path, unequal(600, 0.5, 0), unequal(401, 0.5, 1), epochs=8)
    found = results["temperatures"]["after"]
    assert (found["fitted_on"], found["measured_on"]) == (201, 200)
    assert 0.3 < found["temperature"] < 3
    assert found["without"]["accuracy"] == pytest.approx(results["predictors"]["after"]["accuracy"], abs=0.1)


def test_the_reliability_is_shown_on_the_half_that_fitted_no_temperature(evaluated, diagrams):
    found = evaluated[1]["temperatures"]["after"]
    names = ["before", "after", f"after, T = {found['temperature']:.2f}", "exact posterior"]
    assert [name for name, *_ in diagrams] == names
    for _, p, (mean, share, counts) in diagrams:
        assert len(p) == counts.sum() == found["measured_on"] == 1000
        assert counts @ mean == pytest.approx(p.sum())
        assert counts @ share == pytest.approx(diagrams[0][2][1] @ diagrams[0][2][2])  # how many of them are Edge


def test_where_nine_of_ten_are_of_one_class_guessing_is_naming_it(tmp_path):
    results, text = evaluate_own(tmp_path, unequal(300, 0.9, 0), unequal(100, 0.9, 1), epochs=1)
    assert results["predictors"]["guessing"]["accuracy"] == 0.9
    shares = np.array([0.9, 0.1])
    assert results["predictors"]["guessing"]["cross_entropy"] == pytest.approx(-(shares * np.log(shares)).sum())
    assert "guessing: always Edge, the most frequent class in training" in text
    low, high = guessers_interval(0.9, 100)
    assert f"from {low:.3f} to {high:.3f}" in text
    assert "the network is not clearly better than guessing" in text


@pytest.mark.parametrize("n", [2, 20])
def test_up_to_20_test_patches_are_said_to_be_too_few(tmp_path, n):
    results, text = evaluate_own(tmp_path, unequal(60, 0.5, 0), unequal(n, 0.5, 1), epochs=1)
    assert results["temperatures"] == results["differences"] == {}
    assert f"{n} test patches are too few" in text


def test_patches_that_are_all_classified_right_have_no_temperature_which_is_said(tmp_path):
    labels = np.arange(60) % 2
    bright = Patches(np.where(labels, 0.9, 0.1)[:, None].repeat(9, axis=1), labels)
    results, text = evaluate_own(tmp_path, bright, bright, epochs=30)
    assert results["predictors"]["after"]["accuracy"] == 1
    assert results["temperatures"]["after"]["temperature"] is None
    assert "every patch is classified right" in text


def test_a_class_that_training_never_showed_is_an_infinite_loss_of_the_guesser_and_none_in_json(tmp_path):
    generator, rng = PatchGenerator(), np.random.default_rng(0)
    train, test = generator.sample(200, rng), generator.sample(100, rng)
    data = write_data(tmp_path / "data", train[train.kinds != 5], test)
    done("train.py", "--data", data, "--target", "kind", "--epochs", 1, "--no-figures", "--out", tmp_path / "run")
    text = done("evaluate.py", "--run", tmp_path / "run", "--longer", 1, "--out", tmp_path / "evaluation")
    results = read(tmp_path / "evaluation")
    assert results["predictors"]["guessing"]["cross_entropy"] is None
    assert re.search(r"\nguessing +\d\.\d+ +inf ", text)


def test_data_that_have_moved_are_named_and_those_that_changed_are_refused(few, tmp_path):
    data = load_dataset(few)
    former, moved = write_data(tmp_path / "former", data.train, data.test), tmp_path / "moved"
    done("train.py", "--data", former, "--epochs", 1, "--no-figures", "--out", tmp_path / "run")
    former.rename(moved)
    flags = ("--run", tmp_path / "run", "--longer", 1, "--out", tmp_path / "evaluation")
    gone = call("evaluate.py", *flags)
    assert gone.returncode == 2
    assert "former" in gone.stderr
    done("evaluate.py", *flags, "--data", moved)

    write_csv(moved / "train.csv", data.train[1:])
    before = listing(tmp_path / "evaluation")
    changed = call("evaluate.py", *flags, "--data", moved)
    assert (changed.returncode, changed.stdout, len(changed.stderr.splitlines())) == (2, "", 1)
    assert "holds other data" in changed.stderr
    assert listing(tmp_path / "evaluation") == before


@pytest.mark.parametrize("flags", [["--run", "nowhere"], ["--longer", "0"], ["--out", "full"]])
def test_a_mistake_is_one_line_and_nothing_is_written(run, tmp_path, monkeypatch, flags):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine", encoding="utf-8")
    before = listing(tmp_path)
    result = call("evaluate.py", "--run", run, "--out", tmp_path / "new", *flags)
    assert (result.returncode, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert listing(tmp_path) == before


# ------------------------------------------------------------------------------------------------------- figures


def test_the_bars_of_the_loss_are_as_long_as_its_parts_and_the_areas_as_high():
    parts = [(0.2, 0.4, 0.1), (0.2, 0.1, 0.0)]
    figure = draw_parts(
        "title", ["before", "after"], parts, [0, 1, 10], [*parts, (0.2, 0.1, 0.05)], {1: "the run ends"}
    )
    bars, area = figure.axes
    widths = np.array([[bar.get_width() for bar in container] for container in bars.containers]).T
    np.testing.assert_allclose(widths, parts)
    assert "0.200 + 0.400 + 0.100 = 0.700" in [text.get_text() for text in bars.texts]
    np.testing.assert_allclose(area.lines[0].get_ydata(), [0.7, 0.3, 0.35])


def test_the_titles_of_learned_and_exact_p_are_computed():
    rng = np.random.default_rng(0)
    truth = rng.beta(0.3, 0.3, 5000)
    p = np.clip(truth + rng.normal(0, 0.1, 5000), 0.001, 0.999)
    log_p, log_truth = np.log([p, 1 - p]).T, np.log([truth, 1 - truth]).T
    parts = loss_parts(log_p, log_truth)
    figure = probability_vs_truth(log_p, log_truth, "Edge")
    ambiguous = (truth > 0.05) & (truth < 0.95)
    assert f"{np.abs(p - truth)[ambiguous].mean():.3f} apart on ambiguous patches" in figure.get_suptitle()
    left, right = (axes.get_title() for axes in figure.axes[:2])
    assert f"{100 * ambiguous.mean():.0f} % of the patches are ambiguous" in left
    assert f"calibration, {parts.calibration:.3f} nats" in right
    assert f"grouping, {parts.grouping:.3f} nats" in right


def test_a_figure_of_the_study_shows_means_of_grouping_beside_those_of_calibration():
    values = np.random.default_rng(0).uniform(0.01, 0.5, (2, 3, 2, 4))
    figure = scaling([500, 2000, 8000], [4, 16], *values)
    for axes, part in zip(figure.axes[:2], values, strict=True):
        for k, line in enumerate(axes.lines):
            np.testing.assert_allclose(line.get_ydata(), part[:, k].mean(axis=1))


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((50, 50), ["ln 2 = 0.693: the loss of 50 : 50", "chance: 1/2"]),
        ((90, 10), ["guessing 0.33: class shares", "guessing 0.880: most frequent class"]),
    ],
)
def test_curves_are_held_against_chance_where_classes_are_balanced_and_else_against_guessing(counts, words):
    figure = training_curves([0, 1], [0.7, 0.4], [0.5, 0.9], [0.7, 0.5], [0.5, 0.88], counts, 0.33, 0.88)
    shown = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert [text for text in shown if "chance" in text or "guessing" in text or "ln 2" in text] == words


def test_the_gap_of_a_reliability_diagram_is_the_weighted_one():
    mean, share, counts = np.array([0.2, 0.9]), np.array([0.3, 0.7]), np.array([30, 10])
    figure = reliability([("after", np.repeat(mean, counts), (mean, share, counts))], "Edge")
    assert figure.axes[0].get_title() == f"after: mean gap {(30 * 0.1 + 10 * 0.2) / 40:.3f}"
