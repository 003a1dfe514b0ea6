"""How good is the edge map, and where is it not? Drawn scenes, whose edges are known exactly, beside classic filters.

    python benchmarks/edges.py               prints the table
    python benchmarks/edges.py --write-docs  also writes docs/edges.md and its three pictures

A scene holds polygons, discs and stripes of several contrasts, anti-aliased, then noise. A pixel is an edge where a
true boundary passes within half a pixel of its centre. Scores: area under the ROC curve, and average precision, each
the mean of several scenes and their standard deviation. Canny joins in where scikit-image is installed.
"""

import argparse
import time
from functools import cache, partial
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from scipy import ndimage
from sklearn.metrics import average_precision_score, roc_auc_score

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.patches import EDGE_KINDS, KIND_NAMES, Patches
from edge_demo.figures import style
from edge_demo.network import build_network
from edge_demo.optimizers import SGD, Adam
from edge_demo.photographs import (
    default_photograph,
    edge_map,
    read_image,
    sobel_magnitude,
)
from edge_demo.training import train

ROOT = Path(__file__).resolve().parent.parent
try:
    from skimage.feature import canny
except ImportError:
    canny = None

GENERATOR = PatchGenerator(noise=0.1, brightness=(0.5, 0.2), contrast=(0.3, 0.1))
NOISES = 0.0, 0.02, 0.05, 0.1, 0.2
CELL, CELLS = 64, 3  # a scene is CELLS × CELLS shapes, each in a square of CELL pixels
FINE = 8  # samples across a pixel, for anti-aliasing
CONTRASTS = 0.15, 0.3, 0.45
gaussian_magnitude = partial(ndimage.gaussian_gradient_magnitude, mode="mirror")  # the first half of Canny's detector


def draw_scene(rng):
    """A scene without noise, (192, 192), and the distance of each pixel's centre to the nearest boundary, in pixels."""
    background = rng.uniform(0.45, 0.55)
    scene = np.full((CELL * CELLS, CELL * CELLS), background)
    distance = np.full(scene.shape, np.inf)
    shapes = [draw_polygon, draw_disc, draw_stripes]
    for i in range(CELLS * CELLS):
        row, column = divmod(i, CELLS)
        cell = np.s_[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
        coverage, distance[cell] = shapes[i % 3](rng)
        scene[cell] += rng.choice([-1, 1]) * rng.choice(CONTRASTS) * coverage
    return scene, distance


def draw_disc(rng):
    """Coverage and distance to the boundary of a disc, (CELL, CELL) each."""
    radius = rng.uniform(8, 26)
    center = rng.uniform(radius + 2, CELL - radius - 2, 2)
    fine, centers = (np.hypot(*(points - center).T) - radius for points in (fine_points(), pixel_centers()))
    return averaged(fine < 0), np.abs(centers).reshape(CELL, CELL)


def draw_polygon(rng):
    """Coverage and distance to the boundary of a polygon of 3 to 6 corners around the middle, (CELL, CELL) each."""
    corners = rng.integers(3, 7)
    angles = 2 * np.pi * (np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) / corners + rng.uniform(0, 2 * np.pi)
    radii = rng.uniform(14, 29, corners)
    return fill([CELL / 2 + radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])])


def draw_stripes(rng):
    """Coverage and distance to the boundary of three parallel bars, 5 to 9 pixels wide and apart, (CELL, CELL) each."""
    width = rng.uniform(5, 9)
    angle = rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    bar = np.array([[-width / 2, -16], [width / 2, -16], [width / 2, 16], [-width / 2, 16]])
    return fill([CELL / 2 + (bar + np.array([shift * 2 * width, 0])) @ turn for shift in (-1, 0, 1)])


def fill(polygons):
    """Coverage of polygons that do not overlap, and distance to their boundary; each (corners, 2), in pixels."""
    inside = np.zeros(len(fine_points()), dtype=bool)
    distance = np.full(len(pixel_centers()), np.inf)
    for corners in polygons:
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            inside ^= crosses(fine_points(), a, b)
            distance = np.minimum(distance, distance_to_segment(pixel_centers(), a, b))
    return averaged(inside), distance.reshape(CELL, CELL)


