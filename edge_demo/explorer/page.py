"""The explorer: one HTML page of a run, on which a learner paints a patch and sees every number that follows.

The page is made of the files in page/, joined, and of the run's numbers as JSON. It needs no network.
To change the page, edit those files; to give it another number, add it to _data below and read it in run.js.
"""

import base64
import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np

from edge_demo.datasets.patches import KIND_NAMES
from edge_demo.photographs import default_photograph, read_image
from edge_demo.runs.run import OtherData, layer_sizes, training_patches, with_parameters
from edge_demo.softmax import cross_entropy

PAGE = Path(__file__).parent / "page"
MODULES = ("softmax", "random", "network", "optimizers", "training", "generator", "parts", "run", "live", "state")
MODULES += ("format", "play", "draw", "patch", "hidden", "steps", "curves", "lossarea", "scores", "plane", "picture")
MODULES += ("photograph", "truth", "panel", "predict", "tour", "main")
LAYERS = ("Center", "Dense", "ReLU", "Tanh")  # what network.js knows
MOST_BYTES = 590_000  # of the whole page; patches are left out, and then points of training, to stay below
MOST_FOR_WEIGHTS = 200_000
LARGEST_PHOTOGRAPH = 160  # pixels of its longer side
MOST_TO_TRAIN = 500_000  # pixels of all training patches, beyond which the page does not train on them
MOST_EPOCHS = 400  # points of the loss curve
SCALES = (10_000, 255, 1)  # pixels with four decimals, of 8-bit images, whole numbers: 16 bits hold them without loss
ROUNDED = (10_000, 1000, 100, 10, 1)  # for other pixels, where float64 would leave too few patches


class UnknownLayer(ValueError):
    """The network has a layer that the page cannot compute."""


def explorer_page(run):
    """The page of a run (an edge_demo.runs.Run) as text; the same run gives the same text.

    Raises UnknownLayer.
    """
    unknown = {type(layer).__name__ for layer in run.after.layers} - set(LAYERS)
    if unknown:
        raise UnknownLayer(
            f"the explorer knows no {', '.join(sorted(unknown))}: "
            "add it to edge_demo/explorer/page/network.js, and to LAYERS in edge_demo/explorer/page.py"
        )
    page, style = ((PAGE / name).read_text(encoding="utf-8") for name in ("index.html", "style.css"))
    script = "\n".join(_without_imports((PAGE / f"{name}.js").read_text(encoding="utf-8")) for name in MODULES)
    parts = {
        '<link rel="stylesheet" href="style.css" />': f"<style>\n{style}</style>",
        '<script type="module" src="main.js"></script>': f'<script type="module">\n{script}</script>',
    }
    for tag, text in parts.items():
        page = page.replace(tag, text)
    before, after = page.split('id="run-data">')
    data = _data(run, MOST_BYTES - len(page.encode()))
    return f'{before}id="run-data">{_json(data)}{after}'


def write_explorer(run, path):
    """Writes the page of a run to a file; errors as for explorer_page."""
    page = explorer_page(run)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(page)


