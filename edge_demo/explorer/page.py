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

from edge_demo.datasets.patches import KIND_NAMES, InputError
from edge_demo.photographs import default_photograph, read_image
from edge_demo.runs.run import layer_names, layer_sizes, training_patches

PAGE = Path(__file__).parent / "page"
LAYERS = {"Center", "Dense", "ReLU", "Tanh"}  # what layers.js knows
OPTIMIZERS = {"sgd", "momentum", "adam"}  # what descent.js knows
MOST_BYTES = 490_000  # of the whole page; patches are left out, and kept epochs, to stay below
MOST_FOR_WEIGHTS = 110_000  # before base64, which makes 4 bytes of 3
LARGEST_PHOTOGRAPH = 160  # pixels of its longer side
MOST_EPOCHS = 400  # of the loss curve
DECIMALS = 10_000  # the demo's pixels have four, and travel as whole numbers without loss; others as float32


class UnknownLayer(ValueError):
    """The network has a layer that the page cannot compute."""


def explorer_page(run):
    """The page of a run (an edge_demo.runs.Run) as text; the same run gives the same text.

    Raises UnknownLayer, for an optimizer that the page lacks, too.
    """
    unknown = set(layer_names(run.after)) - LAYERS
    if unknown:
        raise UnknownLayer(
            f"the explorer knows no {', '.join(sorted(unknown))}: "
            "add it to edge_demo/explorer/page/layers.js, and to LAYERS in edge_demo/explorer/page.py"
        )
    if run.settings["optimizer"] not in OPTIMIZERS:
        raise UnknownLayer(
            f"the explorer knows no optimizer {run.settings['optimizer']}: "
            "add it to edge_demo/explorer/page/descent.js, and to OPTIMIZERS in edge_demo/explorer/page.py"
        )
    page, style = ((PAGE / name).read_text(encoding="utf-8") for name in ("index.html", "style.css"))
    scripts = {}
    _collect("main", scripts)
    script = "\n".join(scripts.values())
    page = page.replace('<link rel="stylesheet" href="style.css" />', f"<style>\n{style}</style>")
    page = page.replace('<script type="module" src="main.js"></script>', f'<script type="module">\n{script}</script>')
    before, after = page.split('id="run-data">')
    data = _data(run, MOST_BYTES - len(page.encode()))
    return f'{before}id="run-data">{_json(data)}{after}'


def write_explorer(run, path):
    """Writes the page of a run to a file; errors as for explorer_page."""
    Path(path).write_text(explorer_page(run), encoding="utf-8", newline="")


def _collect(name, scripts):
    """Adds a JavaScript module to scripts, after what it imports: in the page, all their names stand side by side."""
    if name in scripts:
        return
    module = (PAGE / f"{name}.js").read_text(encoding="utf-8")
    for imported in re.findall(r'^import .*?"\./(\w+)\.js";\n', module, flags=re.DOTALL | re.MULTILINE):
        _collect(imported, scripts)
    module = re.sub(r"^import .*?;\n", "", module, flags=re.DOTALL | re.MULTILINE)
    scripts[name] = re.sub(r"^export ", "", module, flags=re.MULTILINE)


