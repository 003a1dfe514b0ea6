"""The study of overconfidence as a user runs it, and its two figures."""

import re

import numpy as np
import pytest
from conftest import ROOT, call, run_script
from matplotlib.text import Text
from sklearn.metrics import accuracy_score, log_loss

from edge_demo.figures.overconfidence import overconfidence
from edge_demo.figures.style import number, percent
from edge_demo.figures.surprises import SENTENCES, surprises
from edge_demo.generator import PatchGenerator
from edge_demo.network import build_network
from edge_demo.optimizers import SGD
from edge_demo.patches import CLASS_NAMES, load_dataset
from edge_demo.runs import load_run
from edge_demo.training import train

SCRIPT, FIGURES = "study_overconfidence.py", {"overconfidence.png", "surprises.png"}
SMALL = {"train": 120, "noise": 0.2, "epochs": 80, "hidden": 8, "seed": 3}
SURPRISES = ("a test patch, Edge", "checkerboard", "all white", "pure noise", "edge, contrast −5", "edge × 10")


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    """(folder, printed text) of one run without flags."""
    folder = tmp_path_factory.mktemp("overconfidence")
    return folder, call(SCRIPT, "--out", folder).stdout


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """(folder, printed text) of one short run."""
    folder = tmp_path_factory.mktemp("small") / "new"
    return folder, call(SCRIPT, *small_flags(), "--out", folder).stdout


def small_flags():
    return [word for name, value in SMALL.items() for word in (f"--{name}", value)]


