"""How good is the edge map, and where is it not? Drawn scenes, whose edges are known exactly, beside classic filters.

    python benchmarks/edges.py               prints the table
    python benchmarks/edges.py --write-docs  also writes docs/edges.md and its picture

A scene holds polygons, discs and stripes of several contrasts, anti-aliased, then noise. A pixel is an edge where a
true boundary passes within half a pixel of its centre. The score is the area under the ROC curve, the mean of several
scenes and their standard deviation. Canny joins in where scikit-image is installed.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.patches import EDGE_KINDS, Patches
from edge_demo.figures import style
from edge_demo.network import build_network
from edge_demo.optimizers import SGD, Adam
from edge_demo.photographs import edge_map, sobel_magnitude
from edge_demo.training import train

DOCS = Path(__file__).resolve().parent.parent / "docs"
try:
    from skimage.feature import canny
except ImportError:
    canny = None

GENERATOR = PatchGenerator(noise=0.1, brightness=(0.5, 0.2), contrast=(0.3, 0.1))
NOISES = 0.0, 0.02, 0.05, 0.1, 0.2
CELL, CELLS = 64, 3  # a scene is CELLS × CELLS shapes, each in a square of CELL pixels
CONTRASTS = 0.15, 0.3, 0.45
gaussian_gradient = partial(ndimage.gaussian_gradient_magnitude, mode="mirror")  # the first half of Canny's detector


def draw_scene(rng):
    """A scene without noise, (192, 192), and the distance of each pixel's centre to the nearest boundary, in pixels."""
    scene = np.full((CELL * CELLS, CELL * CELLS), rng.uniform(0.45, 0.55))
    distance = np.empty_like(scene)
    y, x = np.indices((CELL, CELL)) + 0.5 - CELL / 2
    for i, (row, column) in enumerate(np.ndindex(CELLS, CELLS)):
        beyond = (polygon, disc, stripes)[i % 3](x, y, rng)  # pixels beyond the boundary, negative inside
        cell = np.s_[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
        scene[cell] += rng.choice([-1, 1]) * rng.choice(CONTRASTS) * (0.5 - beyond).clip(0, 1)
        distance[cell] = np.abs(beyond)
    return scene, distance


def disc(x, y, rng):
    radius = rng.uniform(8, 26)
    left, top = rng.uniform(radius - 30, 30 - radius, 2)
    return np.hypot(x - left, y - top) - radius


def polygon(x, y, rng):
    """Three to six sides around the middle, and up to four more where it would leave its square."""
    sides = rng.integers(3, 7)
    angles = 2 * np.pi * (np.arange(sides) + rng.uniform(-0.3, 0.3, sides)) / sides + rng.uniform(0, 2 * np.pi)
    beyond = [np.abs(x) - 29, np.abs(y) - 29]
    beyond += [x * np.cos(angle) + y * np.sin(angle) - rng.uniform(9, 24) for angle in angles]
    return np.max(beyond, axis=0)


def stripes(x, y, rng):
    """Three parallel bars, 5 to 9 pixels wide and apart."""
    width, angle = rng.uniform(5, 9), rng.uniform(0, np.pi)
    across, along = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    bars = [np.maximum(np.abs(across - 2 * k * width) - width / 2, np.abs(along) - 16) for k in (-1, 0, 1)]
    return np.min(bars, axis=0)


# what is compared


def default_network(rng):
    """The network that train.py trains: 16 units, 4,000 patches, 40 epochs."""
    network = build_network(25, [16], 2, rng)
    train(network, GENERATOR.sample(4000, rng), epochs=40, batch_size=32, optimizer=SGD(0.2), rng=rng)
    return network


def large_network(patches, rng):
    """64 units on many patches, by Adam, whose steps shrink twice."""
    network, optimizer = build_network(25, [64], 2, rng), Adam(0.003)
    for optimizer.learning_rate, epochs in ((0.003, 6), (0.0006, 2), (0.0001, 1)):
        train(network, patches, epochs=epochs, batch_size=200, optimizer=optimizer, rng=rng)
    return network


def middle_patches(n, rng):
    """Patches that are Edge only where the step passes beside the middle pixel; noise from 0.02 to 0.2.

    They are drawn without noise first, because only then the pixels tell where their step is.
    """
    noiseless = PatchGenerator(1e-9, GENERATOR.brightness, GENERATOR.contrast).sample(n, rng)
    middle, neighbours = noiseless.pixels[:, [12]], noiseless.pixels[:, [7, 11, 13, 17]]
    steps_beside_it = (np.abs(neighbours - middle) > 1e-6).any(axis=1)
    labels = np.where((noiseless.kinds < EDGE_KINDS) & steps_beside_it, 0, 1)
    noise = rng.choice([0.02, 0.05, 0.1, 0.2], (n, 1)) * rng.normal(size=noiseless.pixels.shape)
    return Patches(noiseless.pixels + noise, labels)


def score_map(of, sigma=0):
    """A function of a grey image, smoothed by sigma pixels: the difference of the scores that of gives each window."""

    def method(grey):
        smooth = ndimage.gaussian_filter(grey, sigma, mode="mirror") if sigma else grey
        return edge_map(lambda pixels: of(pixels) @ [1, -1], smooth)

    return method


def canny_score(grey):
    """How many of ten thresholds leave the pixel among Canny's edges: its answer is only yes or no."""
    thresholds = 8 * np.quantile(
        gaussian_gradient(grey, 2), np.linspace(0.5, 0.99, 10)
    )  # its Sobel is not divided by 8
    return sum(canny(grey, 2, 0.4 * high, high).astype(float) for high in thresholds)


def methods(rng):
    """Two dicts from a name to a function of a grey image that returns a score of each pixel: learned, and classic."""
    small = default_network(rng).logits
    large = large_network(GENERATOR.sample(200_000, rng), rng).logits
    middle = large_network(middle_patches(200_000, rng), rng).logits
    learned = {
        "learned, 16 units": score_map(small),
        "learned, 16 units, smoothing σ = 1": score_map(small, 1),
        "learned, 64 units": score_map(large),
        "learned, 64 units, step in the middle": score_map(middle),
        "learned, 64 units, step in the middle, smoothing σ = 1": score_map(middle, 1),
        "learned, 64 units, step in the middle, smoothing σ = 2": score_map(middle, 2),
        "exact posterior": score_map(GENERATOR.log_posterior),
    }
    classic = {
        "Sobel": sobel_magnitude,
        "Gaussian gradient, σ = 1": partial(gaussian_gradient, sigma=1),
        "Gaussian gradient, σ = 2": partial(gaussian_gradient, sigma=2),
    }
    return learned, classic if canny is None else classic | {"Canny, σ = 2": canny_score}


def score(compared, scenes, rng):
    """The area under the ROC curve: a dict from a name to an array (noises, scenes)."""
    areas = {name: np.empty((len(NOISES), len(scenes))) for name in compared}
    for j, (scene, distance) in enumerate(scenes):
        grain = rng.normal(size=scene.shape)
        for i, noise in enumerate(NOISES):
            for name, method in compared.items():
                areas[name][i, j] = roc_auc_score(distance.ravel() <= 0.5, method(scene + noise * grain).ravel())
    return areas


# what is written


def table(areas):
    """Markdown: a row a method, a column a noise; mean ± standard deviation over scenes."""
    lines = [
        "| method | " + " | ".join(f"noise {noise:g}" for noise in NOISES) + " |",
        "| --- " * (1 + len(NOISES)) + "|",
    ]
    for name, values in areas.items():
        cells = [f"{scenes.mean():.3f} ± {scenes.std(ddof=1):.3f}" for scenes in values]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def answer(areas, learned, classic, i):
    """A line about one noise: the best filter, the default network, the best learned map."""
    mean = {name: values[i].mean() for name, values in areas.items()}
    rival, best = max(classic, key=mean.get), max(learned, key=mean.get)
    won = np.count_nonzero(areas[best][i] > areas[rival][i])
    return (
        f"- Noise {NOISES[i]:g}: the network of `train.py` reaches {mean['learned, 16 units']:.3f}, the best filter, "
        f"{rival}, {mean[rival]:.3f};\n  the best learned map, {best.removeprefix('learned, ')}, {mean[best]:.3f}: "
        f"better in {won} of {areas[best].shape[1]} scenes."
    )


@style.drawn
def scores_figure(areas, classic):
    """A Figure of the ROC area against noise; those of the classic filters are dashed."""
    better = (areas["learned, 16 units"] > areas["Sobel"]).mean(axis=1) > 0.5
    ahead = ", ".join(f"{noise:g}" for noise in np.array(NOISES)[better]) or "none"
    figure = style.new_figure(4.6, f"The default network finds edges better than Sobel's filter at noise {ahead}")
    axes = style.add_axes(figure, 0.7, 0.6, 4.0, 3.4)
    axes.set_prop_cycle(color=style.COLORS)
    for name, scenes in areas.items():
        axes.plot(NOISES, scenes.mean(axis=1), "--s" if name in classic else "-o", ms=4, label=name)
    axes.set(xlabel="noise (standard deviation, white = 1)", xticks=NOISES, ylabel="area under the ROC curve")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


TEXT = """# How good is the edge map, and where is it not?

{answers}

Written by `python benchmarks/edges.py --write-docs`. {scenes} drawn scenes with polygons, discs and stripes of
contrast 0.15, 0.3 and 0.45, anti-aliased, with noise added; a pixel is an edge where a true boundary passes within half
a pixel of its centre. The score is the area under the ROC curve, its mean over the scenes ± their standard deviation.
The best of each sort is picked afterwards, on these scenes.

![ROC area against noise](edges.png)

{table}

## The learned maps
- **16 units**: the network that `train.py` trains in half a second. It says Edge wherever a step crosses its 5×5
  window, also 1.5 pixels off the middle, so its lines are some four pixels wide. These scores ask for lines one pixel
  wide: on clean pictures that is what it loses by. The exact posterior answers the same question, and loses likewise.
- **64 units**: four times as many, on 200,000 patches of the same generator: more knowledge of the same question.
- **64 units, step in the middle**: another question. Patches are called Edge only where the step passes beside the
  middle pixel, and each patch's noise is 0.02, 0.05, 0.1 or 0.2. It trains in seconds.
- **smoothing**: the same network on the picture smoothed by a Gaussian of σ pixels, as the Gaussian gradient does
  before it takes differences. A window of 5×5 pixels cannot average over more noise than it holds. No single σ is best
  at every noise, here as there.

## What the map does not know
The generator draws seven kinds of patches, so every window is called the most similar of seven.

- **Texture** is full of steps within 5 pixels, so it is edge nearly everywhere, and its shape is lost.
- **An edge broader than 5 pixels** is a slope within each window: a ramp, or flat, and both are No Edge.
- **Corners** are no kind: near them the window is called whichever straight step is most similar.
- **Thin lines** have two steps. Those wider than a window's half give two edges, finer ones become specks or nothing.

So it depends on the scale, `--largest`: what is broad at 600 pixels is a step at 150, and what is a shape at 600 is
texture at 150. With the seven kinds as classes (`train.py --target kind`, then `detect_edges.py`), each direction has
its colour:

![The most probable kind at each pixel, before and after training](photograph_kinds.png)
"""


def main():
    parser = argparse.ArgumentParser(description="How good is the edge map, beside classic filters?")
    parser.add_argument("--scenes", type=int, default=12, help="how many scenes are drawn (default: 12, at least 2)")
    parser.add_argument("--write-docs", action="store_true", help="write docs/edges.md and its picture")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    learned, classic = methods(rng)
    areas = score(learned | classic, [draw_scene(rng) for _ in range(arguments.scenes)], rng)
    answers = "\n".join(answer(areas, learned, classic, NOISES.index(noise)) for noise in (0.0, 0.1, 0.2))
    print(f"{answers}\n\n{table(areas)}")
    if arguments.write_docs:
        style.save_figure(scores_figure(areas, classic), DOCS / "edges.png")
        text = TEXT.format(answers=answers, scenes=arguments.scenes, table=table(areas))
        (DOCS / "edges.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
