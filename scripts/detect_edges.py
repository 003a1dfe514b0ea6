"""Slides a run's network over photographs and shows, pixel by pixel, where it sees an edge."""

from edge_demo.console import cli
from edge_demo.console.pictures import add_flags, stretched

import sys
from functools import partial
from itertools import product

import numpy as np
from PIL import Image

from edge_demo.datasets.patches import InputError
from edge_demo.figures.of_run import log_odds_maps
from edge_demo.figures.photograph import photograph, photograph_kinds
from edge_demo.figures.style import save_figure, sigmoid
from edge_demo.photographs import default_photograph, edge_map, read_image, sobel_magnitude
from edge_demo.runs.run import load_run

ENDS = ("", "_before", "_after", "_exact", "_sobel", "_classes")  # of the names of a picture's files


@cli.command
def main(argv):
    options = parse(argv)
    cli.check_folder(options.out)
    run = load_run(options.run)
    names, shape = run.test.class_names, run.test.shape
    name = options.class_name or names[0]
    if name not in names:
        raise InputError(f"argument --class: {name!r} is none of this run's classes {', '.join(names)}")
    images = options.images or [default_photograph()]
    stems = names_of(images)
    for stem, end in product(stems, ENDS):
        cli.check_output(options.out / f"{stem}{end}.png", images)
    # all of them first, so that a mistake is found before any work
    greys = [stretched(read_image(path, options.largest, shape), options, path) for path in images]

    options.out.mkdir(parents=True, exist_ok=True)
    for stem, grey in zip(stems, greys, strict=True):
        cli.say(f"{stem}: {grey.shape[1]}×{grey.shape[0]} pixels, each with the window around it")
        log_odds, gradient = log_odds_maps(run, grey, names.index(name)), sobel_magnitude(grey)
        save = {"": partial(save_figure, photograph(grey, gradient, log_odds, name))}
        for stage, values in log_odds.items():
            cli.say(f"  {stage:8} p({name}) > 0.5 at {100 * np.mean(values > 0):5.1f} % of the pixels")
            save[f"_{stage}"] = as_picture(sigmoid(values))
        save["_sobel"] = as_picture(gradient / (gradient.max() or 1))
        if len(names) > 2:
            kinds = [edge_map(network.probabilities, grey, shape) for network in (run.before, run.after)]
            save["_classes"] = partial(save_figure, photograph_kinds(grey, *kinds, names))
        for end, into in save.items():
            path = options.out / f"{stem}{end}.png"
            into(path)
            cli.say(f"written: {cli.shown(path)}")


def as_picture(values):
    """What saves (height, width) values from 0 to 1 as a grey picture of that size, 1 white."""
    return Image.fromarray(np.round(255 * values).astype(np.uint8)).save


def parse(argv):
    parser = cli.parser(__doc__)
    outputs = cli.ROOT / "outputs"
    parser.add_argument("images", type=cli.path, nargs="*", metavar="IMAGE", help="picture (default: a portrait)")
    parser.add_argument("--run", type=cli.path, default=outputs / "train", help="folder that train.py wrote")
    parser.add_argument("--class", dest="class_name", metavar="NAME", help="the class to show (default: the first one)")
    parser.add_argument("--out", type=cli.path, default=outputs / "photograph", help="folder for figures and maps")
    add_flags(parser, largest=600)
    return parser.parse_args(argv)


def names_of(paths):
    """A name for each picture's files; where another's would begin alike, with a number."""
    names = []
    for stem in (path.stem for path in paths):
        alike = [name for name in names if f"{name}_".startswith(f"{stem}_") or f"{stem}_".startswith(f"{name}_")]
        names.append(f"{stem}-{len(names) + 1}" if alike else stem)
    return names


if __name__ == "__main__":
    sys.exit(main())
