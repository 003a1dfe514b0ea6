"""The scripts as a user runs them: in a subprocess, from a folder of their own."""

import csv
import json
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from conftest import ROOT, call, run_script
from PIL import Image, ImageSequence
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss

from edge_demo.generator import PatchGenerator
from edge_demo.network import build_network
from edge_demo.patches import CLASS_NAMES, KIND_NAMES, load_dataset, write_csv
from edge_demo.runs import FILES, load_run

FIGURES = ["dataset", "pipeline", "softmax_steps", "logits_vs_probabilities", "example_patches"]
FIGURES += ["training_curves", "hidden_weights", "confusion", "temperature", "reliability", "probability_vs_truth"]


def predictions(folder):
    with open(folder / "predictions.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def columns(rows, prefix, names):
    return np.array([[float(row[f"{prefix}_{name}"]) for name in names] for row in rows])


@pytest.fixture
def small_data(tmp_path):
    """A dataset folder of few patches, without kinds or generator.json, as a user might bring it."""
    rng = np.random.default_rng(3)
    for name in ("train.csv", "test.csv"):
        patches = PatchGenerator().sample(60, rng)
        patches.kinds = None
        write_csv(tmp_path / name, patches)
    return tmp_path


@pytest.mark.parametrize("fixture", ["trained", "trained_kinds"])
def test_a_run_leaves_every_file_and_prints_its_path(fixture, request):
    folder, text = request.getfixturevalue(fixture)
    expected = {"before.npz", "after.npz", "snapshots.npz", "history.csv", "predictions.csv", "metrics.json"}
    expected |= {"test_patches.npz", "resume.npz", "resume.json", "explorer.html"}
    figures = FIGURES if fixture == "trained" else FIGURES[:-1]  # the last one is drawn for two classes
    expected |= {"generator.json", *(f"{i:02}_{name}.png" for i, name in enumerate(figures, start=1))}
    assert {path.name for path in folder.iterdir()} == expected
    assert expected <= {*FILES}  # of what the next run may replace
    assert fixture != "trained" or expected == {*FILES}
    for name in expected:
        assert re.search(rf"\b{re.escape(name)}$", text, re.MULTILINE), name
        if name.endswith(".png"):
            assert (folder / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("fixture", "names"), [("trained", CLASS_NAMES), ("trained_kinds", KIND_NAMES)])
def test_printed_numbers_are_those_of_the_saved_probabilities(fixture, names, request):
    folder, text = request.getfixturevalue(fixture)
    rows = predictions(folder)
    labels = np.array([names.index(row["label"]) for row in rows])
    test = load_dataset(ROOT / "data").test
    np.testing.assert_array_equal(labels, test.labels if names is CLASS_NAMES else test.kinds)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    losses, accuracies = [], []
    for stage in ("before", "after"):
        probabilities = columns(rows, f"{stage}_probability", names)
        logits = columns(rows, f"{stage}_logit", names)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        np.testing.assert_allclose(probabilities, exponentials / exponentials.sum(axis=1, keepdims=True), rtol=1e-12)
        losses.append(log_loss(labels, probabilities, labels=range(len(names))))
        accuracies.append(accuracy_score(labels, probabilities.argmax(axis=1)))
        assert metrics[stage]["test_loss"] == pytest.approx(losses[-1], rel=1e-9)
        assert metrics[stage]["test_accuracy"] == accuracies[-1]
    assert f"test cross-entropy{losses[0]:16.4f}{losses[1]:10.4f}" in text
    assert f"test accuracy{accuracies[0]:21.4f}{accuracies[1]:10.4f}" in text


def test_the_printed_scores_are_those_of_the_saved_predictions_and_of_the_exact_posterior(trained):
    folder, text = trained
    test, generator = load_dataset(ROOT / "data").test, load_dataset(ROOT / "data").generator
    after = columns(predictions(folder), "after_probability", CLASS_NAMES)
    exact = np.exp(generator.log_posterior(test.pixels))
    for name, p in (("network after", after), ("exact posterior", exact)):
        brier = brier_score_loss(test.labels, p[:, 1])
        expected = [accuracy_score(test.labels, p.argmax(axis=1)), log_loss(test.labels, p), brier]
        (line,) = re.findall(rf"^{name} +(\d.*)$", text, re.MULTILINE)
        assert line.split()[:3] == [f"{value:.4f}" for value in expected]
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["evaluation"]["predictors"]["network after"]["kl_divergence"] < 0.06
    assert metrics["evaluation"]["predictors"]["exact posterior"]["kl_divergence"] == 0


def test_the_table_shows_all_kinds_with_the_saved_logits(trained):
    folder, text = trained
    table = text[text.index("8 test patches") :].splitlines()[4:12]
    assert {line.split()[0] for line in table} == set(KIND_NAMES)
    rows = [
        (row["kind"], *(f"{float(row[f'after_logit_{name}']):.2f}" for name in CLASS_NAMES))
        for row in predictions(folder)
    ]
    for line in table:
        cells = line.replace("No Edge", "No_Edge").split()
        assert (cells[0], *cells[6:8]) in rows


def test_training_beats_chance_and_the_linear_network_does_not(trained, tmp_path):
    assert "is above guessing" in trained[1]
    linear = call("train.py", "--hidden", "0", "--no-figures", "--out", tmp_path / "run")
    assert "is no better than guessing" in linear.stdout
    assert "25-2: 52 parameters" in linear.stdout


def test_the_gradient_check_runs_before_training(trained):
    text = trained[1]
    assert text.index("check passed") < text.index("test patches:")


def test_another_seed_gives_another_run(trained, tmp_path):
    call("train.py", "--out", tmp_path / "other", "--seed", "1", "--epochs", "1", "--no-figures")
    assert (tmp_path / "other" / "before.npz").read_bytes() != (trained[0] / "before.npz").read_bytes()


@pytest.mark.parametrize("fixture", ["trained", "trained_kinds"])
def test_plot_logits_draws_the_same_bytes_without_training(fixture, request, tmp_path):
    folder, _ = request.getfixturevalue(fixture)
    for path in folder.iterdir():
        if path.suffix not in (".png", ".html"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    assert call("plot_logits.py", "--run", tmp_path).returncode == 0
    for path in (*folder.glob("*.png"), folder / "explorer.html"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_saved_run_is_the_network_that_was_measured(trained):
    run = load_run(trained[0])
    dataset = load_dataset(ROOT / "data")
    assert run.after.loss(dataset.train.pixels, dataset.train.labels) == run.history.train_loss[-1]
    assert run.before.loss(dataset.train.pixels, dataset.train.labels) == run.history.train_loss[0]


def test_quiet_prints_nothing_and_no_figures_draws_nothing(small_data, tmp_path):
    done = run_script(
        "train.py", "--data", small_data, "--quiet", "--no-figures", "--epochs", "1", "--out", tmp_path / "run"
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert not list((tmp_path / "run").glob("*.png"))
    assert not (tmp_path / "run" / "explorer.html").exists()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_own_data_without_kinds_works_with_each_optimizer(small_data, tmp_path, optimizer):
    flags = ["--epochs", "2", "--hidden", "4", "3", "--optimizer", optimizer]
    flags += ["--no-figures"] if optimizer == "adam" else []
    done = call("train.py", "--data", small_data, *flags, "--out", tmp_path / "run")
    assert "25-4-3-2" in done.stdout
    drawn = 0 if optimizer == "adam" else len(FIGURES) - 1  # none against a truth that is not known
    assert len(list((tmp_path / "run").glob("*.png"))) == drawn
    assert done.stdout.count("no generator.json") == 1
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert "kl_divergence" not in json.dumps(metrics)


def test_no_epochs_leaves_the_network_as_it_was(small_data, tmp_path):
    flags = ["--epochs", "0", "--no-figures"]
    assert call("train.py", "--data", small_data, *flags, "--out", tmp_path / "run").returncode == 0
    assert (tmp_path / "run" / "before.npz").read_bytes() == (tmp_path / "run" / "after.npz").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--hidden", "0", "8"], "--hidden"),
        (["--hidden", "-1"], "--hidden"),
        (["--epochs", "1.5"], "--epochs"),
        (["--lr", "nan"], "--lr"),
        (["--lr", "0"], "--lr"),
        (["--batch-size", "0"], "--batch-size"),
        (["--optimizer", "adagrad"], "--optimizer"),
        (["--data", "nowhere"], "nowhere"),
        (["--lr", "1e200"], "epoch 1, batch"),
    ],
)
def test_a_mistake_is_answered_in_one_line_with_exit_code_2(arguments, words, tmp_path):
    done = run_script("train.py", "--out", tmp_path / "run", *arguments, folder=tmp_path, check=False)
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_target_kind_needs_the_kind_column(small_data, tmp_path):
    done = run_script("train.py", "--data", small_data, "--target", "kind", "--out", tmp_path / "run", check=False)
    assert done.returncode == 2
    assert "kind column" in done.stderr


def test_plot_softmax_prints_the_numbers_of_the_lesson_and_draws_its_two_figures(tmp_path):
    text = run_script("plot_softmax.py", "--out", tmp_path).stdout
    for words in (
        "[2.5 0.5]",
        "[12.18 1.65]",
        "[0.88 0.12]",
        "Edge 88 %, No Edge 12 %",
        "[0.75 0.25]",
        "148 against 20",
    ):
        assert words in text
    assert "bare exp z / sum exp z [nan nan], softmax [0.88 0.12]" in text
    assert "fails" in text
    assert {path.name for path in tmp_path.iterdir()} == {"softmax_pipeline.png", "softmax_steps.png"}


def test_plot_softmax_takes_any_number_of_scores(tmp_path):
    text = run_script("plot_softmax.py", "--logits", "3.2", "1.3", "0.2", "--out", tmp_path).stdout
    assert "[0.83 0.12 0.04]" in text  # exp 24.53, 3.67 and 1.22 divided by 29.42
    text = run_script(
        "plot_softmax.py", "--logits", "1000", "998", "-7", "--temperature", "2", "--out", tmp_path
    ).stdout
    assert "nan" in text
    assert "[0.73 0.27 0.00]" in text  # 1 / (1 + 1/e)


def test_plot_softmax_wants_a_name_for_each_score(tmp_path):
    done = run_script("plot_softmax.py", "--labels", "a", "b", "c", "--out", tmp_path, check=False)
    assert done.returncode == 2
    assert "3 names for 2 logits" in done.stderr


def test_plot_logits_without_a_run_says_what_to_do(tmp_path):
    done = run_script("plot_logits.py", "--run", tmp_path, check=False)
    assert done.returncode == 2
    assert "train.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_saved_snapshots_lead_from_the_untrained_network_to_the_trained_one(trained, tmp_path):
    run = load_run(trained[0])
    steps, parameters = list(run.snapshots), list(run.snapshots.values())
    assert (steps[0], steps[-1]) == (0, 40 * 125)
    assert 15 <= len(steps) <= 20
    assert steps == sorted(steps)
    assert sum(step < 125 for step in steps) >= 5  # most changes in the first epoch
    np.testing.assert_array_equal(parameters[0], run.before.parameters)
    np.testing.assert_array_equal(parameters[-1], run.after.parameters)
    network = build_network(25, [16], 2, np.random.default_rng(0))
    network.parameters = run.snapshots[10 * 125]
    assert network.loss(run.test.pixels, run.test.labels) == run.history.test_loss[10]
    for path in trained[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    np.savez(tmp_path / "snapshots.npz", steps=np.array([0, 1]), parameters=np.zeros((2, 9)))
    with pytest.raises(ValueError, match=r"snapshots\.npz holds other parameters"):
        load_run(tmp_path)


def test_animate_makes_a_gif_of_ten_seconds_that_holds_its_last_picture(trained, tmp_path):
    folder, _ = trained
    done = run_script("animate.py", "--run", folder, "--out", tmp_path / "training.gif", folder=tmp_path)
    assert "training.gif" in done.stdout
    assert (tmp_path / "training.gif").stat().st_size < 2_000_000
    durations, pictures = [], []
    with Image.open(tmp_path / "training.gif") as animation:
        assert animation.info["loop"] == 0
        for frame in ImageSequence.Iterator(animation):
            durations.append(frame.info["duration"])
            pictures.append(np.asarray(frame.convert("L"), dtype=float))
    assert sum(durations) == 10_000
    assert durations[-1] >= 2000
    assert len(durations) > 50
    changes = [np.abs(a - b).mean() for a, b in pairwise(pictures)]
    assert np.median(changes) > 0
    assert np.abs(pictures[-1] - pictures[0]).mean() > 5 * np.median(changes)


def test_animate_without_a_run_says_what_to_do(trained, tmp_path):
    done = run_script("animate.py", "--run", tmp_path, check=False)
    assert done.returncode == 2
    assert "train.py" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_layer_that_the_explorer_does_not_know_costs_the_explorer_only(small_data, tmp_path):
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
import numpy as np
import edge_demo.network
class Softplus:
    def forward(self, inputs):
        self.inputs = inputs
        return np.logaddexp(0, inputs)
    def backward(self, grad_output):
        return grad_output / (1 + np.exp(-self.inputs))
edge_demo.network.ReLU = Softplus
sys.argv = ["train.py", "--epochs", "1", "--data", {str(small_data)!r}, "--out", {str(tmp_path / "run")!r}]
import train
train.main()
"""
    text = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "no explorer.html: the explorer knows no Softplus" in text
    assert (tmp_path / "run" / "07_hidden_weights.png").exists()
    assert not (tmp_path / "run" / "explorer.html").exists()
