"""Many trainings: each combination of settings is one task, run once, recorded at once, in any order, on any worker.

A results file has one JSON line a finished task, with the processor time it took. Started again, only what is missing
is run; a line that a crash cut short counts as missing. The workers are joblib's: processes, or a Dask cluster.
"""

import json
import os
import time
from itertools import product
from pathlib import Path

import numpy as np

from edge_demo.evaluation import distance_to_truth, scores
from edge_demo.generator import PatchGenerator
from edge_demo.network import build_network
from edge_demo.optimizers import SGD, Adam
from edge_demo.softmax import log_softmax
from edge_demo.training import train

TEST_PATCHES = 10_000


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
        optimizer = {"sgd": SGD, "adam": Adam}[task["optimizer"]](0.0)
        batches = -(-len(patches) // task["batch_size"])
        epochs = max(task["epochs"], -(-task["least_steps"] // batches))
        for optimizer.learning_rate in task["rates"]:
            train(
                network,
                patches,
                epochs=max(1, round(epochs / len(task["rates"]))),
                batch_size=task["batch_size"],
                optimizer=optimizer,
                rng=rng,
            )
        log_probabilities = log_softmax(network.logits(test.pixels))
        truth = generator.log_posterior(test.pixels)
        return scores(log_probabilities, test.labels) | distance_to_truth(log_probabilities, truth)


def read_results(path, what="result"):
    """A dict from task, as its JSON text, to its result or seconds; lines that a crash cut short are passed over."""
    results = {}
    if Path(path).exists():
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
                results[_key(row["task"])] = row[what]
            except (ValueError, KeyError, TypeError):
                continue
    return results


def seconds_of(tasks, path):
    """Processor seconds that each task took, in the order of tasks."""
    seconds = read_results(path, "seconds")
    return [seconds[_key(task)] for task in tasks]


def run_tasks(tasks, measure, path, jobs=1, dask=None, progress=False):
    """Runs measure(task) for every task that path has no result of; returns all results, in the order of tasks.

    jobs: processes on this machine. dask: the address of a scheduler, tcp://host:port, to use its workers instead.
    """
    from joblib.externals.loky.process_executor import TerminatedWorkerError
    from tqdm import tqdm

    done, idle_deaths = read_results(path), 0
    with tqdm(total=len(tasks), desc="sweep", unit="training", disable=not progress) as bar:
        bar.update(sum(_key(task) in done for task in tasks))
        while missing := [task for task in tasks if _key(task) not in done]:
            before = len(done)
            try:
                for task, result, seconds in _stream(missing, measure, jobs, dask):
                    _append(path, {"task": task, "result": result, "seconds": seconds})
                    done[_key(task)] = result
                    bar.update()
            except TerminatedWorkerError:  # a worker died, and with it only what it was working on: run that again
                idle_deaths = 0 if len(done) > before else idle_deaths + 1
                if idle_deaths == 3:
                    raise ValueError("workers died three times and finished nothing: is there enough memory?") from None
    return [done[_key(task)] for task in tasks]


def _stream(tasks, measure, jobs, dask):
    """(task, result, seconds of processor time) as they finish."""
    from contextlib import ExitStack

    from joblib import Parallel, delayed, parallel_config

    with ExitStack() as stack:
        if dask is not None:
            from distributed import Client

            stack.enter_context(Client(dask))
            stack.enter_context(parallel_config(backend="dask"))
            jobs = -1
        yield from Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(
            delayed(_run)(measure, task) for task in tasks
        )


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
