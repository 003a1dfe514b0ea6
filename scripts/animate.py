"""Makes a GIF of training from a saved run: the test patches on their way, or the edges of a photograph appearing."""

from edge_demo.console import cli

import sys

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from edge_demo.figures.animation import animation, photograph_animation
from edge_demo.photographs import default_photograph, edge_map, read_image
from edge_demo.runs.run import load_run, with_parameters
from edge_demo.softmax import cross_entropy

SECONDS, HELD = 10, 2.5  # in all, and of these on the last picture
MOST_PATCHES = 2000  # are drawn, so that the file stays small
BETWEEN = 5  # pictures from one saved point of training to the next
SLOW, FAST = 900, 350  # milliseconds of a picture of the photograph, in the first epoch and later


@cli.command
def main(argv):
    options = parse(argv)
    cli.check_folder(options.out)
    run = load_run(options.run)
    epochs = list(run.snapshots)
    networks = [with_parameters(run.after, snapshot) for snapshot in run.snapshots.values()]
    if options.photograph:
        pictures, durations = over_a_photograph(run, networks, epochs)
    else:
        pictures, durations = over_the_test_patches(run, networks, epochs)

    options.out.mkdir(parents=True, exist_ok=True)
    out = options.out / ("photograph.gif" if options.photograph else "training.gif")
    save_gif(pictures, durations, out)
    cli.say(f"written: {cli.shown(out)}, {out.stat().st_size / 1e6:.1f} MB")


def parse(argv):
    parser = cli.parser(__doc__)
    outputs = cli.ROOT / "outputs"
    parser.add_argument("--run", type=cli.path, default=outputs / "train", help="folder that train.py wrote")
    parser.add_argument("--photograph", action="store_true", help="show how the edges of a portrait appear, instead")
    parser.add_argument("--out", type=cli.path, default=outputs / "animation", help="folder for the GIF")
    return parser.parse_args(argv)


def over_the_test_patches(run, networks, epochs):
    """Pictures of the main figure, and how long each is shown, in milliseconds."""
    logits = [network.logits(run.test.pixels) for network in networks]
    losses = [cross_entropy(stage, run.test.labels) for stage in logits]
    accuracies = [np.mean(stage.argmax(axis=1) == run.test.labels) for stage in logits]
    drawn, labels = np.array(logits)[:, :MOST_PATCHES], run.test.labels[:MOST_PATCHES]
    figure, draw = animation(epochs, drawn, labels, run.test.class_names, losses, accuracies)

    points = len(epochs) - 1
    pictures = []
    for position in [0.0] + [glide(i / BETWEEN) for i in range(1, points * BETWEEN + 1)]:
        draw(position)
        pictures.append(picture(figure))
    each = round(1000 * (SECONDS - HELD) / max(len(pictures) - 1, 1) / 10) * 10  # milliseconds; a GIF counts in 10
    durations = [each] * (len(pictures) - 1)
    return pictures, [*durations, 1000 * SECONDS - sum(durations)]


def over_a_photograph(run, networks, epochs):
    """Pictures of the portrait's edge map, and how long each is shown, in milliseconds: at first the longest."""
    grey = read_image(default_photograph(), largest=300)
    maps = [edge_map(lambda x, n=n: n.probabilities(x)[:, 0], grey, run.test.shape) for n in networks]
    losses = [cross_entropy(network.logits(run.test.pixels), run.test.labels) for network in networks]
    figure, draw = photograph_animation(grey, epochs, maps, run.test.class_names[0], losses)

    pictures = []
    for i in range(len(epochs)):
        draw(i)
        pictures.append(picture(figure))
    durations = [SLOW if epoch <= 1 else FAST for epoch in epochs]
    return pictures, [*durations[:-1], int(1000 * HELD)]


def save_gif(pictures, durations, path):
    colors = palette(pictures[:: max(len(pictures) // 4, 1)] + pictures[-1:])
    first, *others = (image.quantize(palette=colors, dither=0) for image in pictures)
    how = {"save_all": True, "append_images": others, "duration": durations, "loop": 0, "optimize": True}
    with open(path, "wb") as file:
        first.save(file, format="GIF", **how)


def glide(position):
    """Slows down near each saved point, so that the eye can rest there."""
    here = int(position)
    share = position - here
    return here + share * share * (3 - 2 * share)


def picture(figure):
    """The figure as an image of Pillow, which matplotlib brings along."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")


def palette(pictures):
    """One palette for all, so that what stands still stays the same; rare colours, as of a class, are kept."""
    width, height = pictures[0].size
    whole = Image.new("RGB", (width, height * len(pictures)))
    for i, part in enumerate(pictures):
        whole.paste(part, (0, i * height))
    return whole.quantize(256, method=Image.Quantize.MAXCOVERAGE)


if __name__ == "__main__":
    sys.exit(main())
