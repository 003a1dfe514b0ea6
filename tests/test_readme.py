"""The README holds: its commands run, its Python runs, its printed output is what train.py prints."""

import csv
import re
import shlex

import numpy as np
import pytest
from conftest import ROOT, call, run_script

from edge_demo.gradient_check import check_gradient
from edge_demo.network import Dense, Network
from edge_demo.sweeps import HAND_OUT, projected_seconds

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


COMMANDS = [
    shlex.split(line, comments=True) for block in blocks("sh")[1:] for line in block.splitlines() if line.strip()
]


DIGITS = [c for c in COMMANDS if "digits" in " ".join(c)]


@pytest.mark.parametrize("command", [c for c in COMMANDS if "--data" not in c and c not in DIGITS], ids=" ".join)
def test_each_command_runs(command, tmp_path):
    python, script, *arguments = command
    assert python == ".venv/bin/python"
    out = tmp_path / "out"
    if "--out" in arguments:
        arguments[arguments.index("--out") + 1] = str(out)
    elif script != "scripts/plot_logits.py":
        arguments += ["--out", str(out)]
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
    network = Network([Dense(25, 16), names["Tanh"](), Dense(16, 2)], np.random.default_rng(0))
    test = names["dataset"].test[:20]
    assert check_gradient(network, test.pixels, test.labels) < 1e-5
    broken = {"np": np}
    exec(tanh.replace("1.0 -", "2.0 -"), broken)
    network = Network([Dense(25, 16), broken["Tanh"](), Dense(16, 2)], np.random.default_rng(0))
    assert check_gradient(network, test.pixels, test.labels) > 1e-2


def test_the_digits_become_a_folder_a_run_and_predictions(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    exec(blocks("python")[2], {})
    train, predict = DIGITS
    assert call(train[1].removeprefix("scripts/"), *train[2:], "--no-figures").returncode == 0
    redirected = predict.index(">")
    done = run_script(predict[1].removeprefix("scripts/"), *predict[2:redirected], folder=tmp_path)
    assert len(done.stdout.splitlines()) == 1 + 497


def test_the_estimator_snippet_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    names = {}
    exec(blocks("python")[3], names)
    assert names["search"].best_params_ == {"hidden_layer_sizes": (16,)}
    assert "hidden_layer_sizes" in capsys.readouterr().out


def test_the_output_shown_is_what_train_prints(trained):
    (shown,) = blocks("text")
    printed = trained[1][: trained[1].index("\nwritten:")].replace(str(ROOT / "data"), "data")

    def comparable(text):  # the error of the gradient check is rounding, which differs from processor to processor
        return re.sub(r"error \S+", "error", text)

    assert comparable(shown) == comparable(printed)


def test_every_linked_file_exists():
    for page in ("README.md", "data/README.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"


def test_the_closest_approach_that_is_quoted_stands_in_the_committed_study():
    with open(ROOT / "docs" / "study_truth.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    best = [float(row["kl_divergence"]) for row in rows if (row["train_size"], row["hidden"]) == ("1000000", "128")]
    assert re.search(rf"a million fresh patches and 128 hidden units .* within {np.mean(best):.4f} nats", README)
    cells = {(row["train_size"], row["hidden"]) for row in rows}
    assert np.mean(best) == min(
        np.mean([float(r["kl_divergence"]) for r in rows if (r["train_size"], r["hidden"]) == c]) for c in cells
    )


def test_the_pictures_that_the_readme_shows_are_small_enough_to_load_at_once():
    for name, most in (("explorer.png", 200_000), ("training.gif", 2_000_000)):
        assert f"](docs/{name})" in README
        assert (ROOT / "docs" / name).stat().st_size < most


def test_the_projected_times_of_sweeps_follow_from_the_measured_ones():
    rows = re.findall(r"^\| ([\d,]+)[^|]*\| ([\d.]+) \|" + 3 * r" ([\d.]+) (s|min) \|", README, re.M)
    assert len(rows) == 3
    for combinations, seconds, *times in rows:
        trainings = [float(seconds)] * int(combinations.replace(",", ""))
        for cores, time, unit in zip((1, 100, 10_000), times[::2], times[1::2], strict=True):
            projected = projected_seconds(trainings, cores) / (60 if unit == "min" else 1)
            assert float(time) == pytest.approx(projected, abs=0.6 if projected > 9 else 0.06)
    assert f"takes {1000 * HAND_OUT:g} ms" in README
    assert f"cores beyond {0.22 / HAND_OUT:.0f}" in README