def numbers(text, name):
    """The numbers of the line that begins with name."""
    line = next(line for line in text.splitlines() if line.startswith(name))
    return [float(word) for word in re.findall(r"-?\d+(?:\.\d+)?", line.removeprefix(name).replace(",", ""))]


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def calibration_error(probabilities, labels):
    """Mean |confidence - accuracy| over 15 bins of as many patches as possible, weighted by their patches."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.array_split(np.argsort(confidence, kind="stable"), 15)
    return sum(len(part) * abs(confidence[part].mean() - right[part].mean()) for part in bins) / len(labels)


@pytest.mark.parametrize("fixture", ["default", "small"])
def test_it_writes_both_figures_and_prints_their_paths(fixture, request):
    folder, text = request.getfixturevalue(fixture)
    assert {path.name for path in folder.iterdir()} == FIGURES
    for name in FIGURES:
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
        assert re.search(rf"^written: .*{re.escape(name)}$", text, re.MULTILINE)


def test_at_the_defaults_the_loss_rises_the_accuracy_hardly_moves_and_one_temperature_mends_most(default):
    text = default[1]
    low_epoch, _, low_loss, low_accuracy = numbers(text, "lowest test loss")
    last_epoch, train_loss, last_loss, last_accuracy = numbers(text, "end of training")
    assert low_epoch < last_epoch / 4
    assert last_loss > 1.5 * low_loss
    assert last_loss > np.log(2) > low_loss  # in the end worse than not knowing
    assert abs(last_accuracy - low_accuracy) < 0.05
    assert train_loss < 0.02
    assert numbers(text, "temperature T =")[0] > 1.5

    before, after, exact = (numbers(text, name) for name in ("softmax(z) ", "softmax(z / T)", "exact posterior "))
    assert before[1] > before[0] + 0.1  # confidence far above accuracy
    assert after[0] == before[0]  # one temperature moves no decision
    assert exact[2] < after[2] < before[2]
    assert after[3] < before[3] / 2
    assert before[6] > 5 > exact[6]  # % wrong among those with p > 0.99


def test_printed_numbers_are_those_of_a_training_repeated_here(small):
    text, rng = small[1], np.random.default_rng(SMALL["seed"])
    generator = PatchGenerator(SMALL["noise"])
    few, held_out, test = (generator.sample(n, rng) for n in (SMALL["train"], 2000, 2000))
    network = build_network(25, [SMALL["hidden"]], 2, rng)
    history = train(
        network, few, epochs=SMALL["epochs"], batch_size=32, optimizer=SGD(0.3), rng=rng, test=test, progress=False
    )
    low = int(np.argmin(history.test_loss))
    for name, epoch in (("lowest test loss", low), ("end of training", SMALL["epochs"])):
        values = (history.train_loss[epoch], history.test_loss[epoch], history.test_accuracy[epoch])
        assert numbers(text, name) == [epoch, *(float(f"{value:.4f}") for value in values)]

    temperature = numbers(text, "temperature T =")[0]
    z = network.logits(held_out.pixels)
    least, *others = (log_loss(held_out.labels, softmax(z / (t * temperature))) for t in (1, 0.9, 0.98, 1.02, 1.1))
    assert least < min(others)

    z = network.logits(test.pixels)
    predictions = {"softmax(z) ": softmax(z), "softmax(z / T)": softmax(z / temperature)}
    predictions["exact posterior "] = np.exp(generator.log_posterior(test.pixels))
    for name, p in predictions.items():
        confidence, predicted = p.max(axis=1), p.argmax(axis=1)
        expected = [accuracy_score(test.labels, predicted), confidence.mean(), log_loss(test.labels, p)]
        expected += [calibration_error(p, test.labels)]
        sure = confidence > 0.99
        counts = [sure.sum(), (predicted != test.labels)[sure].sum()]
        found = numbers(text, name)
        np.testing.assert_allclose(found[:4], expected, atol=3e-4)  # T is printed with three decimals
        assert abs(found[4] - counts[0]) <= 2
        assert abs(found[5] - counts[1]) <= 2


def test_the_surprises_are_shown_to_the_network_that_train_py_saves(default, trained):
    text, network, dataset = default[1], load_run(trained[0]).after, load_dataset(ROOT / "data")
    row, column = np.indices((5, 5)).reshape(2, -1)
    pixels = {
        "checkerboard": (row + column) % 2,
        "all white": np.ones(25),
        "edge, contrast −5": np.where(column >= 2, -2.0, 3.0),
        "edge × 10": np.where(column >= 2, 7.5, 2.5),
    }
    usual = [np.linalg.norm(dataset.train.pixels - patch, axis=1).min() for patch in dataset.test.pixels]
    for name, patch in pixels.items():
        z = network.logits(patch[None])
        p, exact = softmax(z)[0], np.exp(dataset.generator.log_posterior(patch[None]))[0]
        distance = np.linalg.norm(dataset.train.pixels - patch, axis=1).min()
        assert distance > max(usual)
        cells = [f"{value:.2f}" for value in z[0]] + [percent(value) for value in (*p, *exact)]
        line = next(line for line in text.splitlines() if line.startswith(name))
        assert line.removeprefix(name).split() == " ".join([*cells, f"{distance / np.median(usual):.1f}"]).split()
    assert f"of which the farthest has {max(usual) / np.median(usual):.1f}" in text


@pytest.mark.parametrize("fixture", ["default", "small"])
def test_the_report_says_why_softmax_cannot_say_none_of_these(fixture, request):
    text = request.getfixturevalue(fixture)[1]
    for line in (*SURPRISES, *SENTENCES):
        assert f"\n{line}" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--train", "0"], "--train"),
        (["--noise", "0"], "--noise"),
        (["--noise", "nan"], "--noise"),
        (["--epochs", "0"], "--epochs"),
        (["--hidden", "2.5"], "--hidden"),
        (["--lr", "-1"], "--lr"),
        (["--seed", "-1"], "--seed"),
        (["--lr", "1e200"], "epoch 1, batch"),
    ],
)
def test_a_mistake_is_answered_in_one_line_with_exit_code_2(arguments, words, tmp_path):
    done = run_script(SCRIPT, "--out", tmp_path / "new", *arguments, check=False)
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "new").exists()


def overconfidence_figure(test_loss):
    rng, steps = np.random.default_rng(0), len(test_loss)
    logits = rng.normal(0, 6, (300, 2))
    return overconfidence(
        epoch=list(range(steps)),
        train_loss=np.geomspace(0.7, 0.01, steps).tolist(),
        train_accuracy=np.linspace(0.5, 1, steps).tolist(),
        test_loss=test_loss,
        test_accuracy=np.linspace(0.5, 0.8, steps).tolist(),
        logits=logits,
        labels=rng.integers(2, size=300),
        temperature=4.0,
        class_names=CLASS_NAMES,
        bayes_loss=0.2,
        bayes_accuracy=0.9,
        noise_floor=0.02,
    )


def surprises_figure(scale, farthest):
    rng = np.random.default_rng(0)
    logits = scale * np.array([[1.0, -1.0], [-1.0, 1.0], [0.1, 0.0]])
    exact = np.array([[0.5, 0.5], [0.9, 0.1], [0.0, 1.0]])
    return surprises(["a", "b", "c"], rng.random((3, 25)), logits, exact, [3.0, 4.0, 0.5], 0.5, farthest, CLASS_NAMES)


def title(figure):
    return figure.get_suptitle()


def test_the_title_says_that_the_loss_rises_only_where_it_does():
    assert "grows from 0.4 to 0.9" in title(overconfidence_figure([0.7, 0.4, 0.6, 0.9]))
    for falling in ([0.7, 0.5, 0.41, 0.4], [0.7, 0.5, 0.4, 0.41], [0.7, 0.7]):
        words = title(overconfidence_figure(falling))
        assert "grows" not in words
        assert number(falling[-1]) in words


def test_the_title_counts_the_sure_answers_about_patches_that_are_far_away():
    assert "sure of 2 of 2 patches" in title(surprises_figure(5, farthest=1.0))
    assert "sure of 1 of 1 patches" in title(surprises_figure(5, farthest=3.5))
    assert "sure of 0 of 2 patches" in title(surprises_figure(0.5, farthest=1.0))


@pytest.mark.parametrize("figure", [overconfidence_figure([0.7, 0.4, 0.6, 0.9]), surprises_figure(5, 1.0)])
def test_the_figures_keep_to_the_style(figure):
    assert figure.get_size_inches()[0] == 9
    assert figure.dpi == 100
    assert len(figure.axes) <= 4
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 9
    width, height = figure.get_size_inches()
    drawn = figure.get_tightbbox()  # in inches, of all that is drawn
    assert min(drawn.x0, drawn.y0, width - drawn.x1, height - drawn.y1) >= 0


def test_the_sentence_stands_on_the_figure_of_surprises():
    shown = [text.get_text() for text in surprises_figure(5, 1.0).findobj(Text)]
    assert "\n".join(SENTENCES) in shown
