"""The animation's figure: what it says and draws at each point of training."""

import numpy as np
import pytest

from edge_demo.figures import style
from edge_demo.figures.animation import animation


def drawn(classes, n=40, points=4):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % classes
    growth = np.arange(points)[:, None, None]
    logits = rng.normal(size=(n, classes)) + growth * np.eye(classes)[labels]
    accuracies = (logits.argmax(axis=2) == labels).mean(axis=1)
    names = [f"class ${k}$" for k in range(classes)]
    figure, draw = animation([0, 0.5, 1, 2], logits, labels, names, [0.9, 0.5, 0.2, 0.1], accuracies)
    return figure, draw, logits, labels


def points_of(axes, k, classes):
    """x and y of the markers of class k."""
    color = style.class_color(k, classes)
    (line,) = [line for line in axes.lines if line.get_color() == color and line.get_marker() == style.class_marker(k)]
    return np.array(line.get_data())


def test_two_classes_lie_in_the_plane_of_their_logits_and_on_the_sigmoid():
    figure, draw, logits, labels = drawn(2)
    for position, expected in ((0, logits[0]), (3, logits[3]), (1.25, 0.75 * logits[1] + 0.25 * logits[2])):
        draw(position)
        plane, sigmoid, loss = figure.axes
        for k in range(2):
            np.testing.assert_allclose(points_of(plane, k, 2), expected[labels == k].T)
            x, y = points_of(sigmoid, k, 2)
            np.testing.assert_allclose(x, (expected[:, 0] - expected[:, 1])[labels == k])
            np.testing.assert_allclose(y, 1 / (1 + np.exp(-x)))
        assert loss.lines[-1].get_xdata()[0] == pytest.approx(np.interp(position, range(4), [0, 0.5, 1, 2]))
    assert loss.lines[-1].get_ydata()[0] == pytest.approx(0.75 * 0.5 + 0.25 * 0.2)
