"""Slides a run's network over photographs and shows, pixel by pixel, where it sees an edge."""

from edge_demo.console import cli

import sys

import numpy as np
from PIL import Image

from edge_demo.figures.of_run import log_odds_maps
from edge_demo.figures.photograph import photograph, photograph_kinds
from edge_demo.figures.style import save_figure, sigmoid
from edge_demo.photographs import default_photograph, edge_map, read_image, sobel_magnitude
from edge_demo.runs.run import load_run

MAPS = ("before", "after", "exact", "sobel", "classes")  # beside a picture's figure


@cli.command
def main(argv):
    options = parse(argv)
    cli.check_folder(options.out)
    run = load_run(options.run)
    k = class_index(run.test.class_names, options)
    images = options.images or [default_photograph()]
    greys = [
        read_image(path, options.largest, run.test.shape) for path in images
    ]  # all, so that a mistake is found before any work

    options.out.mkdir(parents=True, exist_ok=True)
    for name, grey in zip(names_of(images), greys, strict=True):
        maps = log_odds_maps(run, grey, k)
        gradient = sobel_magnitude(grey)
        figure = photograph(grey, gradient, maps, run.test.class_names[k])
        save_figure(figure, options.out / f"{name}.png")
        for stage, log_odds in maps.items():
            save_map(sigmoid(log_odds), options.out / f"{name}_{stage}.png")
        save_map(gradient / max(gradient.max(), 1e-300), options.out / f"{name}_sobel.png")
        written = [name, *(f"{name}_{stage}" for stage in (*maps, "sobel"))]
        if len(run.test.class_names) > 2:
            save_figure(kinds_figure(run, grey), options.out / f"{name}_classes.png")
            written.append(f"{name}_classes")
        cli.say(*report(name, grey, maps, run.test.class_names[k]))
        cli.say(*(f"written: {cli.shown(options.out / each)}.png" for each in written))


def parse(argv):
    parser = cli.parser(__doc__)
    outputs = cli.ROOT / "outputs"
    size = cli.number(int, at_least=5, at_most=20_000)
    parser.add_argument("images", type=cli.path, nargs="*", metavar="IMAGE", help="picture (default: a portrait)")
    parser.add_argument("--run", type=cli.path, default=outputs / "train", help="folder that train.py wrote")
    parser.add_argument("--largest", type=size, default=600, help="pixels of the longer side, to which it is shrunk")
    parser.add_argument("--class", dest="class_name", metavar="NAME", help="the class to show (default: the first one)")
    parser.add_argument("--out", type=cli.path, default=outputs / "photograph", help="folder for figures and maps")
    return parser.parse_args(argv)


def class_index(names, options):
    if options.class_name is None:
        return 0
    if options.class_name not in names:
        raise ValueError(f"argument --class: {options.class_name!r} is none of this run's classes {', '.join(names)}")
    return names.index(options.class_name)


def names_of(paths):
    """A name for each picture's files; where another picture's would be the same, with a number."""
    names, taken = [], set()
    for stem in (cli.Path(path).stem for path in paths):
        number, name = 1, stem
        while taken & {name, *(f"{name}_{map_name}" for map_name in MAPS)}:
            number += 1
            name = f"{stem}-{number}"
        names.append(name)
        taken |= {name, *(f"{name}_{map_name}" for map_name in MAPS)}
    return names


def kinds_figure(run, grey):
    maps = [edge_map(network.probabilities, grey, run.test.shape) for network in (run.before, run.after)]
    return photograph_kinds(grey, *maps, run.test.class_names)


def save_map(values, path):
    """Writes (height, width) values from 0 to 1 as a grey PNG of that size, 1 white."""
    image = Image.fromarray(np.round(255 * values).astype(np.uint8))
    with open(path, "wb") as file:
        image.save(file, format="PNG")


def report(name, grey, maps, class_name):
    height, width = grey.shape
    lines = [f"{name}: {width}×{height} pixels, each with the window around it"]
    for stage, log_odds in maps.items():
        lines.append(f"  {stage:8} p({class_name}) > 0.5 at {100 * np.mean(log_odds > 0):5.1f} % of the pixels")
    return lines


if __name__ == "__main__":
    sys.exit(main())
