"""Softmax in three steps, as three bar charts: scores, exponentials, shares of their sum.

Where exp of the scores would be too large or too small to read, the largest score is subtracted first, as
edge_demo.softmax always does: the exponentials change, their shares do not.
"""

import numpy as np

from edge_demo.figures.pipeline import ARROW, scores_become
from edge_demo.figures.style import (
    GREY,
    REFERENCE,
    WIDTH,
    add_axes,
    class_color,
    drawn,
    fitting,
    new_figure,
    number,
    only_bottom,
    percent,
    write,
)
from edge_demo.softmax import softmax

MOST_BARS = 20
READABLE = np.log(1e6)  # exp of a score beyond this is no number to read
LEFT, PANEL, GAP = 1.6, 1.6, 0.8  # inches


@drawn
def softmax_steps(logits, class_names, temperature=1.0, true_class=None):
    """A Figure of softmax(logits / temperature).

    logits: (classes,), any real numbers; class_names: one a class; true_class: its index, where it is known.
    """
    logits = np.asarray(logits, dtype=np.float64)
    scores, probabilities = logits / temperature, softmax(logits, temperature=temperature)
    largest = scores.max()
    shift = largest if abs(largest) > READABLE else 0.0
    exponentials = np.exp(scores - shift)

    classes = len(logits)
    shown = np.arange(classes) if classes <= MOST_BARS else np.argsort(-logits, kind="stable")[:MOST_BARS]
    notes = [] if true_class is None else [f"The true class is {fitting(class_names[true_class], 2)}."]
    if len(shown) < classes:
        notes.append(f"The {len(shown)} largest of {classes} scores are shown; the sum is over all.")
    bottom = 0.75 + 0.2 * (shift != 0) + 0.25 * bool(notes)
    tall = max(1.4, 0.33 * len(shown))
    title = scores_become("Softmax in three steps", logits, probabilities, class_names)
    title += f" at T = {temperature:g}" if temperature != 1 else ""
    figure = new_figure(bottom + tall + 0.95, title)
    panels = [add_axes(figure, LEFT + i * (PANEL + GAP), bottom, PANEL, tall) for i in range(3)]
    texts = (number, lambda value: number(value) if value else "≈ 0", percent)
    for axes, values, text in zip(panels, (scores, exponentials, probabilities), texts, strict=True):
        _bars(axes, values[shown], text, [class_color(k, classes) for k in shown])
        axes.set(ylim=(len(shown) - 0.4, -0.6), yticks=[])
    panels[2].set(xlim=(0, 1), xticks=(0, 0.5, 1))
    panels[0].set_yticks(range(len(shown)), [fitting(class_names[k], LEFT - 0.3) for k in shown])

    name = "z" if temperature == 1 else "z / T"
    exp = f"exp({name}), all positive"
    if shift:
        sign = "−" if shift > 0 else "+"
        exp = f"exp({name} {sign} {number(abs(shift))}), all positive\n(the largest subtracted first)"
    heads = (f"1  Raw scores {name}", "2  Exponentials", "3  Divided by the sum")
    for axes, head, foot in zip(panels, heads, ("any number", exp, "the sum is always 1"), strict=True):
        axes.set_title(head)
        axes.set_xlabel(foot, **GREY)
    _arrow(panels[1], "exp")
    _arrow(panels[2], f"÷ {number(exponentials.sum())}")
    write(figure, WIDTH / 2, 0.1, " ".join(notes), ha="center", **GREY)
    return figure


def _bars(axes, values, text, colors):
    """Horizontal bars, each with its number beyond its end."""
    bars = axes.barh(range(len(values)), values, height=0.7, color=colors)
    axes.bar_label(bars, [text(value) for value in values], padding=4)
    axes.axvline(0, color=REFERENCE, lw=1)
    axes.margins(x=0.7)  # room for the numbers
    axes.set_xticks([0])
    only_bottom(axes)


def _arrow(axes, text):
    """An arrow to this panel from the one on its left."""
    tail, head, middle = -0.9 * GAP / PANEL, -0.15 * GAP / PANEL, 0.5
    axes.annotate("", (head, middle), (tail, middle), xycoords="axes fraction", arrowprops=ARROW)
    place = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center"}
    axes.annotate(text, ((tail + head) / 2, middle), (0, 6), weight="bold", **place)
