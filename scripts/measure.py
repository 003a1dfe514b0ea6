"""How the benchmark measures: interleaved repetitions, ratios within one run, and memory. It knows nothing of the demo.

Speeds of a machine swing by a factor of two within minutes. So the things to compare take turns (A B C A B C …), each
ratio is formed within one turn, and what counts is the median ratio with its quartiles.
"""

import gc
import sys
import tracemalloc
from dataclasses import dataclass
from time import perf_counter

import numpy as np


@dataclass(frozen=True)
class Row:
    """One comparison. ratio, low, high: median and quartiles of seconds / against_seconds, turn by turn.

    goal: the largest ratio that the project wants, None where there is none. slack: how many times over its goal a
    ratio must be to wake the guard. A unit other than "×" marks a number that is no ratio of times, such as points of
    accuracy; it does not wake the guard.
    """

    part: str
    operation: str
    against: str
    threads: str
    ratio: float
    low: float
    high: float
    goal: float | None = None
    seconds: float | None = None
    against_seconds: float | None = None
    unit: str = "×"
    slack: float = 2.0

    @property
    def verdict(self):
        return "" if self.goal is None else "ok" if self.ratio <= self.goal else "over"


def interleaved(functions, repetitions, least=0.002):
    """Seconds a unit of work: a dict from name to an array (repetitions,), measured in turns.

    functions: a dict from name to a function, or to (function, units of work in one call). Every function is called
    once to warm up, and then so often a turn that this takes at least so many seconds.
    """
    functions = {name: f if isinstance(f, tuple) else (f, 1) for name, f in functions.items()}
    calls = {name: _calls(function, least) for name, (function, _) in functions.items()}
    times = {name: np.empty(repetitions) for name in functions}
    gc.collect()
    gc.disable()
    try:
        for turn in range(repetitions):
            for name, (function, units) in functions.items():
                times[name][turn] = _seconds(function, calls[name]) / units
    finally:
        gc.enable()
    return times


def _seconds(function, calls):
    start = perf_counter()
    for _ in range(calls):
        function()
    return (perf_counter() - start) / calls


def _calls(function, least):
    calls, taken = 1, _seconds(function, 1)
    if taken < 1:  # the first call warms up, and may take a hundred times as long as the next ones
        taken = _seconds(function, 1)
    while taken * calls < least:
        calls = max(2 * calls, int(least / max(taken, 1e-9)))
        taken = _seconds(function, calls)
    return calls


def compare(times, name, against, part, threads="1", goal=None, operation=None):
    """The Row of times[name] against times[against]."""
    low, ratio, high = np.percentile(times[name] / times[against], [25, 50, 75])
    seconds, against_seconds = np.median(times[name]), np.median(times[against])
    return Row(part, operation or name, against, threads, ratio, low, high, goal, seconds, against_seconds)


def too_slow(rows):
    """The rows that fail the guard: even the lower quartile of a ratio of times is far over its goal.

    Only on one thread: with more of them, other work on the machine decides.
    """
    judged = (row for row in rows if row.goal is not None and row.unit == "×" and row.threads == "1")
    return [row for row in judged if not row.low <= row.slack * row.goal]


def peak_memory(function):
    """Bytes that function() needs at most beyond what was held before, and bytes still held when it has returned."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        kept = function()
        after, peak = tracemalloc.get_traced_memory()
        del kept
    finally:
        tracemalloc.stop()
    return peak - before, after - before


def allocations(function, at_least=512):
    """Lines of code that allocate so many bytes or more while function() runs, and the sum of these bytes.

    tracemalloc has no count of what was allocated and freed again, so the peak is read after every line.
    """
    sizes, held = [], 0

    def after_line(frame, event, argument):
        nonlocal held
        now, peak = tracemalloc.get_traced_memory()
        if peak - held >= at_least:
            sizes.append(peak - held)
        tracemalloc.reset_peak()
        held = now
        return after_line

    tracemalloc.start()
    old = sys.gettrace()
    try:
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        sys.settrace(after_line)
        function()
    finally:
        sys.settrace(old)
        tracemalloc.stop()
    return len(sizes), sum(sizes)