def crosses(points, a, b):
    """Whether a ray from each point, along the second coordinate, crosses the segment from a to b: an odd number of
    crossings means inside.
    """
    beside = (points[:, 0] < a[0]) != (points[:, 0] < b[0])
    if not beside.any():
        return beside
    at = a[1] + (points[:, 0] - a[0]) * (b[1] - a[1]) / (b[0] - a[0])
    return beside & (points[:, 1] < at)


def distance_to_segment(points, a, b):
    along = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
    return np.hypot(*(points - a - along[:, None] * (b - a)).T)


@cache
def pixel_centers():
    return np.indices((CELL, CELL)).reshape(2, -1).T + 0.5


@cache
def fine_points():
    return (np.indices((CELL * FINE, CELL * FINE)).reshape(2, -1).T + 0.5) / FINE


def averaged(inside):
    return inside.reshape(CELL, FINE, CELL, FINE).mean(axis=(1, 3))


# what is compared


def default_network(rng):
    """The network that train.py trains: 16 units, 4,000 patches, 40 epochs."""
    network = build_network(25, [16], 2, rng)
    patches = GENERATOR.sample(4000, rng)
    train(network, patches, epochs=40, batch_size=32, optimizer=SGD(0.2), rng=rng)
    return network


def large_network(patches, rng):
    """64 units on many patches, by Adam, whose steps shrink twice."""
    network = build_network(25, [64], 2, rng)
    optimizer = Adam(0.003)
    for learning_rate, epochs in ((0.003, 6), (0.0006, 2), (0.0001, 1)):
        optimizer.learning_rate = learning_rate
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


def difference(scores):
    return scores[:, 0] - scores[:, 1]


def smoothed(grey, sigma):
    return ndimage.gaussian_filter(grey, sigma, mode="mirror") if sigma else grey


def local_deviation(grey):
    """Standard deviation of the 5×5 window around each pixel."""
    mean, mean_square = (ndimage.uniform_filter(values, 5, mode="mirror") for values in (grey, grey**2))
    return np.sqrt(np.maximum(mean_square - mean**2, 0))


def canny_score(grey):
    """How many of ten thresholds leave the pixel among Canny's edges: its answer is only yes or no."""
    magnitude = gaussian_magnitude(grey, 2)
    thresholds = np.quantile(magnitude, np.linspace(0.5, 0.99, 10))
    return sum(
        canny(grey, 2, 0.4 * high, high).astype(float) for high in 8 * thresholds
    )  # its Sobel is not divided by 8