def _json(data):
    """JSON that an HTML page can hold, whatever the names in it: no <, so no tag and no </script> can begin."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def _data(run, room):
    """What run.js reads, in about so many bytes."""
    test, exact = run.test, run.generator is not None
    parameters = [np.concatenate([kept[name].ravel() for name in run.after.arrays]) for kept in run.snapshots.values()]
    kept = _spread(len(parameters), max(2, MOST_FOR_WEIGHTS // parameters[0].nbytes))
    kept_epochs = [list(run.snapshots)[i] for i in kept]
    epochs = sorted({*kept_epochs, *_spread(len(run.history.epoch), MOST_EPOCHS)})
    checked = test.pixels[:4]
    data = {
        "shape": test.shape,
        "class_names": list(test.class_names),
        "target": run.settings["target"],
        "layers": [_layer(layer) for layer in run.after.layers],
        "snapshots": {"epochs": kept_epochs, "parameters": _base64([parameters[i] for i in kept], "<f8")},
        "history": {name: [values[i] for i in epochs] for name, values in asdict(run.history).items()},
        "settings": _settings(run),
        "photograph": _photograph() if exact else None,
        "description": _description(run),
        "groups": list(test.class_names if test.kinds is None else KIND_NAMES),
        "examples": run.examples().tolist(),
        "generator": asdict(run.generator) if exact else None,
        "check": {"pixels": _base64(checked, "<f8"), "logits": _base64(run.after.logits(checked), "<f8")},
    }
    training = (None, None) if exact else _training(run, (room - len(_json(data))) // 2)
    data["training"], data["training_note"] = training
    data["patches"] = _patches(run, room - len(_json(data)))
    return data


def _patches(run, room):
    """Test patches in about so many bytes, as many of each kind, or class; at least one of each, and the examples."""
    groups = run.test.labels if run.test.kinds is None else run.test.kinds
    kinds, fitting = np.unique(groups), room / _bytes_each(run.test)
    each = len(groups) if fitting >= len(groups) else max(1, int(fitting / len(kinds)))
    shown = np.concatenate([run.examples(), *(np.flatnonzero(groups == kind)[:each] for kind in kinds)])
    shown = np.unique(shown)
    return {
        "total": len(run.test),
        "index": _base64(shown, "<i4"),
        "groups": _base64(groups[shown], "u1"),
        **_packed(run.test[shown]),
    }


def _training(run, room):
    """The patches that the page's own training needs where it cannot draw them, or None; and why, if there are none."""
    left_out = "The page cannot train here: the training patches of this run"
    try:
        patches = training_patches(run)
    except (OSError, InputError):
        return None, f"{left_out} are no longer where, or what, they were."
    if _bytes_each(patches) * len(patches) > room:
        return None, f"{left_out} are too many to be part of it."
    return _packed(patches), None


def _packed(patches):
    """Pixels and labels as text."""
    exact = _has_four_decimals(patches.pixels)
    pixels = _base64(np.round(patches.pixels * DECIMALS), "<i2") if exact else _base64(patches.pixels, "<f4")
    return {"labels": _base64(patches.labels, "u1"), "scale": DECIMALS if exact else None, "pixels": pixels}


def _bytes_each(patches):
    """What one patch takes in the page: base64 makes 4 bytes of 3."""
    return (patches.pixels.shape[1] * (2 if _has_four_decimals(patches.pixels) else 4) + 6) * 4 / 3


def _has_four_decimals(pixels):
    numbers = np.round(pixels * DECIMALS)
    return bool((np.abs(numbers) < 2**15).all() and (numbers / DECIMALS == pixels).all())


def _layer(layer):
    name = type(layer).__name__
    if name == "Dense":
        return {"type": name, "inputs": layer.weights.shape[0], "outputs": layer.weights.shape[1]}
    return {"type": name, "value": layer.value} if name == "Center" else {"type": name}


def _settings(run):
    """What the page's own training begins with."""
    return {name: run.settings[name] for name in ("optimizer", "lr", "batch_size", "seed")} | {
        "hidden": layer_sizes(run.after, run.test.pixels.shape[1])[1:-1],
        "activation": "Tanh" if "Tanh" in layer_names(run.after) else "ReLU",
        "train": run.settings["data"]["train"],
    }


def _photograph():
    """The portrait, in grey levels of 8 bits."""
    grey = read_image(default_photograph(), largest=LARGEST_PHOTOGRAPH)
    height, width = grey.shape
    return {"width": width, "height": height, "pixels": _base64(np.round(grey.clip(0, 1) * 255), "u1")}


def _description(run):
    settings = run.settings
    sizes = "-".join(map(str, layer_sizes(run.after, run.test.pixels.shape[1])))
    parameters = sum(array.size for array in run.after.parameters)
    return (
        f"The network: {sizes}, {parameters:,} parameters, trained for {run.history.epoch[-1]:,} epochs on "
        f"{settings['data']['train']:,} patches, in batches of {settings['batch_size']:,}, by {settings['optimizer']} "
        f"at learning rate {settings['lr']:g}, seed {settings['seed']}."
    )


def _spread(length, count):
    """At most count places of a list, the first and the last among them."""
    return np.unique(np.linspace(0, length - 1, min(count, length)).round().astype(int)).tolist()


def _base64(array, dtype):
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode("ascii")
