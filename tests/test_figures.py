"""One law for all figures: a title of one sentence, nothing cut or covered, p from 0 to 1."""

import itertools
import os
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from conftest import ROOT
from explorer_runs import generated, make_run, own_patches
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from edge_demo.evaluation import loss_parts as parts_of
from edge_demo.evaluation import reliability_points
from edge_demo.figures.account import account
from edge_demo.figures.animation import animation, photograph_animation
from edge_demo.figures.certainty import certainty
from edge_demo.figures.comparison import curves, differences
from edge_demo.figures.confusion import confusion
from edge_demo.figures.dataset import dataset
from edge_demo.figures.example_patches import example_patches
from edge_demo.figures.hidden_weights import hidden_weights
from edge_demo.figures.inside import inside
from edge_demo.figures.logits_vs_probabilities import logits_vs_probabilities
from edge_demo.figures.loss_parts import loss_parts
from edge_demo.figures.of_run import FIGURES, hidden_activations, save_figures
from edge_demo.figures.photograph import photograph, photograph_kinds
from edge_demo.figures.pipeline import pipeline
from edge_demo.figures.probability_vs_truth import probability_vs_truth
from edge_demo.figures.reliability import reliability
from edge_demo.figures.scaling import scaling
from edge_demo.figures.softmax_steps import softmax_steps
from edge_demo.figures.style import CannotDraw, percent, save_figure
from edge_demo.figures.surprises import surprises
from edge_demo.figures.sweep import sweep_heatmaps, sweep_lines
from edge_demo.figures.temperature import temperature
from edge_demo.figures.training_curves import training_curves
from edge_demo.network import Dense, Network, ReLU
from edge_demo.softmax import softmax

HOSTILE = (r"$\frac{1}{2}$", "W" * 200, "<b>&amp;", "猫", "a_b", "x^{2}_{3}", "two\nlines", "{0!r} %s", "e", "f", "g")


def material(classes, shape=(5, 5), n=60):
    """Arrays of n patches, and names, as every figure may get them."""
    rng = np.random.default_rng(0)
    names = ("Edge", "No Edge") if classes == 2 else HOSTILE[:classes]
    pixels, labels = rng.random((n, shape[0] * shape[1])), np.arange(n) % classes
    before, after = (scale * rng.normal(size=(n, classes)) for scale in (0.3, 4))
    return rng, names, pixels, labels, before, after