def methods(rng, say):
    """A dict from a name to a function of a grey image that returns a score of each pixel."""
    start = time.perf_counter()
    small = default_network(rng)
    say(f"default network trained in {time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    large = large_network(GENERATOR.sample(200_000, rng), rng)
    middle = large_network(middle_patches(200_000, rng), rng)
    say(f"two networks of 64 units trained in {time.perf_counter() - start:.1f} s together")

    def learned(network, sigma=0):
        return lambda grey: edge_map(lambda pixels: difference(network.logits(pixels)), smoothed(grey, sigma))

    found = {
        "learned, 16 units": learned(small),
        "learned, 16 units, after smoothing σ = 1": learned(small, 1),
        "learned, 16 units, after smoothing σ = 2": learned(small, 2),
        "learned, 64 units": learned(large),
        "learned, 64 units, step in the middle": learned(middle),
        "learned, 64 units, step in the middle, after smoothing σ = 1": learned(middle, 1),
        "learned, 64 units, step in the middle, after smoothing σ = 2": learned(middle, 2),
        "exact posterior": lambda grey: edge_map(lambda pixels: difference(GENERATOR.log_posterior(pixels)), grey),
        "Sobel": sobel_magnitude,
        "Gaussian gradient, σ = 1": lambda grey: gaussian_magnitude(grey, 1),
        "Gaussian gradient, σ = 2": lambda grey: gaussian_magnitude(grey, 2),
        "Laplacian of Gaussian, σ = 1": lambda grey: np.abs(ndimage.gaussian_laplace(grey, 1, mode="mirror")),
        "local standard deviation": local_deviation,
    }
    if canny is not None:
        found["Canny, σ = 2"] = canny_score
    return found, small


def score(compared, scenes, rng):
    """ROC area and average precision: a dict from a name to an array (noises, scenes, 2)."""
    scores = {name: np.empty((len(NOISES), len(scenes), 2)) for name in compared}
    for j, (scene, distance) in enumerate(scenes):
        is_edge = (distance <= 0.5).ravel()
        grain = rng.normal(size=scene.shape)
        for i, noise in enumerate(NOISES):
            for name, method in compared.items():
                found = method(scene + noise * grain).ravel()
                scores[name][i, j] = roc_auc_score(is_edge, found), average_precision_score(is_edge, found)
    return scores


# what is written

DRAWN = {  # method: colour, line
    "learned, 16 units": (style.COLORS[0], "-"),
    "learned, 64 units, step in the middle": (style.COLORS[4], "-"),
    "learned, 64 units, step in the middle, after smoothing σ = 1": (style.COLORS[4], "--"),
    "learned, 64 units, step in the middle, after smoothing σ = 2": (style.COLORS[4], ":"),
    "exact posterior": (style.COLORS[6], "-"),
    "Sobel": (style.COLORS[5], "-"),
    "Gaussian gradient, σ = 1": (style.COLORS[1], "--"),
    "Gaussian gradient, σ = 2": (style.COLORS[1], ":"),
    "local standard deviation": (style.COLORS[3], "-"),
}
CROP = 36  # pixels
CROPS = {  # what the map does not know, and where the portrait shows it: first row, first column
    "texture": (66, 215),
    "broad edge": (464, 226),
    "corners": (50, 5),
    "thin lines": (482, 112),
}


def table(scores, score):
    """Markdown: a row a method, a column a noise; mean ± standard deviation over scenes. score: 0 ROC, 1 precision."""
    head = "| method | " + " | ".join(f"noise {noise:g}" for noise in NOISES) + " |"
    lines = [head, "| --- " * (1 + len(NOISES)) + "|"]
    for name, values in scores.items():
        cells = [f"{v[:, score].mean():.3f} ± {v[:, score].std(ddof=1):.3f}" for v in values]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def verdicts(scores):
    """For each noise some sentences: the best classic filter by ROC area, and what the learned maps are beside it."""
    plain, middle = "learned, 16 units", "learned, 64 units, step in the middle"
    filters = [name for name in scores if not name.startswith(("learned", "exact"))]
    maps = [name for name in scores if name.startswith("learned")]
    sentences = []
    for i, noise in enumerate(NOISES):
        areas = {name: values[i, :, 0] for name, values in scores.items()}  # (scenes,) each
        mean = {name: values.mean() for name, values in areas.items()}
        rival, best = max(filters, key=mean.get), max(maps, key=mean.get)
        beside = {}
        for name in maps:
            gain = areas[name] - areas[rival]
            won = f"better in {(gain > 0).sum()} of {len(gain)} scenes"
            beside[name] = f"{mean[name]:.3f} ({gain.mean():+.3f}, {won})".replace("(-", "(−")
        sentences.append(
            f"- Noise {noise:g}: the best classic filter is **{rival}**, {mean[rival]:.3f}. "
            f"The default network has {beside[plain]}, 64 units with the step in the middle {beside[middle]}. "
            f"The best learned map is **{best}**, {beside[best]}."
        )
    return "\n".join(sentences)


def scores_figure(scores):
    """ROC area and average precision against noise: a Figure. scores: as score returns them."""
    better = scores["learned, 16 units"][..., 0].mean(axis=1) > scores["Sobel"][..., 0].mean(axis=1)
    ahead, behind = (
        ", ".join(f"{noise:g}" for noise, is_better in zip(NOISES, better, strict=True) if is_better == stage) or "none"
        for stage in (False, True)
    )
    title = f"Sobel's filter is ahead of the default network at noise {ahead}, and behind at {behind}"
    figure = style.new_figure(9, 5.4, title, left=0.08, right=0.98, bottom=0.34, top=0.87, wspace=0.2)
    names = "area under the ROC curve", "average precision"
    for k, (axes, name) in enumerate(zip(figure.subplots(1, 2), names, strict=True)):
        for method, (color, line) in DRAWN.items():
            axes.plot(NOISES, scores[method][..., k].mean(axis=1), line, color=color, marker="o", ms=3, label=method)
        axes.set(xlabel="noise (standard deviation, white = 1)", xticks=NOISES)
        axes.set_title(name, **style.PANEL_TITLE)
        axes.tick_params(labelsize=style.SMALL_SIZE)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    look = {"loc": "lower center", "ncols": 2, "frameon": False, "fontsize": style.SMALL_SIZE}
    figure.legend(*axes.get_legend_handles_labels(), **look)
    return figure


def limits_figure(grey, probability, kinds):
    """Crops of a photograph, what the network says of them, and the most probable of the seven kinds: a Figure.

    grey, probability: (height, width). kinds: (height, width), indexes into KIND_NAMES.
    """
    colors = np.array([to_rgb(style.COLORS[k]) for k in range(len(KIND_NAMES))])
    title = "What seven kinds of 5×5 patches make of what they do not know"
    figure = style.new_figure(9, 7.6, title, left=0.1, right=0.99, bottom=0.13, top=0.9, wspace=0.05, hspace=0.05)
    axes = figure.subplots(3, len(CROPS))
    for column, (what, (row, left)) in enumerate(CROPS.items()):
        crop = np.s_[row : row + CROP, left : left + CROP]
        axes[0, column].set_title(what, **style.PANEL_TITLE)
        axes[0, column].imshow(grey[crop], cmap="gray", vmin=0, vmax=1)
        axes[1, column].imshow(probability[crop], cmap="gray", vmin=0, vmax=1)
        axes[2, column].imshow(colors[kinds[crop]])
        share = np.bincount(kinds[crop].ravel(), minlength=len(KIND_NAMES)) / CROP**2
        first, second = np.argsort(-share)[:2]
        words = ", ".join(f"{KIND_NAMES[k]} {style.percent(share[k])}" for k in (first, second))
        axes[2, column].set_xlabel(words, fontsize=style.SMALL_SIZE)
    for row, words in enumerate(("photograph", "learned p(Edge)", "most probable kind (exact)")):
        axes[row, 0].set_ylabel(words, fontsize=style.TEXT_SIZE)
    for panel in axes.flat:
        panel.set(xticks=[], yticks=[])
    handles = [Patch(color=style.COLORS[k], label=name) for k, name in enumerate(KIND_NAMES)]
    figure.legend(handles=handles, loc="lower center", ncols=7, frameon=False, fontsize=style.SMALL_SIZE)
    return figure


def scale_figure(maps):
    """p(Edge) of one photograph at several sizes, side by side: a Figure. maps: a dict from largest to a map."""
    shares = ", ".join(f"{style.percent((p > 0.5).mean())} at {largest}" for largest, p in maps.items())
    title = f"The share of the portrait that is Edge depends on the scale: {shares}"
    figure = style.new_figure(9, 4.1, title, left=0.01, right=0.99, bottom=0.01, top=0.84, wspace=0.03)
    for axes, (largest, probability) in zip(figure.subplots(1, len(maps)), maps.items(), strict=True):
        axes.imshow(probability, cmap="gray", vmin=0, vmax=1)
        axes.set_title(f"--largest {largest}", **style.PANEL_TITLE)
        axes.set_axis_off()
    return figure


def write_docs(scores, network, scenes):
    """Writes edges.md, edges.png, edges_limits.png and edges_scale.png into docs/."""
    docs = ROOT / "docs"

    def p_edge(grey):
        return edge_map(lambda pixels: network.probabilities(pixels)[:, 0], grey)

    grey = read_image(default_photograph(), 600)
    kinds = edge_map(lambda pixels: GENERATOR.log_posterior(pixels, "kind").argmax(axis=1), grey).astype(int)
    maps = {largest: p_edge(read_image(default_photograph(), largest)) for largest in (150, 300, 600)}
    style.save_figure(scores_figure(scores), docs / "edges.png")
    style.save_figure(limits_figure(grey, maps[600], kinds), docs / "edges_limits.png")
    style.save_figure(scale_figure(maps), docs / "edges_scale.png")
    text = TEXT.format(
        roc=table(scores, 0), precision=table(scores, 1), verdicts=verdicts(scores), scenes=scenes, crop=CROP
    )
    (docs / "edges.md").write_text(text, encoding="utf-8")


TEXT = """# How good is the edge map, and where is it not?

Written by `python benchmarks/edges.py --write-docs`. {scenes} drawn scenes with polygons, discs and stripes of
contrast 0.15, 0.3 and 0.45, anti-aliased, with noise added; a pixel is an edge where a true boundary passes within half
a pixel of its centre. The scores are means over the scenes ± their standard deviation.

![ROC area and average precision against noise](edges.png)

What the numbers support, by area under the ROC curve. The best of each sort is picked afterwards, on these scenes:

{verdicts}

## The learned maps
- **16 units**: the network that `train.py` trains in half a second. It says Edge wherever a step crosses its 5×5
  window, also 1.5 pixels off the middle, so its lines are some four pixels wide. These scores ask for lines one pixel
  wide: on clean pictures that is what it loses by. The exact posterior answers the same question, and loses likewise.
- **64 units**: four times as many, on 200,000 patches of the same generator: more knowledge of the same question.
- **64 units, step in the middle**: another question. Patches are called Edge only where the step passes beside the
  middle pixel, and each patch's noise is 0.02, 0.05, 0.1 or 0.2. It trains in seconds.
- **after smoothing**: the same network on the picture smoothed by a Gaussian of σ pixels, as the Gaussian gradient does
  before it takes differences. A window of 5×5 pixels cannot average over more noise than it holds. No single σ is best
  at every noise, here as there.

## Area under the ROC curve

{roc}

## Average precision

{precision}

## What the map does not know
The generator draws seven kinds of patches, so every window is called the most similar of seven. Crops of {crop}×{crop}
pixels of the portrait show what that means for what is none of them:

![Crops of the portrait](edges_limits.png)

- **Texture** is full of steps within 5 pixels, so it is edge nearly everywhere, and its shape is lost.
- **An edge broader than 5 pixels** is a slope within each window: a ramp, or flat, and both are No Edge.
- **Corners** are no kind: near them the window is called whichever straight step is most similar.
- **Thin lines** have two steps. Those wider than a window's half give two edges, finer ones become specks or nothing.

So it depends on the scale. The same portrait with `--largest` 150, 300 and 600: what is broad at 600 is a step at 150,
and what is a shape at 600 is texture at 150.

![The edge map at three sizes](edges_scale.png)

With the seven kinds as classes (`train.py --target kind`, then `detect_edges.py`), each direction has its colour:

![The most probable kind at each pixel, before and after training](photograph_kinds.png)
"""


def main():
    parser = argparse.ArgumentParser(description="How good is the edge map, beside classic filters?")
    parser.add_argument("--scenes", type=int, default=12, help="how many scenes are drawn (default: 12, at least 2)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write-docs", action="store_true", help="write docs/edges.md and its pictures")
    arguments = parser.parse_args()
    if arguments.scenes < 2:
        parser.error("--scenes must be at least 2: the spread over scenes is shown")

    rng = np.random.default_rng(arguments.seed)
    compared, network = methods(rng, say=print)
    if canny is None:
        print("Canny is left out: scikit-image is not installed")
    scores = score(compared, [draw_scene(rng) for _ in range(arguments.scenes)], rng)
    for k, name in enumerate(("Area under the ROC curve", "Average precision")):
        print(f"\n{name}\n{table(scores, k)}")
    print("\n" + verdicts(scores))
    if arguments.write_docs:
        write_docs(scores, network, arguments.scenes)


if __name__ == "__main__":
    main()
