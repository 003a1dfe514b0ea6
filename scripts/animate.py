"""Makes a GIF of training from a saved run: the test patches on their way, or the edges of a photograph appearing."""

from edge_demo.console import cli
from edge_demo.console.pictures import add_flags, read_picture

import sys

import numpy as np
from PIL import Image

from edge_demo.evaluation import log_loss
from edge_demo.figures.animation import animation, photograph_animation
from edge_demo.figures.style import rendered
from edge_demo.photographs import default_photograph, edge_map
from edge_demo.runs.run import load_run, with_parameters

SECONDS, HELD = 10, 2.5  # in all, and of these on the last picture
MOST_PATCHES = 2000  # are drawn, so that the file stays small
BETWEEN = 5  # pictures from one saved epoch of training to the next
SLOW, FAST = 900, 350  # milliseconds of a picture of the photograph, in the first epoch and later


@cli.command
def main(argv):
    options = parse(argv)
    cli.check_folder(options.out)
    out = options.out / ("photograph.gif" if options.photograph else "training.gif")
    if options.photograph:
        cli.check_output(out, [options.photograph])
    run = load_run(options.run)
    grey = read_picture(options.photograph, options, run.test.shape) if options.photograph else None
    networks = [with_parameters(run.after, snapshot) for snapshot in run.snapshots.values()]
    logits = np.array([network.logits(run.test.pixels) for network in networks])
    losses = [log_loss(stage, run.test.labels) for stage in logits]
    if grey is None:
        pictures, durations = over_the_test_patches(run, logits, losses)
    else:
        pictures, durations = over_a_photograph(run, networks, losses, grey)
    options.out.mkdir(parents=True, exist_ok=True)
    save_gif(pictures, durations, out)
    cli.say(f"written: {cli.shown(out)}, {out.stat().st_size / 1e6:.1f} MB")


def parse(argv):
    parser = cli.parser(__doc__)
    outputs = cli.ROOT / "outputs"
    photograph = {"nargs": "?", "type": cli.path, "const": default_photograph(), "metavar": "IMAGE"}
    parser.add_argument("--run", type=cli.path, default=outputs / "train", help="folder that train.py wrote")
    parser.add_argument("--photograph", **photograph, help="show the edges of a picture (of a portrait) instead")
    parser.add_argument("--out", type=cli.path, default=outputs / "animation", help="folder for the GIF")
    add_flags(parser, largest=300)
    return parser.parse_args(argv)


def over_the_test_patches(run, logits, losses):
    """Pictures of the main figure, and how long each is shown, in milliseconds."""
    labels, epochs = run.test.labels, list(run.snapshots)
    accuracies = [np.mean(stage.argmax(axis=1) == labels) for stage in logits]
    shown = logits[:, :MOST_PATCHES], labels[:MOST_PATCHES], run.test.class_names
    figure, draw = animation(epochs, *shown, losses, accuracies)
    positions = np.arange((len(epochs) - 1) * BETWEEN + 1) / BETWEEN
    pictures = [picture(figure, draw, glide(position)) for position in positions]
    each = round(100 * (SECONDS - HELD) / max(len(pictures) - 1, 1)) * 10  # milliseconds; a GIF counts in 10
    return pictures, [each] * (len(pictures) - 1) + [1000 * HELD]


def over_a_photograph(run, networks, losses, grey):
    """Pictures of its edge map, and how long each is shown, in milliseconds: at first the longest."""
    epochs = list(run.snapshots)
    maps = [edge_map(network.probabilities, grey, run.test.shape)[..., 0] for network in networks]
    figure, draw = photograph_animation(grey, epochs, maps, run.test.class_names[0], losses)
    pictures = [picture(figure, draw, i) for i in range(len(epochs))]
    return pictures, [SLOW if epoch <= 1 else FAST for epoch in epochs[:-1]] + [1000 * HELD]


def glide(position):
    """Slows down near each saved epoch, so that the eye can rest there."""
    share = position % 1
    return position - share + share * share * (3 - 2 * share)


def picture(figure, draw, position):
    draw(position)
    return Image.fromarray(rendered(figure)).convert("RGB")


def save_gif(pictures, durations, path):
    """All in one palette, so that what stands still stays the same; rare colours, as of a class, are kept."""
    some = np.vstack([np.asarray(image) for image in [*pictures[:: max(len(pictures) // 4, 1)], pictures[-1]]])
    colors = Image.fromarray(some).quantize(256, method=Image.Quantize.MAXCOVERAGE)
    first, *others = (image.quantize(palette=colors, dither=0) for image in pictures)
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