def _without_imports(module):
    """A JavaScript module as part of one script: all names of all modules stand side by side."""
    module = re.sub(r"^import .*?;\n", "", module, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^export ", "", module, flags=re.MULTILINE)


def _json(data):
    """JSON that an HTML page can hold, whatever the names in it: no <, so no tag and no </script> can begin."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def _data(run, room):
    """What run.js reads, in about so many bytes."""
    test, kinds_known = run.test, run.test.kinds is not None
    exact = run.generator is not None
    epochs = run.history.epoch
    batches = -(-run.settings["data"]["train"] // run.settings["batch_size"])
    kept = _spread(list(run.snapshots), max(2, MOST_FOR_WEIGHTS * 3 // 4 // (8 * _flat(run.after.arrays).size)))
    curve = _spread(range(len(epochs)), MOST_EPOCHS)
    checked = test.pixels[: max(1, 200 // test.pixels.shape[1])]
    data = {
        "shape": test.shape,
        "class_names": list(test.class_names),
        "target": run.settings["target"],
        "layers": [_layer(layer) for layer in run.after.layers],
        "snapshots": {
            "steps": [epoch * batches for epoch in kept],
            "epochs": kept,
            **_losses(run, [run.snapshots[epoch] for epoch in kept]),
            "parameters": _base64(np.array([_flat(run.snapshots[epoch]) for epoch in kept]), "<f8"),
        },
        "history": {
            "epoch": [epochs[i] for i in curve],
            "test_loss": [run.history.test_loss[i] for i in curve],
        },
        "settings": _settings(run),
        "training": None,
        "training_note": None,
        "photograph": _photograph(run),
        "description": _description(run),
        "usual_distance": None if exact else _usual_distance(test.pixels),
        "bayes_loss": cross_entropy(run.log_posterior, test.labels) if exact else None,
        "range": _range(test.pixels),
        "groups": list(KIND_NAMES if kinds_known else test.class_names),
        "generator": asdict(run.generator) if exact else None,
        "check": {"pixels": _base64(checked, "<f8"), "logits": _base64(run.after.logits(checked), "<f8")},
    }
    if not exact:
        data["training"], data["training_note"] = _training(run, (room - len(_json(data))) // 2)
    data["patches"] = _patches(run, room - len(_json(data)))
    if not _is_lossless(test.pixels, data["patches"]["scale"]):
        data["description"] += " To keep this page small, the pixels of its test patches are rounded."
    return data


def _patches(run, room):
    """Test patches in about so many bytes, as many of each kind, or class; at least one of each, whatever the room."""
    test = run.test
    groups = test.labels if test.kinds is None else test.kinds
    scale = _scale(test.pixels, room)
    shown = _some_of_each(groups, max(int(room / _bytes_each(test, scale)), len(np.unique(groups))))
    return {
        "total": len(test),
        "index": _base64(shown, "<i4"),
        "groups": _base64(groups[shown], "u1"),
        **_packed(test[shown], scale),
    }


def _training(run, room):
    """The patches that the page's own training needs where it cannot draw them, or None; and why, if there are none."""
    left_out = "The page cannot train here: the training patches of this run"
    if run.settings["data"]["train"] * run.test.pixels.shape[1] > MOST_TO_TRAIN:
        return None, f"{left_out} are too many to be part of it."
    try:
        patches = training_patches(run)
    except OtherData:
        return None, f"{left_out} have changed since."
    except (OSError, ValueError):
        return None, f"{left_out} are no longer where they were."
    scale = _scale(patches.pixels, room)
    if _bytes_each(patches, scale) * len(patches) > room:
        return None, f"{left_out} are too many to be part of it."
    return _packed(patches, scale), None


def _packed(patches, scale):
    """Pixels and labels as text."""
    numbers = patches.pixels if scale is None else np.round(patches.pixels * scale)
    pixels = _base64(numbers, "<f8" if scale is None else "<i2")
    return {"labels": _base64(patches.labels, "u1"), "scale": scale, "pixels": pixels}


def _scale(pixels, room):
    """The scale that _packed needs: one without loss where there is one, else float64 (None) where that fits."""
    for scale in SCALES:
        if _is_lossless(pixels, scale):
            return scale
    fitting = [scale for scale in ROUNDED if (np.abs(pixels * scale) < 2**15).all()]
    return fitting[0] if fitting and pixels.size * 8 * 4 / 3 > room else None


def _bytes_each(patches, scale):
    """What one patch takes in the page: base64 makes 4 bytes of 3."""
    return (patches.pixels.shape[1] * (8 if scale is None else 2) + 6) * 4 / 3


def _layer(layer):
    name = type(layer).__name__
    if name == "Dense":
        return {"type": name, "inputs": layer.weights.shape[0], "outputs": layer.weights.shape[1]}
    return {"type": name, "value": layer.value} if name == "Center" else {"type": name}


def _settings(run):
    """What the page's own training begins with."""
    names = [type(layer).__name__ for layer in run.after.layers]
    return {name: run.settings[name] for name in ("optimizer", "lr", "batch_size", "seed")} | {
        "hidden": layer_sizes(run.after, run.test.pixels.shape[1])[1:-1],
        "activation": "Tanh" if "Tanh" in names else "ReLU",
        "train": run.settings["data"]["train"],
    }


def _photograph(run):
    """The portrait, in grey levels of 8 bits; None where the patches are not those of the generator."""
    if run.generator is None:
        return None
    grey = read_image(default_photograph(), largest=LARGEST_PHOTOGRAPH)
    height, width = grey.shape
    return {"width": width, "height": height, "pixels": _base64(np.round(grey * 255), "u1")}


def _losses(run, snapshots):
    """Loss and accuracy of the test patches at each point of training."""
    losses, accuracies = [], []
    for snapshot in snapshots:
        logits = with_parameters(run.after, snapshot).logits(run.test.pixels)
        losses.append(cross_entropy(logits, run.test.labels))
        accuracies.append(float((logits.argmax(axis=1) == run.test.labels).mean()))
    return {"test_loss": losses, "test_accuracy": accuracies}


def _flat(arrays):
    """A dict of arrays as one vector."""
    return np.concatenate([array.ravel() for array in arrays.values()])


def _description(run):
    settings = run.settings
    sizes = "-".join(map(str, layer_sizes(run.after, run.test.pixels.shape[1])))
    data, epochs = settings["data"], f"{settings['epochs']:,}"
    if run.interrupted_at is not None:
        epochs = f"{run.interrupted_at:,} of {epochs}"
    return (
        f"The network: {sizes}, {_flat(run.after.arrays).size:,} parameters, trained for {epochs} epochs on "
        f"{data['train']:,} patches, in batches of {settings['batch_size']:,}, by {settings['optimizer']} at learning "
        f"rate {settings['lr']:g}, seed {settings['seed']}; losses are those of {len(run.test):,} test patches."
    )


def _range(pixels):
    """What a brush paints, from dark to light: 0 to 1, unless the patches are of quite another scale."""
    low, high = float(pixels.min()), float(pixels.max())
    return [0.0, 1.0] if -1 < low < high < 2.5 else [np.floor(low), max(np.ceil(high), np.floor(low) + 1)]


def _usual_distance(pixels, most=1000):
    """How far test patches are from the nearest other one: the median and the largest distance."""
    pixels = pixels[:most]
    squares = (pixels**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * pixels @ pixels.T
    np.fill_diagonal(distances, np.inf)
    nearest = np.sqrt(np.maximum(distances.min(axis=1), 0.0))
    if len(pixels) < 2:
        nearest = np.zeros(1)
    return {"median": float(np.median(nearest)), "largest": float(nearest.max())}


def _is_lossless(pixels, scale):
    """Whether 16-bit whole numbers, divided by scale, give these float64 pixels back, to the last bit."""
    if scale is None:  # they travel as float64
        return True
    numbers = np.round(pixels * scale)
    return bool((np.abs(numbers) < 2**15).all() and (numbers / scale == pixels).all())


def _some_of_each(groups, count):
    """Indexes of at most count patches, in order: as many of each group, as far as there are."""
    if count >= len(groups):
        return np.arange(len(groups))
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], groups[order])
    rank = np.empty(len(groups), dtype=int)
    rank[order] = np.arange(len(groups)) - starts  # 0 for the first of its group, 1 for the second
    return np.sort(np.argsort(rank, kind="stable")[:count])


def _spread(values, count):
    """At most count of the values, the first and the last among them."""
    values = list(values)
    places = np.linspace(0, len(values) - 1, min(count, len(values))).round().astype(int)
    return [values[i] for i in np.unique(places)]


def _base64(array, dtype):
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode("ascii")
