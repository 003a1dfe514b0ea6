"""Makes a dataset folder: train.csv, test.csv and generator.json, drawn from the patch generator."""

from edge_demo.console import cli
from edge_demo.console.tables import table

import sys
from dataclasses import replace

import numpy as np

from edge_demo.datasets import KIND_NAMES, InputError, PatchGenerator, write_csv

BLOCKS, BLOCK = 100, 10_000  # a million patches give the expected loss to three decimals, whatever is in the files


@cli.command
def main(argv):
    options = parse(argv)
    generator = PatchGenerator(options.noise, tuple(options.brightness), tuple(options.contrast))
    check_made_here(options.out)

    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for i, name in enumerate(("train", "test")):
        rng = np.random.default_rng([options.seed, i])  # one a file, so another --train leaves test.csv as it is
        patches = generator.sample(getattr(options, name), rng)
        write_csv(options.out / f"{name}.csv", patches)
        rows.append([f"{name}.csv", len(patches), *np.bincount(patches.kinds, minlength=len(KIND_NAMES)).tolist()])
    generator = replace(generator, bayes_loss=expected_loss(generator))
    generator.to_json(options.out / "generator.json")
    cli.say(*table(["", "patches", *KIND_NAMES], rows))
    cli.say(f"generator.json: the exact posterior has an expected loss of {generator.bayes_loss:.4f} nats")
    cli.say(f"written to {cli.shown(options.out)}")


def expected_loss(generator):
    """The expected cross-entropy of the exact posterior, in nats: the mean entropy of what it says of a patch."""
    rng, entropies = np.random.default_rng(0), []
    for _ in range(BLOCKS):
        log_p = generator.log_posterior(generator.sample(BLOCK, rng).pixels)
        entropies.append(-(np.exp(log_p) * log_p).sum(axis=1).mean())
    return round(float(np.mean(entropies)), 4)


def parse(argv):
    parser = cli.parser(__doc__)
    default, number = PatchGenerator(), cli.number(float)
    whole, positive = cli.number(int, at_least=1), cli.number(float, above=0)
    pair = {"type": number, "nargs": 2, "metavar": ("MEAN", "SPREAD"), "help": "a patch's"}
    parser.add_argument("--train", type=whole, default=4000, help="patches in train.csv")
    parser.add_argument("--test", type=whole, default=2000, help="patches in test.csv")
    parser.add_argument("--seed", type=cli.number(int, at_least=0), default=0, help="seed of the random draw")
    parser.add_argument("--noise", type=positive, default=default.noise, help="spread of each pixel's noise")
    parser.add_argument("--brightness", default=default.brightness, **pair)
    parser.add_argument("--contrast", default=default.contrast, **pair)
    parser.add_argument("--out", default=cli.ROOT / "data", type=cli.path, help="folder to write")
    return parser.parse_args(argv)


def check_made_here(folder):
    """Raises InputError where there are patches that may be somebody's own, because nobody knows their generator."""
    if any((folder / name).exists() for name in ("train.csv", "test.csv")):
        try:
            PatchGenerator.from_json(folder / "generator.json")
        except (InputError, OSError):
            raise InputError(f"{folder} holds patches that were not made here: name a new or an empty folder") from None


if __name__ == "__main__":
    sys.exit(main())
