"""evaluate.py as a user runs it: on a default run, on seven kinds, on own data, few of them, and moved."""

import csv
import json

import numpy as np
import pytest
from conftest import call, listing
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss

from edge_demo.datasets import load_dataset, write_csv
from edge_demo.datasets.generator import PatchGenerator
from edge_demo.evaluation import loss_parts
from edge_demo.figures.loss_parts import loss_parts as draw_parts
from edge_demo.figures.probability_vs_truth import probability_vs_truth
from edge_demo.runs import load_run

WITHOUT_TRUTH = {"evaluation.json", "evaluation.csv", "reliability.png", "confusion.png", "temperature.png"}
ALL = WITHOUT_TRUTH | {"loss_parts.png", "probability_vs_truth.png"}

# scikit-learn 1.6 passes SciPy an option that newer SciPy deprecates
pytestmark = pytest.mark.filterwarnings("ignore:.*L-BFGS-B solver are deprecated:DeprecationWarning")


def done(name, *arguments):
    """The printed text of a script that must succeed."""
    result = call(name, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def evaluated(run, out, *flags):
    """(results, printed text) of an evaluation of the run in a folder, into the folder out."""
    text = done("evaluate.py", "--run", run, "--out", out, *flags)
    return json.loads((out / "evaluation.json").read_text(encoding="utf-8")), text


def evaluate_own(folder, train, test, *flags):
    """(results, printed text) of own data, trained on and evaluated."""
    for name, patches in (("train.csv", train), ("test.csv", test)):
        write_csv(folder / name, patches)
    done("train.py", "--data", folder, *flags, "--no-figures", "--out", folder / "run")
    return evaluated(folder / "run", folder / "evaluation", "--longer", 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a short run on the default data."""
    folder = tmp_path_factory.mktemp("run") / "run"
    done("train.py", "--epochs", 4, "--no-figures", "--out", folder)
    return folder


@pytest.fixture(scope="module")
def found(run, tmp_path_factory):
    """(folder, results, printed text) of its evaluation, with all details."""
    folder = tmp_path_factory.mktemp("evaluated") / "evaluation"
    return folder, *evaluated(run, folder, "--longer", 3, "--details")


def test_the_scores_are_those_of_the_saved_networks_and_of_scikit_learn(run, found):
    folder, results, text = found
    names = ["guessing", "before", "linear", "scikit-learn MLP", "after", "3 × as long", "exact posterior"]
    assert list(results["predictors"]) == names
    assert {path.name for path in folder.iterdir()} == ALL
    saved = load_run(run)
    test, train = saved.test, load_dataset(saved.settings["data"]["source"]).train
    predictions = dict(saved.probabilities)
    linear = LogisticRegression(max_iter=1000).fit(train.pixels, train.labels)
    predictions["linear"] = linear.predict_proba(test.pixels)
    predictions["guessing"] = np.tile(np.bincount(train.labels) / len(train), (len(test), 1))
    for name, p in predictions.items():
        row = results["predictors"][name]
        assert row["accuracy"] == pytest.approx(accuracy_score(test.labels, p.argmax(axis=1)))
        assert row["cross_entropy"] == pytest.approx(log_loss(test.labels, p), rel=1e-9)
        assert f"\n{name:16}  {row['accuracy']:8.4f}  {row['cross_entropy']:14.4f}  " in text


def test_the_longer_training_is_what_train_py_would_have_done(found, tmp_path):
    done("train.py", "--epochs", 12, "--no-figures", "--out", tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert found[1]["predictors"]["3 × as long"]["cross_entropy"] == pytest.approx(metrics["after"]["test_loss"])


def test_the_parts_are_above_the_one_floor_of_the_generator_and_none_of_them_the_exact_posteriors(run, found):
    truth, floor = found[1]["truth"], load_run(run).generator.bayes_loss
    for row in truth.values():
        assert row["grouping"] + row["calibration"] == pytest.approx(row["kl_divergence"], abs=1e-12)
        assert row["bayes"] == floor
    exact = truth["exact posterior"]
    assert exact["grouping"] == exact["calibration"] == exact["mean_absolute_error"] == 0
    (cooled,) = [name for name in truth if name.startswith("after, T")]
    assert truth[cooled]["grouping"] == pytest.approx(truth["after"]["grouping"], abs=1e-12)


def test_the_csv_file_holds_the_scores_of_all_predictors(found):
    folder, results, _ = found
    with open(folder / "evaluation.csv", encoding="utf-8", newline="") as file:
        rows = {row.pop("predictor"): row for row in csv.DictReader(file)}
    assert rows.keys() == results["truth"].keys()
    for name, row in rows.items():
        expected = results["predictors"].get(name, {}) | results["truth"][name]
        assert {key: float(value) for key, value in row.items() if value} == expected


def test_a_sentence_is_said_of_every_part_and_a_line_of_every_kind(run, found):
    _, results, text = found
    before, after = results["truth"]["before"], results["truth"]["after"]
    assert "better than guessing? yes" in text
    assert "without a hidden layer? yes" in text
    assert f"nobody know? {after['bayes']:.3f} nats" in text
    assert f"grouping went from {before['grouping']:.3f} to {after['grouping']:.3f}" in text
    assert f"calibration loss went from {before['calibration']:.3f} to {after['calibration']:.3f}" in text
    assert f"p is off by {after['ambiguous_error']:.3f} on average" in text
    for name, row in results["kinds"].items():
        cells = (row[who][score] for who in ("after", "exact posterior") for score in ("accuracy", "cross_entropy"))
        assert f"{name} {row['patches']:,} " + " ".join(f"{cell:.3f}" for cell in cells) in " ".join(text.split())


def test_of_seven_kinds_the_floor_and_what_is_above_it_are_told(tmp_path):
    done("train.py", "--target", "kind", "--epochs", 2, "--no-figures", "--out", tmp_path / "run")
    results, text = evaluated(tmp_path / "run", tmp_path / "evaluation", "--longer", 2)
    assert results["truth"]["after"]["grouping"] is None
    assert results["truth"]["after"]["kl_divergence"] > 0
    assert "what is above the floor went" in text
    assert "grouping" not in text
    floor = results["truth"]["after"]["bayes"]
    assert floor > 1.5 * load_run(tmp_path / "run").generator.bayes_loss  # that is of Edge and No Edge
    assert {path.name for path in (tmp_path / "evaluation").iterdir()} == WITHOUT_TRUTH


def test_a_run_without_a_hidden_layer_and_without_training_is_evaluated_too(tmp_path):
    done("train.py", "--hidden", "0", "--epochs", "0", "--no-figures", "--out", tmp_path / "run")
    evaluated(tmp_path / "run", tmp_path / "evaluation", "--longer", 2)
    assert {path.name for path in (tmp_path / "evaluation").iterdir()} == ALL


def unequal(n, share, seed):
    """So many patches, sorted by class, of which a share is Edge."""
    patches = PatchGenerator().sample(20 * n, np.random.default_rng(seed))
    edges = round(share * n)
    rows = [np.flatnonzero(patches.labels == k)[:size] for k, size in enumerate((edges, n - edges))]
    return patches[np.concatenate(rows)]


def test_where_nine_of_ten_are_of_one_class_guessing_is_naming_it(tmp_path):
    results, text = evaluate_own(tmp_path, unequal(300, 0.9, 0), unequal(100, 0.9, 1), "--epochs", 1)
    assert results["predictors"]["guessing"]["accuracy"] == 0.9
    assert "better than guessing? not clearly" in text
    assert "always naming Edge" in text
    assert "no generator.json beside the data" in text
    assert {path.name for path in (tmp_path / "evaluation").iterdir()} == WITHOUT_TRUTH


def test_up_to_20_test_patches_are_said_to_be_too_few(tmp_path):
    results, text = evaluate_own(tmp_path, unequal(60, 0.5, 0), unequal(20, 0.5, 1), "--epochs", 1)
    assert results["temperatures"] == results["differences"] == {}
    assert "20 test patches are too few" in text


def test_data_that_have_moved_are_named_and_those_that_changed_are_refused(few, tmp_path):
    data = load_dataset(few)
    evaluate_own(tmp_path, data.train, data.test, "--epochs", 1)
    moved, before = tmp_path / "moved.csv", listing(tmp_path / "evaluation")
    (tmp_path / "train.csv").rename(moved)
    flags = ("--run", tmp_path / "run", "--longer", 1, "--out", tmp_path / "evaluation")
    for more, words in (([], "train.csv"), (["--data", moved], "other data")):
        result = call("evaluate.py", *flags, *more)
        assert (result.returncode, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
        assert words in result.stderr
        assert listing(tmp_path / "evaluation") == before


# ------------------------------------------------------------------------------------------------------- figures


def test_the_bars_of_the_loss_are_as_long_as_its_parts_and_the_areas_as_high():
    parts = [(0.2, 0.4, 0.1), (0.2, 0.1, 0.0)]
    curve = [*parts, (0.2, 0.1, 0.05)]
    figure = draw_parts("title", ["before", "after"], parts, [0, 1, 10], curve, {1: "the run ends"})
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
    parts, figure = loss_parts(log_p, log_truth), probability_vs_truth(log_p, log_truth, "Edge")
    ambiguous = (truth > 0.05) & (truth < 0.95)
    assert f"{np.abs(p - truth)[ambiguous].mean():.3f} apart on ambiguous patches" in figure.get_suptitle()
    right = figure.axes[1].get_title()
    assert f"calibration, {parts.calibration:.3f} nats" in right
    assert f"grouping, {parts.grouping:.3f} nats" in right