def figures(classes, shape=(5, 5)):
    """A dict from a name to a function that draws each figure there is."""
    rng, names, pixels, labels, before, after = material(classes, shape)
    p, exact, n = softmax(after), softmax(after + rng.normal(size=after.shape)), len(labels)
    log_p, log_exact = np.log(p), np.log(exact)
    grey, epochs = rng.random((30, 40)), [0, 1, 2, 5]
    painted = rng.dirichlet(np.ones(classes), (2, 30, 40))
    maps, losses = rng.random((4, 30, 40)), [0.9, 0.5, 0.2, 0.1]
    weights, outputs = rng.normal(size=(2, pixels.shape[1], 9)), rng.normal(size=(2, 9, classes))
    histories, grid, sizes = rng.random((3, 2, 6)) + 0.1, rng.random((2, 3, 4, 2)), (500, 2000, 8000)
    points = reliability_points(p[:, 0], labels == 0)
    activations = [np.maximum(rng.normal(size=(n, 12)), 0), np.zeros((n, 3))]
    reasons = dict.fromkeys(("too small a network", "too few data", "too short a training"), (0.03, 0.01))
    drawn = {
        "account": lambda: account({"grouping": 0.09, "calibration": 0.01}, reasons, "One sentence"),
        "certainty": lambda: certainty(pixels, np.linspace(0, 1, n), names[0], shape),
        "confusion": lambda: confusion(labels, before.argmax(axis=1), after.argmax(axis=1), names),
        "curves": lambda: curves(names[:3] if classes > 2 else HOSTILE[:3], histories, histories),
        "dataset": lambda: dataset(pixels, labels, names, shape=shape),
        "differences": lambda: differences(
            HOSTILE[:2], pixels[:8], shape, labels[:8], names, p[:2, [0] * 8], exact[:8, 0]
        ),
        "example_patches": lambda: example_patches(
            pixels[:8], labels[:8], before[:8], after[:8], names, exact[:8], shape
        ),
        "hidden_weights": lambda: hidden_weights(weights[0], outputs[0], weights[1], outputs[1], names, shape),
        "inside": lambda: inside(activations, activations, epochs, [[0, 3]] * 4),
        "logits_vs_probabilities": lambda: logits_vs_probabilities(before, after, labels, names),
        "photograph": lambda: photograph(grey, grey, {"before": grey, "after": 9 * grey, "exact": grey}, names[0]),
        "photograph_kinds": lambda: photograph_kinds(grey, *painted, names),
        "pipeline": lambda: pipeline(pixels[0], [activations[0][0]], after[0], names, shape, 0),
        "reliability": lambda: reliability([(name, p[:, 0], points) for name in HOSTILE[:3]]),
        "scaling": lambda: scaling(sizes, (4, 16, 64, 256), *grid),
        "softmax_steps": lambda: softmax_steps(after[0], names, true_class=0),
        "softmax_steps, large": lambda: softmax_steps(1000 + after[0], names, 2.0),
        "sweep_heatmaps": lambda: sweep_heatmaps((0.1, 0.2), sizes, (4, 16, 64, 256), grid, grid),
        "sweep_lines": lambda: sweep_lines((0.1, 0.2), sizes, (4, 16, 64, 256), grid, grid),
        "temperature": lambda: temperature(after[0], names),
        "training_curves": lambda: training_curves(
            epochs,
            losses,
            [0.3, 0.5, 0.9, 0.95],
            losses,
            [0.4, 0.5, 0.9, 0.9],
            [30] * classes,
            0.7,
            0.5,
            0.1,
            0.9,
            0.11,
        ),
        "animation": lambda: moved(
            animation(epochs, np.array([0.1, 0.5, 1, 2])[:, None, None] * after, labels, names, losses, losses)
        ),
        "photograph_animation": lambda: moved(photograph_animation(grey, epochs, maps, names[0], losses)),
    }
    if classes == 2:
        parts = parts_of(log_p, log_exact)
        row = (parts.bayes, parts.grouping, parts.calibration)
        drawn["loss_parts"] = lambda: loss_parts("One sentence", HOSTILE[:2], [row] * 2, epochs, [row] * 4, {2: "best"})
        drawn["probability_vs_truth"] = lambda: probability_vs_truth(log_p, log_exact, names[0])
        drawn["surprises"] = lambda: (
            surprises(HOSTILE[:4], pixels[:4, :25], after[:4], exact[:4], np.arange(1, 5), 1.0, 2.0, names)
            if shape == (5, 5)
            else temperature(after[0], names)
        )
    return drawn


NAMELESS = ("account", "inside", "reliability", "scaling", "softmax_steps, large", "sweep_heatmaps", "sweep_lines")


def moved(figure_and_draw):
    figure, draw = figure_and_draw
    draw(3)
    return figure


def assert_lawful(name, figure, path):
    """Saves the figure at path, and looks at all that was drawn."""
    texts = []
    with pytest.MonkeyPatch.context() as patch:
        write = Text.draw
        patch.setattr(Text, "draw", lambda text, *others: texts.append(text) or write(text, *others))
        save_figure(figure, path)
    title = figure.get_suptitle()
    assert title, name
    assert "\n" not in title
    assert not title.endswith(".")
    extent, (width, height) = figure.get_tightbbox().extents, figure.get_size_inches()
    assert (extent[:2] > -0.01).all(), f"{name} is cut at the left or below"
    assert (extent[2:] < (width + 0.01, height + 0.01)).all(), f"{name} is cut at the right or above"
    for axes in figure.axes:
        for label, limits in ((axes.get_xlabel(), axes.get_xlim()), (axes.get_ylabel(), axes.get_ylim())):
            if label.startswith(("p(", "probability", "exact p(", "learned p(")):
                assert limits == (0, 1), f"{name}: p from {limits}"

    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = {text for text in texts if text.get_visible() and text.get_text().strip()}
    assert not any("mathdefault" in text.get_text() for text in texts), f"{name} shows the code of a formula"
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_rotation() in (0, 90)]
    for (a, box), (b, other) in itertools.combinations(boxes, 2):
        across = min(box.x1, other.x1) - max(box.x0, other.x0)
        down = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert min(across, down) < 3, f"{name}: {a!r} and {b!r} cover each other"


