"""Makes a GIF of training from a saved run: the test patches on their way, or the edges of a photograph appearing."""

from edge_demo.console import cli
from edge_demo.console.pictures import add_flags, stretched

import sys

import numpy as np
from PIL import Image

from edge_demo.evaluation import log_loss
from edge_demo.figures.animation import animation, photograph_animation
from edge_demo.figures.style import rendered
from edge_demo.photographs import default_photograph, edge_map, read_image
from edge_demo.runs.run import load_run, with_parameters

MOST_PATCHES = 2000  # are drawn, so that the file stays small
BETWEEN = 5  # pictures from one saved epoch of training to the next
EACH, SLOW, FAST, LAST = 50, 900, 350, 2500  # milliseconds: of these, of a photograph's first epoch and others, the end


@cli.command
def main(argv):
    options = parse(argv)
    cli.check_folder(options.out)
    out = options.out / ("photograph.gif" if options.photograph else "training.gif")
    if options.photograph:
        cli.check_output(out, [options.photograph])
    run = load_run(options.run)
    grey = None
    if options.photograph:
        grey = read_image(options.photograph, options.largest, run.test.shape)
        grey = stretched(grey, options, options.photograph)
    epochs, names, labels = list(run.snapshots), run.test.class_names, run.test.labels
    networks = [with_parameters(run.after, snapshot) for snapshot in run.snapshots.values()]
    logits = np.array([network.logits(run.test.pixels) for network in networks])
    losses = [log_loss(stage, labels) for stage in logits]
    if options.photograph:
        maps = [edge_map(network.probabilities, grey, run.test.shape)[..., 0] for network in networks]
        figure, draw = photograph_animation(grey, epochs, maps, names[0], losses)
        positions, durations = range(len(epochs)), [SLOW if epoch <= 1 else FAST for epoch in epochs]
    else:
        accuracies = (logits.argmax(axis=2) == labels).mean(axis=1)
        shown = logits[:, :MOST_PATCHES], labels[:MOST_PATCHES]
        figure, draw = animation(epochs, *shown, names, losses, accuracies)
        positions = glide(np.arange((len(epochs) - 1) * BETWEEN + 1) / BETWEEN)
        durations = [EACH] * len(positions)
    options.out.mkdir(parents=True, exist_ok=True)
    pictures = [picture(figure, draw, position) for position in positions]
    save_gif(pictures, [*durations[:-1], LAST], out)
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


def glide(positions):
    """Slower near each saved epoch, so that the eye can rest there."""
    share = positions % 1
    return positions - share + share * share * (3 - 2 * share)


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
