"""Where an error in the code happened, in one line below its traceback: file, line, layer, shapes in and out."""

from pathlib import Path
from traceback import walk_tb

import numpy as np

LIBRARY = Path(__file__).resolve().parents[1]
OURS = (LIBRARY, LIBRARY.parent / "scripts")
EDITED = {LIBRARY / f"{name}.py" for name in ("softmax", "network", "optimizers", "training", "checks")}


def place(error):
    """error in one line, which begins with the last place on its way that a learner may have written."""
    frames = list(walk_tb(error.__traceback__))
    ours = [each for each in frames if any(map(Path(each[0].f_code.co_filename).is_relative_to, OURS))]
    frame, line = ([each for each in frames if _is_edited(each[0])] or ours or frames)[-1]

    file, owner = Path(frame.f_code.co_filename), frame.f_locals.get("self")
    where = f"{file.relative_to(LIBRARY.parent) if file.is_relative_to(LIBRARY.parent) else file}, line {line}"
    where += f", in {frame.f_code.co_name}"
    arrays = frame.f_locals
    if owner is not None:
        where += f" of {type(owner).__name__}"
        arrays = getattr(owner, "__dict__", {}) | arrays
    shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items() if isinstance(array, np.ndarray))
    return f"{where}: {type(error).__name__}: {error}{f' ({shapes})' if shapes else ''}"


def _is_edited(frame):
    """Whether a frame is in the core, or in a method of a layer or an optimizer, wherever that was written."""
    owner = frame.f_locals.get("self")
    own = hasattr(owner, "backward") or hasattr(owner, "step")
    return (own or Path(frame.f_code.co_filename) in EDITED) and not frame.f_code.co_name.startswith("<")