@pytest.mark.parametrize("name", figures(2))
def test_the_law_of_all_figures(tmp_path, name):
    assert_lawful(name, figures(2)[name](), tmp_path / "figure.png")


@pytest.mark.parametrize("name", sorted({*figures(7)} - {*NAMELESS}))
def test_the_law_holds_for_names_of_any_sort_and_images_of_any_shape(tmp_path, name):
    assert_lawful(name, figures(7, (1, 40))[name](), tmp_path / "figure.png")


RC_FILE = """
image.origin: lower
text.usetex: True
savefig.transparent: True
savefig.bbox: tight
axes.grid: True
font.size: 20
figure.dpi: 37
axes.prop_cycle: cycler('color', ['red'])
"""
SHOWN = ("dataset", "training_curves")  # of all kinds of artists
DRAW = "import test_figures as t; [t.save_figure(t.figures(2)[name](), f'{folder}/{name}.png') for name in t.SHOWN]"


def test_a_matplotlibrc_changes_no_byte(tmp_path):
    (tmp_path / "matplotlibrc").write_text(RC_FILE)
    environment = os.environ | {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-c", f"folder = {str(tmp_path)!r}; {DRAW}"]
    subprocess.run(command, check=True, env=environment, cwd=ROOT, capture_output=True)
    before = dict(matplotlib.rcParams)
    for name in SHOWN:
        save_figure(figures(2)[name](), tmp_path / "plain.png")
        assert (tmp_path / f"{name}.png").read_bytes() == (tmp_path / "plain.png").read_bytes()
    assert dict(matplotlib.rcParams) == before


def test_no_backend_is_read_from_the_environment(tmp_path):
    command = [sys.executable, ROOT / "scripts" / "plot_softmax.py", "--out", tmp_path]
    subprocess.run(command, check=True, env=os.environ | {"MPLBACKEND": "no_such_backend"}, capture_output=True)
    assert len(list(tmp_path.glob("*.png"))) == 2


class Crop:
    """The next layer sees other numbers than the patch's pixels."""

    def forward(self, inputs):
        return inputs[:, 20:]


def test_what_cannot_draw_a_network_is_left_out_with_a_line(tmp_path):
    run, rng = make_run(own_patches()), np.random.default_rng(0)
    run.settings["data"]["class_counts"] = [50, 50, 50]
    network = Network([Crop(), Dense(16, 4, rng), ReLU(), Dense(4, 3, rng)])
    run.before = run.after = network
    run.snapshots = {0: network.arrays, 1: network.arrays}
    (note,) = save_figures(run, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*FIGURES} - {"07_hidden_weights.png", "08_photograph.png"}
    assert note.startswith("07_hidden_weights.png is left out: ")


def test_the_inside_counts_units_that_never_answer():
    patches, generator = generated(90)
    run = make_run(patches, generator=generator, hidden=(6, 4))
    assert [layer.shape[1] for layer in hidden_activations(run.after, run.test.pixels)] == [6, 4]
    dead = run.snapshots[2]["2.bias"]
    dead[:3] = -1e9
    run.settings["data"]["class_counts"] = [30, 30]
    title = FIGURES["09_inside.png"](run).get_suptitle()
    assert title.endswith("3 of 10 units never answer")
    with pytest.raises(CannotDraw, match="no hidden layer"):
        inside([], [], [0], [[]])


def test_a_probability_is_never_0_or_100_percent():
    assert [percent(p) for p in (0, 0.0004, 0.004, 0.5, 0.996, 1)] == [
        "< 0.1 %",
        "< 0.1 %",
        "0.4 %",
        "50 %",
        "99.6 %",
        "> 99.9 %",
    ]
