"""Many trainings: each combination of settings is one task, run once, recorded at once, in any order, on any worker.

A results file has one JSON line a finished task. Started again, only what is missing is run: a line that a crash cut
short counts as missing, and so does what another network reached. The workers are processes here, or a Dask cluster.
"""

import hashlib
import json
import os
import signal
import threading
from concurrent.futures import as_completed
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import numpy as np

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.patches import InputError
from edge_demo.evaluation import distance_to_truth, loss_parts, scores
from edge_demo.network import build_network
from edge_demo.optimizers import make_optimizer
from edge_demo.runs.run import train_run
from edge_demo.softmax import log_softmax
from edge_demo.training import train_epoch

TEST_PATCHES = 20_000
QUIET_TRACKER = "ignore::UserWarning:joblib.externals.loky.backend.resource_tracker"  # of what a killed worker held
CORE = ("softmax.py", "network.py", "optimizers.py", "training.py")  # what a learner may change


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


def in_silence(trainings, total):
    """A progress that shows nothing; tqdm is another one."""
    return trainings


def train_seeds(dataset, settings, seeds, folder, progress=in_silence):
    """Trains as train_run, with each of the seeds, and writes the runs into folders in folder, named by their seed.

    progress: a function around the trainings that end, and their total.
    """
    tasks = [(dataset, settings | {"seed": seed}, Path(folder) / str(seed)) for seed in seeds]
    with workers() as executor:
        futures = [executor.submit(_train_seed, *task) for task in tasks]
        for future in progress(as_completed(futures), total=len(futures)):
            future.result()


def _train_seed(dataset, settings, folder):
    run = train_run(dataset, settings)
    folder.mkdir()
    run.write(folder, dataset.unlabelled, dataset.test_rows)


def run_tasks(tasks, measure, path, *, jobs=None, dask=None, progress=in_silence):
    """Runs measure(task) for every task that path has no result of; returns all results, in the order of tasks.

    jobs, dask: as for workers. progress: as for train_seeds. Raises InputError, or what measure raised; what had
    finished by then is recorded.
    """
    done = read_results(path)
    missing = [task for task in tasks if _key(task) not in done]
    if missing:
        with workers(jobs, dask) as executor:
            futures = {executor.submit(measure, task): task for task in missing}
            for future in progress(as_completed(futures), total=len(futures)):
                task, result = futures[future], future.result()
                _append(path, {"code": code_hash(), "task": task, "result": result})
                done[_key(task)] = result
    return [done[_key(task)] for task in tasks]


@contextmanager
def workers(jobs=None, dask=None):
    """Yields an Executor: processes on this machine, jobs of them or one a core, or the workers of a Dask cluster.

    dask: the address of its scheduler, tcp://host:port. Raises InputError where none answers.
    """
    if dask is None:
        from joblib.externals.loky import get_reusable_executor

        os.environ.setdefault("PYTHONWARNINGS", QUIET_TRACKER)  # of the process that loky starts beside the workers
        # without a timeout: a worker that left while another one was slow to start would be missed
        executor = get_reusable_executor(jobs, timeout=None, initializer=_leave_ctrl_c_to_the_parent)
        try:
            yield executor
            executor.shutdown()
        except BaseException:
            usual, threading.excepthook = threading.excepthook, lambda _: None  # loky's thread misses what it had to do
            executor.shutdown(kill_workers=True)
            threading.excepthook = usual
            raise
        return
    try:
        from distributed import Client
    except ImportError:
        raise InputError("a Dask cluster needs dask.distributed: pip install -e '.[dask]'") from None
    try:
        client = Client(dask, timeout=10)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"no Dask scheduler answers at {dask}: {error}") from None
    with client:
        if not client.nthreads():
            raise InputError(f"the scheduler has no workers yet: start some with dask worker {dask}")
        yield client.get_executor(pure=False)


def _leave_ctrl_c_to_the_parent():
    """A terminal sends it to all processes; the one that started them ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def read_results(path):
    """A dict from task, as its JSON text, to its result by the code as it is now."""
    results = {}
    if Path(path).exists():
        for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
                if row["code"] == code_hash():
                    results[_key(row["task"])] = row["result"]
            except (ValueError, LookupError, TypeError, RecursionError):  # a crash cut it short
                continue
    return results


def code_hash():
    """A short hash of the core, which tells whether a result is that of the network as it is now."""
    core = Path(__file__).parents[1]
    return hashlib.sha256(b"".join((core / name).read_bytes() for name in CORE)).hexdigest()[:16]


def _append(path, row):
    with open(path, "a", encoding="utf-8") as file:
        file.write("\n" + json.dumps(row))  # a line of its own, also after one that a crash cut short


def _key(task):
    return json.dumps(task, sort_keys=True)
