"""Makes a GIF of the main figure over training from a saved run: the test patches on their way, the loss beside."""

import cli

SECONDS, HELD = 10, 2.5  # in all, and of these on the last picture
MOST_PATCHES = 2000  # are drawn, so that the file stays small
BETWEEN = 5  # pictures from one saved point of training to the next


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--run", type=cli.Path, default=cli.ROOT / "outputs", help="folder that train.py wrote")
    parser.add_argument("--out", type=cli.Path, help="GIF to write (default: training.gif in the run's folder)")
    options = parser.parse_args()

    import numpy as np

    from edge_demo.figures.animation import animation
    from edge_demo.files import replacing
    from edge_demo.runs import load_run
    from edge_demo.softmax import cross_entropy

    run = load_run(options.run)
    if not run.snapshots:
        raise ValueError(f"{options.run} holds no snapshots.npz: train again")
    batches = -(-run.settings["data"]["train"] // run.settings["batch_size"])
    network, logits = run.after, []
    for network.parameters in run.snapshots.values():
        logits.append(network.logits(run.test.pixels))
    losses = [cross_entropy(stage, run.test.labels) for stage in logits]
    accuracies = [np.mean(stage.argmax(axis=1) == run.test.labels) for stage in logits]
    epochs = [step / batches for step in run.snapshots]
    drawn, labels = np.array(logits)[:, :MOST_PATCHES], run.test.labels[:MOST_PATCHES]
    figure, draw = animation(epochs, drawn, labels, run.test.class_names, losses, accuracies)

    points = len(epochs) - 1
    positions = [0.0] + [glide(i / BETWEEN) for i in range(1, points * BETWEEN + 1)]
    pictures = []
    for position in positions:
        draw(position)
        pictures.append(picture(figure))
    colors = palette(pictures[:: max(len(pictures) // 4, 1)] + pictures[-1:])
    pictures = [image.quantize(palette=colors, dither=0) for image in pictures]
    each = round(1000 * (SECONDS - HELD) / max(len(pictures) - 1, 1) / 10) * 10  # milliseconds; a GIF counts in 10
    durations = [each] * (len(pictures) - 1)
    durations.append(1000 * SECONDS - sum(durations))

    out = options.out or options.run / "training.gif"
    with replacing(out, "wb") as file:
        pictures[0].save(
            file, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True
        )
    cli.say(f"written: {cli.shown(out)}")


def glide(position):
    """Slows down near each saved point, so that the eye can rest there."""
    here = int(position)
    share = position - here
    return here + share * share * (3 - 2 * share)


def picture(figure):
    """The figure as an image of Pillow, which matplotlib brings along."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")


def palette(pictures):
    """One palette for all, so that what stands still stays the same; rare colours, as of a class, are kept."""
    from PIL import Image

    width, height = pictures[0].size
    whole = Image.new("RGB", (width, height * len(pictures)))
    for i, part in enumerate(pictures):
        whole.paste(part, (0, i * height))
    return whole.quantize(256, method=Image.Quantize.MAXCOVERAGE)


if __name__ == "__main__":
    cli.run(main)
