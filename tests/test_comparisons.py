"""compare.py and train.py --seeds: what was stored is what is compared, and an interval says no more than it knows."""

import csv
import io
import json
import re
import shutil

import numpy as np
import pytest
from conftest import call, listing
from scipy.special import log_softmax, softmax
from scipy.stats import t as student

from edge_demo.figures.comparison import curves, differences
from edge_demo.runs.comparisons import agreement, difference, load_results, most_different
from edge_demo.runs.folder import load_arrays
from edge_demo.runs.run import load_run

FAST = ["--epochs", 2, "--no-figures", "--quiet"]


def done(name, *arguments):
    result = call(name, *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.fixture(scope="module")
def runs(few, tmp_path_factory):
    """A dict from name to folder: runs of two seeds, of more units, and groups of three seeds, of 2 and of 8 units."""
    folder = tmp_path_factory.mktemp("runs")
    flags = {"plain": [], "other": ["--seed", 4], "wide": ["--hidden", 64]}
    flags |= {"three": ["--seeds", 3, "--seed", 4, "--hidden", 2], "eight": ["--seeds", 3, "--seed", 4, "--hidden", 8]}
    for name, given in flags.items():
        done("train.py", "--data", few, *FAST, *given, "--out", folder / name)
    return {name: folder / name for name in flags}


def loaded(runs, *names):
    return load_results([runs[name] for name in names])


# --------------------------------------------------------------------------------------------- groups of seeds


def test_each_seed_of_a_group_is_the_training_of_that_seed_alone(few, runs, tmp_path):
    done("train.py", "--data", few, *FAST, "--hidden", 8, "--seed", 5, "--out", tmp_path / "alone")
    (group,), alone = loaded(runs, "eight"), load_run(tmp_path / "alone")
    place = group.seeds.index(5)
    np.testing.assert_array_equal(group.logits[place], alone.logits["after"])
    np.testing.assert_array_equal(group.curves["test_loss"][place], alone.history.test_loss)
    assert group.seeds == [4, 5, 6]


def test_a_group_prints_each_seed_and_their_mean_and_deviation(few, tmp_path):
    text = done("train.py", "--data", few, "--epochs", 1, "--seeds", 3, "--out", tmp_path / "group")
    with open(tmp_path / "group" / "seeds.csv", encoding="utf-8", newline="") as file:
        rows = [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(file)]
    losses = [row["test_loss"] for row in rows]
    for row in rows:
        assert re.search(rf"^{row['seed']:.0f} .* {row['test_loss']:.4f} +{row['test_accuracy']:.4f}", text, re.M)
    assert re.search(rf"^mean .* {np.mean(losses):.4f} ", text, re.M)
    assert re.search(rf"^deviation .* {np.std(losses, ddof=1):.4f} ", text, re.M)


def test_a_group_is_the_same_to_the_byte_when_it_is_trained_again(few, runs, tmp_path):
    done("train.py", "--data", few, *FAST, "--seeds", 3, "--seed", 4, "--hidden", 2, "--out", tmp_path / "again")
    assert listing(tmp_path / "again") == listing(runs["three"])


@pytest.mark.parametrize(
    ("flags", "out", "words"),
    [
        (["--seeds", 3, "--resume"], "plain", "--resume goes on with a single run"),
        (["--seeds", 3], "plain", "name a new or an empty folder"),
        ([], "three", "name a new or an empty folder"),
        (["--seeds", 0], "new", "at least 1"),
        (["--seeds", 2, "--seed", 2**32 - 1], "new", "above 2**32 - 1"),
        (["--seeds", 2, "--lr", "1e300"], "new", "diverged"),
    ],
)
def test_what_no_group_can_be_is_refused_and_nothing_changes(few, runs, flags, out, words):
    folder = runs["plain"].parent
    before = listing(folder)
    result = call("train.py", "--data", few, *FAST, *flags, "--out", folder / out)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert words in result.stderr
    assert listing(folder) == before


# ------------------------------------------------------------------------------------------------- differences


def test_a_result_holds_what_the_networks_say(runs):
    (result,), run = loaded(runs, "wide"), load_run(runs["wide"])
    rows, labels = np.arange(len(run.test)), run.test.labels
    logits = run.after.logits(run.test.pixels)
    np.testing.assert_allclose(result.losses[0], -log_softmax(logits, axis=1)[rows, labels], rtol=1e-12)
    np.testing.assert_allclose(result.p_label[0], softmax(logits, axis=1)[rows, labels], rtol=1e-12)
    np.testing.assert_array_equal(result.right[0], logits.argmax(axis=1) == labels)
    assert result.parameters == sum(array.size for array in run.after.parameters)


def test_between_runs_the_interval_is_that_of_the_test_patches(runs):
    ours, theirs = loaded(runs, "wide", "plain")
    found = difference(ours, theirs, np.random.default_rng(0))
    for name, each in (("cross_entropy", ours.losses - theirs.losses), ("accuracy", ours.right - theirs.right)):
        row, error = found[name], each.std(ddof=1) / np.sqrt(each.size)
        assert row["mean"] == pytest.approx(each.mean(), abs=1e-12)
        assert row["low"] == pytest.approx(each.mean() - 1.96 * error, abs=0.4 * error)
        assert row["high"] == pytest.approx(each.mean() + 1.96 * error, abs=0.4 * error)


def test_between_groups_the_interval_is_welchs_over_the_seeds(runs):
    ours, theirs = loaded(runs, "eight", "three")
    a, b = (result.losses.mean(axis=1) for result in (ours, theirs))
    errors = [x.var(ddof=1) / len(x) for x in (a, b)]
    freedom = sum(errors) ** 2 / sum(error**2 / (len(a) - 1) for error in errors)
    half = student.ppf(0.975, freedom) * np.sqrt(sum(errors))
    row = difference(ours, theirs, np.random.default_rng(0))["cross_entropy"]
    assert row == pytest.approx({"mean": a.mean() - b.mean(), "low": a.mean() - b.mean() - half, "high": row["high"]})
    assert row["high"] - row["mean"] == pytest.approx(half)


def test_a_run_beside_a_group_is_judged_by_where_another_seed_would_lie():
    rng, inside = np.random.default_rng(0), 0
    for _ in range(400):
        values = rng.normal(1.0, 0.2, 6)
        group, run = (Stub(v) for v in (values[:5], values[5:]))
        row = difference(run, group, rng)["cross_entropy"]
        inside += row["low"] <= 0 <= row["high"]
    assert 0.92 < inside / 400 < 0.98


class Stub:
    """A Result whose losses are given, one a seed, alike for all patches."""

    def __init__(self, losses):
        self.losses = self.right = np.repeat(losses[:, None], 4, axis=1)
        self.is_group = len(losses) > 1


def test_agreement_is_the_share_of_patches_that_all_pairs_of_seeds_take_for_the_same(runs):
    ours, theirs = loaded(runs, "eight", "three")
    same = [(a.argmax(axis=1) == b.argmax(axis=1)).mean() for a in ours.logits for b in theirs.logits]
    assert agreement(ours, theirs) == pytest.approx(np.mean(same))
    assert agreement(*loaded(runs, "plain", "other")[:1] * 2) == 1.0


def test_the_patches_shown_are_those_on_which_p_of_the_true_class_differs_most(runs):
    results = loaded(runs, "plain", "wide", "three")
    p = [result.p_label.mean(axis=0) for result in results]
    distance = np.maximum(np.abs(p[1] - p[0]), np.abs(p[2] - p[0]))
    shown = most_different(results, count=5)
    assert sorted(distance[shown]) == sorted(np.sort(distance)[-5:])
    assert list(distance[shown]) == sorted(distance[shown], reverse=True)


# ----------------------------------------------------------------------------------------------------- script


def test_the_table_says_what_each_run_reaches_and_how_far_it_is_from_the_first(runs, tmp_path):
    text = done("compare.py", runs["plain"], runs["wide"], runs["eight"], "--out", tmp_path / "comparison")
    rows = json.loads((tmp_path / "comparison" / "comparison.json").read_text(encoding="utf-8"))
    assert [row["network"] for row in rows] == ["25-16-2 ReLU", "25-64-2 ReLU", "25-8-2 ReLU"]
    assert "difference" not in rows[0]
    for row, result in zip(rows, loaded(runs, "plain", "wide", "eight"), strict=True):
        assert row["cross_entropy"] == pytest.approx(result.losses.mean())
        assert f"{row['parameters']:,}" in text
        assert f"{row['accuracy']:10.4f}{row['cross_entropy']:8.4f}" in text
    for row in rows[1:]:
        loss = row["difference"]["cross_entropy"]
        assert f"{loss['mean']:+.4f} [{loss['low']:+.4f} {loss['high']:+.4f}]" in text
    assert {path.name for path in (tmp_path / "comparison").iterdir()} == {
        "comparison.json",
        "comparison.csv",
        "curves.png",
        "differences.png",
    }


def test_the_csv_file_is_the_table(runs, tmp_path):
    done("compare.py", runs["plain"], runs["wide"], "--out", tmp_path)
    rows = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    with open(tmp_path / "comparison.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [float(line["cross_entropy"]) for line in lines] == [row["cross_entropy"] for row in rows]
    assert lines[0]["accuracy_difference_low"] == ""
    assert float(lines[1]["accuracy_difference_low"]) == rows[1]["difference"]["accuracy"]["low"]


def test_where_the_truth_is_known_the_parts_of_the_loss_stand_beside_it(trained, tmp_path):
    metrics = json.loads((trained[0] / "metrics.json").read_text(encoding="utf-8"))
    parts = metrics["parts"]["after"]
    done("train.py", "--epochs", 1, "--no-figures", "--quiet", "--out", tmp_path / "short")
    text = done("compare.py", trained[0], tmp_path / "short", "--out", tmp_path / "comparison")
    assert f"{parts['bayes']:8.4f}{parts['grouping']:11.4f}{parts['calibration']:9.4f}" in text
    assert f"{parts['bayes']:11.4f}{parts['grouping']:11.4f}{parts['calibration']:14.4f}" in trained[1]


def test_runs_of_layers_that_are_not_built_any_more_are_compared(runs, tmp_path):
    shutil.copytree(runs["plain"], tmp_path / "tanh")
    path = tmp_path / "tanh" / "metrics.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"ReLU"', '"Tanh"'), encoding="utf-8")
    with pytest.raises(ValueError, match="Tanh"):
        load_run(tmp_path / "tanh")
    text = done("compare.py", runs["plain"], tmp_path / "tanh", "--out", tmp_path / "comparison")
    assert "25-16-2 Tanh" in text
    change_json(path, layers=["Center", "Dense", "Tanh", "Dense", "Tanh", "Dense"])
    deeper = done("compare.py", runs["plain"], tmp_path / "tanh", "--out", tmp_path / "comparison")
    assert "Center, Dense, Tanh, Dense, Tanh, Dense" in deeper
    assert "within the chance of the test patches" in text  # the logits are the same


def test_a_change_that_changes_nothing_is_no_more_than_the_seeds_differ(few, runs, tmp_path):
    done("train.py", "--data", few, *FAST, "--seeds", 3, "--seed", 40, "--hidden", 8, "--out", tmp_path / "again")
    text = done("compare.py", runs["eight"], tmp_path / "again", "--out", tmp_path / "comparison")
    assert "no more than the seeds differ" in text
    assert "one draw" not in text


def other_data(few, folder):
    shutil.copytree(few, folder / "data")
    text = (few / "test.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "data" / "test.csv").write_text("".join([*text[:1], *text[2:], text[1]]), encoding="utf-8")
    done("train.py", "--data", folder / "data", *FAST, "--out", folder / "run")
    return folder / "run"


def kinds_of(few, folder):
    done("train.py", "--data", few, *FAST, "--target", "kind", "--out", folder / "kinds")
    return folder / "kinds"


def test_runs_that_were_tested_on_other_patches_are_refused_with_the_reason(few, runs, tmp_path):
    for other, why in (
        (other_data(few, tmp_path), "as many, but not the same"),
        (kinds_of(few, tmp_path), "classes are vertical, horizontal"),
    ):
        result = call("compare.py", runs["plain"], other, "--out", tmp_path / "comparison")
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert why in result.stderr
        assert not (tmp_path / "comparison").exists()


def test_other_scripts_say_what_a_group_is_for(runs):
    result = call("plot_logits.py", "--run", runs["three"])
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "a group of seeds, for scripts/compare.py" in result.stderr


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["plain"], "2 to 8 runs"),
        (["plain"] * 9, "2 to 8 runs"),
        (["plain", "plain"], "named twice"),
        (["plain", "missing"], "holds no run"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(runs, tmp_path, names, words):
    folders = [runs.get(name, tmp_path / name) for name in names]
    result = call("compare.py", *folders, "--out", tmp_path / "comparison")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert words in result.stderr


def change_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


DAMAGES = {
    "no logits": ("plain", lambda folder: (folder / "logits.npz").unlink()),
    "logits of others": ("plain", lambda folder: shutil.copy(folder / "after.npz", folder / "logits.npz")),
    "parts that are text": ("plain", lambda folder: change_json(folder / "metrics.json", parts={"after": "x"})),
    "parameters that are a list": ("plain", lambda folder: change_json(folder / "metrics.json", parameters=[1])),
    "a seed too few": ("three", lambda folder: change_json(folder / "group.json", seeds=[4, 5])),
    "seeds that are no list": ("three", lambda folder: change_json(folder / "group.json", seeds=None)),
    "another schema": ("three", lambda folder: change_json(folder / "group.json", schema="x")),
    "results cut short": ("three", lambda folder: (folder / "results.npz").write_bytes(b"PK")),
    "curves missing": ("three", lambda folder: shutil.copy(folder / "test_patches.npz", folder / "results.npz")),
}


@pytest.mark.parametrize(("name", "damage"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_run_or_group_is_refused_in_one_line(runs, tmp_path, name, damage):
    shutil.copytree(runs[name], tmp_path / "damaged")
    damage(tmp_path / "damaged")
    result = call("compare.py", runs["wide"], tmp_path / "damaged", "--out", tmp_path / "comparison")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "damaged" in result.stderr


# ----------------------------------------------------------------------------------------------------- figures


@pytest.mark.parametrize(("count", "shape"), [(2, (5, 5)), (8, (8, 8)), (3, (20, 4))])
def test_figures_of_any_number_of_runs_are_whole(count, shape):
    rng = np.random.default_rng(count)
    names = [f"a long name of a run that differs at its end, number {k}" for k in range(count)]
    losses = [rng.uniform(0.2, 0.9, (1 + k % 3, 6)) for k in range(count)]
    p = rng.random((count, 8))
    pixels, labels = rng.random((8, shape[0] * shape[1])), rng.integers(2, size=8)
    drawn = differences(names, pixels, shape, labels, ("an edge of some sort", "$none$"), p, exact=p[0])
    for figure in (curves(names, losses, losses), drawn):
        figure.savefig(io.BytesIO(), format="png")
        extent, (width, height) = figure.get_tightbbox().extents, figure.get_size_inches()
        assert (extent[:2] > -0.01).all(), extent
        assert (extent[2:] < (width + 0.01, height + 0.01)).all(), extent


def test_a_run_remembers_how_long_it_took_in_no_byte_of_its_files(few, runs, tmp_path):
    done("train.py", "--data", few, *FAST, "--out", tmp_path / "plain")
    assert listing(tmp_path / "plain") == listing(runs["plain"])
    done("train.py", "--data", few, *FAST[2:], "--epochs", 40, "--out", tmp_path / "longer")
    (result,) = load_results([tmp_path / "longer"])
    assert 0 < result.seconds < 60
    assert load_arrays(tmp_path / "plain" / "logits.npz").keys() == {"before", "after"}
