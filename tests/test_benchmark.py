"""The benchmark measures what it says. No test here depends on how fast anything is."""

import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "scripts"))

from edge_demo.figures.growth import growth
from edge_demo.figures.ratios import ratios
from edge_demo.network import Dense, build_network

import benchmark
import peers
from measure import Row, allocations, compare, interleaved, peak_memory, too_slow
from peers import Floor, Value, missing, per_value_step

ROW = Row("part", "step", "floor", "1", ratio=3.0, low=2.9, high=3.2, goal=2.0, seconds=3e-5, against_seconds=1e-5)


@pytest.mark.parametrize("hidden", [(), (16,), (5, 3)])
def test_the_floor_makes_the_matrix_products_of_a_step_and_no_other(hidden):
    rng = np.random.default_rng(0)
    network = build_network(25, hidden, 2, rng)
    pixels, labels = rng.normal(0.5, 0.3, (8, 25)), rng.integers(2, size=8)
    gradient = network.gradient(pixels, labels)
    dense = [layer for layer in network.layers if isinstance(layer, Dense)]
    floor = Floor((25, *hidden, 2), 8, rng)
    floor.errors[-1][:] = network.output.backward()
    for i, layer in enumerate(dense):
        floor.inputs[i][:] = layer.inputs_and_1[:, :-1]
        floor.weights[i][:] = layer.weights
    for i in reversed(range(1, len(dense))):  # each layer's errors come from the layer above it
        floor()
        floor.errors[i - 1][:] = floor.grad_inputs[i] * (floor.inputs[i] > 0)
    floor()
    assert len(floor.products) == 3 * len(dense) - 1
    np.testing.assert_allclose(floor.forward[-1] + dense[-1].bias, network.logits(pixels), atol=1e-14)
    weights = np.concatenate([found.ravel() for found in floor.grad_weights])
    blocks = [layer.grad_weights.ravel() for layer in dense]
    np.testing.assert_allclose(weights, np.concatenate(blocks), atol=1e-15)
    assert set(np.concatenate(blocks)) <= set(gradient)


def test_a_slow_first_call_does_not_leave_one_call_a_turn():
    calls = []

    def slow_at_first():
        calls.append(1)
        time.sleep(0 if len(calls) > 1 else 0.05)

    interleaved({"a": slow_at_first}, 2, least=0.02)
    assert len(calls) > 2 * 10


def test_each_turn_calls_every_function_and_counts_its_units_of_work():
    calls = []
    times = interleaved({"a": lambda: calls.append("a"), "b": (lambda: calls.append("b"), 10)}, 4, least=0)
    assert {name: values.shape for name, values in times.items()} == {"a": (4,), "b": (4,)}
    turns = "".join(calls)[-8:]
    assert turns == "abababab"


def test_a_ratio_is_the_median_over_turns_and_not_the_ratio_of_medians():
    times = {"ours": np.array([1.0, 20.0, 3.0]), "theirs": np.array([1.0, 10.0, 1.0])}  # the second turn was slow
    row = compare(times, "ours", "theirs", "part", goal=2.5)
    assert (row.ratio, row.low, row.high) == (2.0, 1.5, 2.5)
    assert (row.seconds, row.against_seconds) == (3.0, 1.0)
    assert row.verdict == "ok"
    assert replace(row, goal=1.9).verdict == "over"
    assert replace(row, goal=None).verdict == ""


@pytest.mark.parametrize(
    ("changes", "fails"),
    [
        ({}, False),
        ({"ratio": 4.2, "low": 4.1}, True),
        ({"ratio": 4.2, "low": 3.9}, False),  # no clear case
        ({"ratio": 9.0, "low": 9.0, "threads": "default"}, False),
        ({"ratio": 9.0, "low": 9.0, "goal": None}, False),
        ({"ratio": 9.0, "low": 9.0, "unit": "points"}, False),
        ({"ratio": float("nan"), "low": float("nan")}, True),
    ],
)
def test_the_guard_wakes_where_a_ratio_is_clearly_more_than_twice_its_goal(changes, fails):
    row = replace(ROW, **changes)
    assert too_slow([ROW, row]) == ([row] if fails else [])


def test_a_missing_peer_is_named_and_how_to_get_it(monkeypatch):
    monkeypatch.setattr(benchmark, "PEERS", {"no_such_module": "Nothing", "numpy": "NumPy"})
    (line,) = benchmark.skipped()
    assert "without Nothing" in line
    assert "pip install" in line
    assert missing("no_such_module", "numpy") == ["no_such_module"]
    assert peers.missing() == []


def test_memory_is_measured_at_its_peak_and_after():
    held = []
    peak, after = peak_memory(lambda: held.append(np.ones(10_000)) or np.ones(50_000).sum())
    assert 480_000 < peak < 490_000
    assert 80_000 < after < 90_000


def test_arrays_that_are_freed_again_at_once_are_counted_too():
    def work():
        first = np.ones(1000).sum()
        second = np.ones(2000).sum()
        return first + second

    lines, total = allocations(work)
    assert lines >= 2
    assert 24_000 <= total < 30_000


def test_the_plain_python_peer_has_right_derivatives_and_learns():
    a, b = Value(0.7), Value(-1.3)
    loss = (a * b + a).exp() + (a * a).log() + b.relu()
    loss.backward()
    moved = [np.exp(x * -1.3 + x) + np.log(x * x) for x in (0.7 + 1e-6, 0.7 - 1e-6)]
    assert a.grad == pytest.approx((moved[0] - moved[1]) / 2e-6, rel=1e-6)
    assert b.grad == pytest.approx(0.7 * np.exp(0.7 * -1.3 + 0.7))
    per_value_step((4, 3, 2))()


def test_rows_are_shown_with_their_goal_and_drawn():
    assert "3.00 × [2.90 3.20]  goal 2 over  (30 µs)" in benchmark.line(ROW)
    assert benchmark.line(replace(ROW, unit="KiB")).endswith("3.0 KiB")
    figure = ratios(["step"], ["floor"], [3.0], [2.9], [3.2], [2.0])
    assert "0 of 1" in figure.get_suptitle()
    figure = growth({"epoch: patches": ([1000, 20_000], [0.1, 3.0], [0.01, 0.2])})
    assert "1.50" in figure.get_suptitle()


def test_the_page_keeps_what_is_written_by_hand(monkeypatch, tmp_path):
    page = tmp_path / "performance.md"
    page.write_text("before\n<!-- made by scripts/benchmark.py -->\nold\n<!-- end -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(benchmark, "PAGE", page)
    benchmark.write_docs([ROW], {"epoch: patches": ([1000, 20_000], [0.1, 3.0], [0.01, 0.2])})
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| part: step | floor | 3.00 (2.90 to 3.20) | 2 | over |" in text
    assert "old" not in text
    assert {path.name for path in (tmp_path / "performance").iterdir()} == {"ratios.png", "growth.png"}
