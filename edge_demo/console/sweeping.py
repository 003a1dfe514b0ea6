"""What sweep.py and the study of the truth share: flags, and many trainings whose results become arrays and a table."""

from edge_demo.console import cli

import sys
from functools import partial

import numpy as np
from tqdm import tqdm

from edge_demo.runs.folder import write_rows
from edge_demo.runs.sweeps import combinations, run_tasks, train_on_fresh_patches


def add_flags(parser, train_size, hidden, seeds, out):
    """Adds flags with these defaults; out: the folder's name under outputs/."""
    whole = cli.number(int, at_least=1)
    sizes = cli.listed(cli.number(int, at_least=0))
    parser.add_argument("--train-size", **cli.listed(whole), default=train_size, metavar="N", help="training patches")
    parser.add_argument("--hidden", **sizes, default=hidden, metavar="N", help="units of one layer; 0 for none")
    parser.add_argument("--seeds", type=whole, default=seeds, help="trainings of each combination")
    parser.add_argument("--jobs", type=whole, help="processes at once on this machine (default: one a core)")
    parser.add_argument("--dask", metavar="ADDRESS", help="use the workers of this scheduler, tcp://host:port")
    parser.add_argument("--out", type=cli.path, default=cli.ROOT / "outputs" / out, help="folder for the results")


def measure(tasks, options):
    """What each task, a dict, led to, a list of dicts; kept in results.jsonl in the folder for the results."""
    options.out.mkdir(parents=True, exist_ok=True)
    progress = partial(tqdm, desc="trainings", unit="training", disable=not sys.stderr.isatty())
    log = options.out / "results.jsonl"
    return run_tasks(tasks, train_on_fresh_patches, log, jobs=options.jobs, dask=options.dask, progress=progress)


def sweep(options, axes, schedule, name):
    """Trains each combination of axes, a dict of lists, with each seed, and writes a CSV file of a name.

    Returns a dict from each score to an array of it, with an axis for each of axes and a last one for the seeds.
    """
    cells = combinations(**axes, seed=list(range(options.seeds)))
    results = measure([cell | schedule for cell in cells], options)
    rows = [[*cell.values(), *result.values()] for cell, result in zip(cells, results, strict=True)]
    write_rows(options.out / name, [*cells[0], *results[0]], rows)
    shape = (*map(len, axes.values()), options.seeds)
    return {score: np.array([result[score] for result in results]).reshape(shape) for score in results[0]}
