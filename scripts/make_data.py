"""Makes a dataset folder: train.csv, test.csv and generator.json, drawn from the patch generator."""

from edge_demo.console import cli

import shutil
import sys

import numpy as np

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import write_csv
from edge_demo.datasets.patches import KIND_NAMES
from edge_demo.runs.folder import check_replaceable, replacing_folder

FILES = ("train.csv", "test.csv", "generator.json")
DATA_CARD = "README.md"  # may stand beside them, and stays


@cli.command
def main(argv):
    options = parse(argv)
    generator = PatchGenerator(options.noise, tuple(options.brightness), tuple(options.contrast))
    check_replaceable(options.out, (*FILES, DATA_CARD))
    check_made_here(options.out)

    cli.say(f"{'':>12}{'patches':>9}" + "".join(f"{name:>14}" for name in KIND_NAMES))
    with replacing_folder(options.out, (*FILES, DATA_CARD)) as folder:
        for i, (name, count) in enumerate((("train.csv", options.train), ("test.csv", options.test))):
            rng = np.random.default_rng([options.seed, i])  # one a file, so another --train leaves test.csv as it is
            patches = generator.sample(count, rng)
            write_csv(folder / name, patches)
            kinds = np.bincount(patches.kinds, minlength=len(KIND_NAMES))
            cli.say(f"{name:>12}{count:>9}" + "".join(f"{kind:>14}" for kind in kinds))
        generator.to_json(folder / "generator.json")
        if (options.out / DATA_CARD).exists():
            shutil.copy2(options.out / DATA_CARD, folder)
    cli.say(f"written: {', '.join(str(cli.shown(options.out / name)) for name in FILES)}")


def parse(argv):
    parser = cli.parser(__doc__)
    default, number = PatchGenerator(), cli.number(float)
    whole, positive = cli.number(int, at_least=1), cli.number(float, above=0)
    pair = {"type": number, "nargs": 2, "metavar": ("MEAN", "SPREAD")}
    parser.add_argument("--train", type=whole, default=4000, help="patches in train.csv")
    parser.add_argument("--test", type=whole, default=2000, help="patches in test.csv")
    parser.add_argument("--seed", type=cli.number(int, at_least=0), default=0, help="seed of the random draw")
    parser.add_argument("--noise", type=positive, default=default.noise, help="spread of each pixel's noise")
    parser.add_argument("--brightness", default=default.brightness, help="a patch's", **pair)
    parser.add_argument("--contrast", default=default.contrast, help="a patch's", **pair)
    parser.add_argument("--out", default=cli.ROOT / "data", type=cli.path, help="folder to write")
    return parser.parse_args(argv)


def check_made_here(folder):
    """Raises ValueError where there are patches that may be somebody's own, because nobody knows their generator."""
    if any((folder / name).exists() for name in FILES):
        try:
            PatchGenerator.from_json(folder / "generator.json")
        except (ValueError, OSError):
            raise ValueError(f"{folder} holds patches that were not made here: name a new or an empty folder") from None


if __name__ == "__main__":
    sys.exit(main())
