"""The README holds: its commands run, its Python runs, its printed output is what train.py prints."""

import importlib.util
import os
import re
import shlex

import numpy as np
import pytest
from conftest import ROOT, call, run_script
from sklearn.datasets import load_digits
from train import LEARNING_RATES

from edge_demo.__main__ import READING_ORDER, THEN
from edge_demo.checks import check_gradient
from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import MOST_CLASSES, load_dataset
from edge_demo.datasets.patches import EDGE_KINDS, KIND_NAMES
from edge_demo.evaluation import is_ambiguous
from edge_demo.network import Dense, Network, build_network
from edge_demo.softmax import softmax

DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
CARD = (ROOT / "data" / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


COMMANDS = [
    shlex.split(line, comments=True) for block in blocks("sh")[1:] for line in block.splitlines() if line.strip()
]
DIGITS = [c for c in COMMANDS if "digits" in " ".join(c)]
COMPARED = [c for c in COMMANDS if "--seeds" in c or c[1].endswith("compare.py")]
ALONE = [c for c in COMMANDS if "--data" not in c and c not in DIGITS + COMPARED]


@pytest.mark.parametrize("command", ALONE, ids=" ".join)
def test_each_command_runs(command, trained, tmp_path):
    python, script, *arguments = command
    assert python == ".venv/bin/python"
    out = tmp_path / "out"
    if "--out" in arguments:
        arguments[arguments.index("--out") + 1] = str(out)
    else:
        arguments += ["--out", str(out)]
    if script.endswith("evaluate.py"):
        arguments += ["--run", trained[0], "--longer", "1"]
    done = call(script.removeprefix("scripts/"), *arguments, *(["--no-figures"] if script.endswith("train.py") else []))
    assert done.returncode == 0, done.stderr
    for position in [i for i, c in enumerate(COMMANDS) if "--data" in c and c[c.index("--data") + 1] in command]:
        follower = COMMANDS[position][2:]
        follower[follower.index("--data") + 1] = str(out)
        follower[follower.index("--out") + 1] = str(tmp_path / "then")
        assert call("train.py", *follower, "--no-figures").returncode == 0


def test_the_two_first_commands_are_those_that_set_up_and_run():
    train, test = blocks("sh")[0].splitlines()
    for line, end in ((train, ".venv/bin/python scripts/train.py"), (test, ".venv/bin/python -m pytest")):
        assert line.split("#")[0].strip() == (
            f"python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && {end}"
        )


def test_the_python_snippets_run_and_tanh_passes_the_gradient_check(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    tanh, own_code, *_ = blocks("python")
    names = {"np": np}
    exec(tanh + own_code, names)
    assert "[" in capsys.readouterr().out
    assert names["history"].test_loss[-1] < np.log(2) < names["history"].test_loss[0] + 0.5
    rng = np.random.default_rng(0)
    network = Network([Dense(25, 16, rng), names["Tanh"](), Dense(16, 2, rng)])
    test = names["dataset"].test[:20]
    assert check_gradient(network, test.pixels, test.labels) < 1e-4
    broken = {"np": np}
    exec(tanh.replace("1.0 -", "2.0 -"), broken)
    network = Network([Dense(25, 16, rng), broken["Tanh"](), Dense(16, 2, rng)])
    assert check_gradient(network, test.pixels, test.labels) > 1e-2


def test_the_digits_become_a_file_a_run_and_predictions(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    exec(blocks("python")[2], {})
    train, predict = DIGITS
    assert call(train[1].removeprefix("scripts/"), *train[2:], "--no-figures").returncode == 0
    redirected = predict.index(">")
    done = run_script(predict[1].removeprefix("scripts/"), *predict[2:redirected], folder=tmp_path)
    assert len(done.stdout.splitlines()) == 1 + 1797


def test_the_estimator_snippet_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    names = {}
    exec(blocks("python")[3], names)
    assert names["search"].best_params_ == {"hidden_layer_sizes": (16,)}
    assert "hidden_layer_sizes" in capsys.readouterr().out


def test_the_output_shown_is_what_train_prints(trained):
    shown, _ = blocks("text")
    printed = trained[1].partition("\nwritten")[0].replace(str(ROOT / "data"), "data")

    def comparable(text):  # the error of the gradient check is rounding, which differs from processor to processor
        return re.sub(r"error \S+", "error", text)

    assert comparable(shown) == comparable(printed)


@pytest.mark.skipif("EDGE_DEMO_SKIP_NOTHING" not in os.environ, reason="trains ten networks; .ci/run does it")
def test_the_comparison_shown_is_what_its_commands_print(tmp_path):
    spec = importlib.util.spec_from_file_location("build", ROOT / "docs" / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    _, shown = blocks("text")
    assert build.compare_tanh(tmp_path / "project").rstrip() == shown.rstrip()
    asked = [" ".join(command[1:]) for command in COMPARED]
    assert asked == [
        "scripts/train.py --seeds 5 --out outputs/relu",
        "scripts/train.py --seeds 5 --out outputs/tanh",
        "scripts/compare.py outputs/relu outputs/tanh",
    ]


@pytest.mark.parametrize("page", ["README.md", "data/README.md", *(f"docs/{path.name}" for path in DOCS.glob("*.md"))])
def test_every_linked_file_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_the_pictures_that_the_readme_shows_are_small_enough_to_load_at_once():
    for name in re.findall(r"!\[[^]]*\]\(docs/([^)]*)\)", README):
        assert (DOCS / name).stat().st_size < (3_000_000 if name.endswith(".gif") else 600_000), name


def in_words(number):
    return ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"][number]


DATASET = load_dataset(ROOT / "data")
LESSON = (DOCS / "lesson.md").read_text(encoding="utf-8")
SIZES = {  # what the text says, as the code has it
    "450 numbers": lambda: (
        f"{sum(p.size for p in build_network(25, [16], 2, np.random.default_rng(0)).parameters)} numbers"
    ),
    "5×5-pixel": lambda: "{}×{}-pixel".format(*DATASET.train.shape),
    "of 2,000 test patches": lambda: f"of {len(DATASET.test):,} test patches",
    "seven kinds of patch: four are edges, three": lambda: (
        f"{in_words(len(KIND_NAMES))} kinds of patch: {in_words(EDGE_KINDS)} are edges, "
        f"{in_words(len(KIND_NAMES) - EDGE_KINDS)}"
    ),
    "seven classes: what does softmax": lambda: f"{in_words(len(KIND_NAMES))} classes: what does softmax",
    "with ten exercises": lambda: f"with {in_words(len(re.findall(r'<summary>', LESSON)))} exercises",
    "2 to 50 classes": lambda: f"2 to {MOST_CLASSES} classes",
    "steps 150 times as long": lambda: f"steps {30 / LEARNING_RATES['sgd']:.0f} times as long",
    "4,000 training and 2,000 test patches": lambda: "{:,} training and {:,} test patches".format(
        *(len(patches) for patches in (DATASET.train, DATASET.test))
    ),
    "the eight patches of the table": lambda: "the {} patches of the table".format(
        in_words(sum(line.startswith(KIND_NAMES) for line in blocks("text")[0].splitlines()))
    ),
    "8×8 images, values 0 to 16": lambda: "{}×{} images, values {:.0f} to {:.0f}".format(
        *load_digits().images.shape[1:], load_digits().data.min(), load_digits().data.max()
    ),
    "the first five stand alone": lambda: f"the first {in_words(len(READING_ORDER))} stand alone",
    "three times the noise": lambda: f"{in_words(round(0.3 / PatchGenerator().noise))} times the noise",
    "12.2 and 1.6, and 88 % and 12 %": lambda: "{:.1f} and {:.1f}, and {:.0%} and {:.0%}".format(
        *np.exp([2.5, 0.5]), *softmax([2.5, 0.5])
    ).replace("%", " %"),
}


@pytest.mark.parametrize("text", SIZES)
def test_a_number_in_the_text_is_what_the_code_has(text):
    assert text in README
    assert SIZES[text]() == text


def test_the_data_card_counts_what_the_files_hold():
    for name, patches in (("train.csv", DATASET.train), ("test.csv", DATASET.test)):
        counts = [len(patches), *np.bincount(patches.labels), *np.bincount(patches.kinds)]
        assert f"| {name} | {' | '.join(map(str, counts))} |" in CARD
        assert 1 / 3 < is_ambiguous(DATASET.generator.log_posterior(patches.pixels)).mean() < 0.4
    assert "more than a third of the\npatches are ambiguous" in CARD


def test_the_reading_order_is_the_one_that_python_m_edge_demo_prints():
    table = README.partition("## Reading order")[2]
    assert re.findall(r"\[(\w+)\.py\]", table) == [*READING_ORDER, *THEN]


def test_the_readme_stays_within_250_lines():
    assert len(README.splitlines()) <= 250
