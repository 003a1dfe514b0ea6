"""Softmax in three steps, as three bar charts: scores, exponentials, shares of their sum.

Where exp of the scores would be too large or too small to read, the largest score is subtracted first, as
edge_demo.softmax always does: the exponentials change, their shares do not.
"""

import numpy as np

from edge_demo.figures import style
from edge_demo.softmax import softmax

MOST_BARS = 20
READABLE = np.log(1e6)  # exp of a score beyond this is no number to read
WIDTH, LEFT, RIGHT, GAP = 9, 1.6, 0.95, 0.8  # inches
PANEL = (WIDTH - LEFT - RIGHT - 2 * GAP) / 3


def softmax_steps(logits, class_names, temperature=1.0):
    """A Figure of softmax(logits) at a temperature; logits: (classes,), any real numbers; class_names: one a class."""
    logits = np.asarray(logits, dtype=np.float64)
    scores, probabilities = logits / temperature, softmax(logits, temperature=temperature)
    largest = scores.max()
    shift = largest if abs(largest) > READABLE else 0.0
    exponentials = np.exp(scores - shift)

    classes = len(logits)
    shown = np.arange(classes) if classes <= MOST_BARS else np.argsort(-logits, kind="stable")[:MOST_BARS]
    bottom = 0.75 + 0.2 * (shift != 0) + 0.25 * (len(shown) < classes)
    height = bottom + 0.95 + max(1.4, 0.33 * len(shown))
    margins = {"left": LEFT / WIDTH, "right": 1 - RIGHT / WIDTH, "bottom": bottom / height, "top": 1 - 0.95 / height}
    title = _title(logits, probabilities, class_names) + (f" at T = {temperature:g}" if temperature != 1 else "")
    figure = style.new_figure(WIDTH, height, title, wspace=GAP / PANEL, **margins)
    panels = figure.subplots(1, 3, sharey=True)
    texts = (style.number, lambda value: style.number(value) if value else "≈ 0", style.percent)
    for axes, values, text in zip(panels, (scores, exponentials, probabilities), texts, strict=True):
        _bars(axes, values[shown], text, [style.class_color(k, classes) for k in shown])
    panels[2].set(xlim=(0, 1), xticks=(0, 0.5, 1))
    panels[0].set_yticks(range(len(shown)), [style.fitting(class_names[k], LEFT - 0.3) for k in shown])
    panels[0].set_ylim(len(shown) - 0.4, -0.6)

    name = "z" if temperature == 1 else "z / T"
    exp = f"exp({name}), all positive"
    if shift:
        sign = "−" if shift > 0 else "+"
        exp = f"exp({name} {sign} {style.number(abs(shift))}), all positive\n(the largest subtracted first)"
    _explain(panels[0], f"1  Raw scores {name}", "any number")
    _explain(panels[1], "2  Exponentials", exp)
    _explain(panels[2], "3  Divided by the sum", "the sum is always 1")
    _arrow(panels[1], "exp")
    _arrow(panels[2], f"÷ {style.number(exponentials.sum())}")
    if len(shown) < classes:
        note = f"The {len(shown)} largest of {classes} scores are shown; the sum is over all."
        figure.text(0.5, 0.1 / height, note, ha="center", fontsize=style.SMALL_SIZE, color=style.REFERENCE)
    return figure


def _bars(axes, values, text, colors):
    """Horizontal bars, each with its number beyond its end."""
    numbers = [text(value) for value in values]
    bars = axes.barh(range(len(values)), values, height=0.7, color=colors)
    axes.bar_label(bars, numbers, padding=4, fontsize=style.TEXT_SIZE)
    axes.axvline(0, color=style.REFERENCE, lw=1)
    # the numbers need room, in inches, at the ends of negative and of other bars
    room = [0.1 + 0.09 * max(map(len, np.array(numbers)[side]), default=-1) for side in (values < 0, values >= 0)]
    low, high = min(values.min(), 0), max(values.max(), 0)
    inch = (high - low or 1) / (PANEL - sum(room))
    axes.set(xlim=(low - room[0] * inch, high + room[1] * inch), xticks=[0])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False, labelsize=style.TEXT_SIZE)


def _explain(axes, head, foot):
    axes.set_title(head, **style.PANEL_TITLE)
    axes.set_xlabel(foot, fontsize=style.TEXT_SIZE, color=style.REFERENCE)


def _arrow(axes, text):
    """An arrow to this panel from the one on its left."""
    tail, head, middle = -0.9 * GAP / PANEL, -0.15 * GAP / PANEL, 0.5
    look = {"arrowstyle": "-|>", "fc": "k", "lw": 1.5}
    axes.annotate("", (head, middle), (tail, middle), xycoords="axes fraction", arrowprops=look)
    place = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center"}
    axes.annotate(text, ((tail + head) / 2, middle), (0, 6), fontsize=style.TEXT_SIZE, weight="bold", **place)


def _title(logits, probabilities, class_names):
    if len(logits) == 2:
        scores, shares = map(" and ".join, (map(style.number, logits), map(style.percent, probabilities)))
        return f"Softmax in three steps: the scores {scores} become {shares}"
    k = logits.argmax()
    share, name = style.percent(probabilities[k]), style.fitting(class_names[k], 1.7, style.TITLE_SIZE)
    return f"Softmax in three steps: {len(logits)} scores become shares of 1, {share} for {name}"
