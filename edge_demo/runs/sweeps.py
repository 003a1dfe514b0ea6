"""Many trainings: each combination of settings is one task, run once, recorded at once, in any order, on any worker.

A results file has one JSON line a finished task, with the processor time it took. Started again, only what is missing
is run; a line that a crash cut short counts as missing. The workers are joblib's processes, or a Dask cluster.
"""

import json
import logging
import os
import signal
import threading
import time
import warnings
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.evaluation import distance_to_truth, loss_parts, scores
from edge_demo.network import build_network
from edge_demo.optimizers import make_optimizer
from edge_demo.softmax import log_softmax
from edge_demo.training import train_epoch

TEST_PATCHES = 20_000
HAND_OUT = 0.0035  # seconds to hand out a task by Dask and to record its result, measured with tasks that do nothing


def combinations(**values):
    """A list of dicts, one for each combination of the lists given; the last name changes fastest."""
    return [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]


def train_on_fresh_patches(task):
    """Trains one network on patches that exist in no file, and holds it against the exact posterior on others.

    task: a dict of noise, train_size, hidden (units of one layer), seed, and a schedule: optimizer ("sgd" or "adam"),
    batch_size, rates (a list of learning rates, each for an equal share of the epochs), epochs, least_steps (as
    many steps are taken at least, with more epochs on few patches). Returns a dict of scores and distances.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # as many workers as cores, each with one thread
        data_seed, test_seed, network_seed = np.random.SeedSequence([task["seed"], task["train_size"]]).spawn(3)
        generator = PatchGenerator(task["noise"])
        patches = generator.sample(task["train_size"], np.random.default_rng(data_seed))
        test = generator.sample(TEST_PATCHES, np.random.default_rng(test_seed))
        rng = np.random.default_rng(network_seed)
        network = build_network(25, [task["hidden"]] if task["hidden"] else [], 2, rng)
        optimizer = make_optimizer(task["optimizer"], 0.0)
        batches = -(-len(patches) // task["batch_size"])
        epochs = max(task["epochs"], -(-task["least_steps"] // batches))
        for rate in task["rates"]:
            optimizer.learning_rate = rate
            for _ in range(max(1, round(epochs / len(task["rates"])))):
                train_epoch(network, patches, batch_size=task["batch_size"], optimizer=optimizer, rng=rng)
        log_probabilities = log_softmax(network.logits(test.pixels))
        truth = generator.log_posterior(test.pixels)
        parts = loss_parts(log_probabilities, truth)
        return {
            **scores(log_probabilities, test.labels),
            **distance_to_truth(log_probabilities, truth),
            "bayes": parts.bayes,
            "grouping": parts.grouping,
            "calibration": parts.calibration,
        }


def read_results(path, what="result"):
    """A dict from task, as its JSON text, to its result or seconds; lines that a crash cut short are passed over."""
    results = {}
    if Path(path).exists():
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.readlines()
        for line in lines:
            try:
                row = json.loads(line)
                results[_key(row["task"])] = row[what]
            except (ValueError, LookupError, TypeError, RecursionError):
                continue
    return results


def seconds_of(tasks, path):
    """Processor seconds that each task took, in the order of tasks."""
    seconds = read_results(path, "seconds")
    return [seconds[_key(task)] for task in tasks]


def projected_seconds(seconds, cores):
    """How long tasks of so many processor seconds take on so many cores, at least.

    That is an equal share, the longest task alone, or handing out and recording one after another: the largest of them.
    """
    return max(sum(seconds) / cores, max(seconds), len(seconds) * HAND_OUT)


def run_tasks(tasks, measure, path, jobs=1, dask=None, progress=False):
    """Runs measure(task) for every task that path has no result of; returns all results, in the order of tasks.

    jobs: processes on this machine, -1 for one a core. dask: the address of a scheduler, tcp://host:port, to use its
    workers instead. Raises ValueError, or what measure raised; what had finished by then is recorded.
    """
    from joblib.externals.loky.process_executor import TerminatedWorkerError
    from tqdm import tqdm

    def stream(tasks):
        return _on_this_machine(tasks, measure, jobs) if dask is None else _on_dask(tasks, measure, dask)

    done, idle_deaths = read_results(path), 0
    with tqdm(total=len(tasks), desc="trainings", unit="training", disable=not progress) as bar:
        bar.update(sum(_key(task) in done for task in tasks))
        while missing := [task for task in tasks if _key(task) not in done]:
            before = len(done)
            try:
                for task, result, seconds in stream(missing):
                    _append(path, {"task": task, "result": result, "seconds": seconds})
                    done[_key(task)] = result
                    bar.update()
            except TerminatedWorkerError:  # a worker died, and with it only what it was working on: run that again
                idle_deaths = 0 if len(done) > before else idle_deaths + 1
                if idle_deaths == 3:
                    raise ValueError("workers died three times and finished nothing: is there enough memory?") from None
    return [done[_key(task)] for task in tasks]


def _on_this_machine(tasks, measure, jobs):
    """Yields (task, result, seconds of processor time) as tasks finish, on joblib's processes."""
    from joblib import Parallel, delayed

    # what an interruption leaves behind is tidied up by joblib and by a process of Python's own: no concern of the user
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    run = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\d+ tasks (which were still being|have been successfully)", UserWarning)
        with _deaf_to_ctrl_c():
            results = run(delayed(_run)(measure, task) for task in tasks)
        yield from results


@contextmanager
def _deaf_to_ctrl_c():
    """Processes started in this block leave Ctrl-C, which a terminal sends to all, to the process that starts them."""
    if threading.current_thread() is not threading.main_thread():  # only that one may choose
        yield
        return
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _on_dask(tasks, measure, address):
    """The same on the workers of a Dask cluster.

    Not through joblib's Dask backend, which counts the workers once, so that none who joins later helps, and which runs
    everything in the calling process where it counts a single core.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError:
        raise ValueError("a Dask cluster needs dask.distributed: pip install -e '.[dask]'") from None
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it would print with a traceback is raised below
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        if not client.nthreads():
            raise ValueError(f"the scheduler has no workers yet: start some with dask worker {address}")
        try:
            for future in as_completed(client.map(partial(_run, measure), tasks, pure=False)):
                yield future.result()
        except CancelledError:
            raise ValueError(f"the scheduler at {address} has gone; a new start runs only what is missing") from None
        except KilledWorker as error:
            raise ValueError(f"one training has cost several workers their lives: {error}") from None


def _run(measure, task):
    start = time.process_time()
    return task, measure(task), time.process_time() - start


def _append(path, row):
    with open(path, "a", encoding="utf-8") as file:
        if file.tell() and not _ends_with_newline(path):
            file.write("\n")  # after a line that a crash cut short
        file.write(json.dumps(row) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _ends_with_newline(path):
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _key(task):
    return json.dumps(task, sort_keys=True)
