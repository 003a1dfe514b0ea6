"""Makes a dataset folder: train.csv, test.csv and generator.json, drawn from the patch generator."""

import cli

FILES = ("train.csv", "test.csv", "generator.json")


def parse():
    parser = cli.parser(__doc__)
    parser.add_argument("--train", type=cli.number(int, at_least=1), default=4000, help="patches in train.csv")
    parser.add_argument("--test", type=cli.number(int, at_least=1), default=2000, help="patches in test.csv")
    parser.add_argument("--seed", type=cli.number(int, at_least=0), default=0, help="seed of the random draw")
    parser.add_argument("--noise", type=cli.number(float, above=0), default=0.1, help="spread of each pixel's noise")
    for name in ("brightness", "contrast"):
        parser.add_argument(
            f"--{name}",
            type=cli.number(float),
            nargs=2,
            default=[0.5, 0.1],
            metavar=("MEAN", "SPREAD"),
            help="a patch's",
        )
    parser.add_argument("--out", default=cli.ROOT / "data", type=cli.Path, help="folder to write")
    return parser.parse_args()


def main():
    options = parse()
    import numpy as np

    from edge_demo.folders import replacing_folder
    from edge_demo.generator import PatchGenerator
    from edge_demo.patches import KIND_NAMES, write_csv

    generator = PatchGenerator(options.noise, tuple(options.brightness), tuple(options.contrast))
    cli.need_memory(f"so many patches, {max(options.train, options.test):,},", 200 * max(options.train, options.test))
    with replacing_folder(options.out, FILES, was_made_here) as folder:
        cli.say(f"{'':>12}{'patches':>9}" + "".join(f"{name:>14}" for name in KIND_NAMES))
        for i, (name, count) in enumerate(zip(FILES, (options.train, options.test), strict=False)):
            rng = np.random.default_rng([options.seed, i])  # one a file, so another --train leaves test.csv as it is
            patches = generator.sample(count, rng)
            write_csv(folder / name, patches)
            kinds = np.bincount(patches.kinds, minlength=len(KIND_NAMES))
            cli.say(f"{name:>12}{count:>9}" + "".join(f"{kind:>14}" for kind in kinds))
        generator.to_json(folder / "generator.json")
    cli.say(f"written: {', '.join(str(cli.shown(options.out / name)) for name in FILES)}")


def was_made_here(folder):
    """Are the patches in folder generated ones, which may be replaced, or somebody's own?"""
    from edge_demo.generator import PatchGenerator

    try:
        return bool(PatchGenerator.from_json(folder / "generator.json"))
    except (ValueError, OSError):
        return False


if __name__ == "__main__":
    cli.run(main)
