"""The lesson in numbers and two figures: from raw scores to probabilities."""

from edge_demo.console import cli
from edge_demo.console.tables import table

import sys

import numpy as np

from edge_demo.figures.pipeline import pipeline
from edge_demo.figures.softmax_steps import softmax_steps
from edge_demo.figures.style import save_figure
from edge_demo.softmax import softmax

LARGEST = 20.0  # exp of scores beyond this is too long to read, and from 710 on too large for a computer


@cli.command
def main(argv):
    options = parse(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    z, temperature = np.array(options.logits), options.temperature
    cli.say(*lesson(z, options.labels, temperature))

    figures = {
        "softmax_pipeline.png": pipeline(None, None, z / temperature, options.labels),
        "softmax_steps.png": softmax_steps(z, options.labels, temperature),
    }
    for name, figure in figures.items():
        save_figure(figure, options.out / name)
        cli.say(f"written: {cli.shown(options.out / name)}")


def parse(argv):
    parser = cli.parser(__doc__)
    positive = cli.number(float, above=0)
    parser.add_argument("--logits", **cli.listed(cli.number(float)), default=[2.5, 0.5], metavar="Z", help="raw scores")
    parser.add_argument("--labels", nargs="+", metavar="NAME", help="a name for each score (default: Edge, No Edge)")
    parser.add_argument("--temperature", type=positive, default=1.0, help="what scores are divided by")
    parser.add_argument("--out", type=cli.path, default=cli.ROOT / "outputs" / "softmax", help="folder for the figures")
    options = parser.parse_args(argv)
    scores = len(options.logits)
    options.labels = options.labels or (["Edge", "No Edge"] if scores == 2 else [f"class {k}" for k in range(scores)])
    if len(options.labels) != scores:
        parser.error(f"argument --labels: {len(options.labels)} names for {scores} logits; give one for each")
    return options


def lesson(z, names, temperature):
    """The lines to print, every number computed here."""
    scaled, name = (z, "z") if temperature == 1 else (z / temperature, "z / T")
    largest = scaled.max()
    shift = largest if abs(largest) > LARGEST else 0.0
    exp = f"exp({name} - {shift:g})" if shift else f"exp({name})"
    rows = [
        ["z, raw scores: any number", *z],
        [f"z / T, divided by {temperature:g}", *scaled],
        [f"{exp}: all positive", *np.exp(scaled - shift)],
        ["p, divided by their sum", *softmax(scaled)],
    ]
    if temperature == 1:
        del rows[1]
    lines = table(["", *names], rows, decimals=2)

    examples = np.array([[3.0, 1.0], [2.0, -1.0], [1.0, -1.0]])
    with np.errstate(divide="ignore"):
        ratios = examples / examples.sum(axis=1, keepdims=True)
    above = np.repeat(["z", "z / sum z", "softmax"], 2)
    rows = np.hstack([examples, ratios, softmax(examples)])
    lines += ["", "Why not the bare ratio z / sum z? With a negative score it is no probability"]
    lines += table(["a", "b"] * 3, rows, left=0, above=above, decimals=2)

    lines += ["", f"exp amplifies a gap between scores: 2 more make it exp(2) = {np.exp(2):.1f} times as much"]

    lines += ["", "Adding the same number to every score changes nothing, so the code subtracts the largest first"]
    rows = [[f"p of {name} {added:+g}", *softmax(scaled + added)] for added in (0, 10, -largest)]
    lines += table(["", *names], rows, decimals=6)

    with np.errstate(over="ignore"):
        bare = np.exp(1000.0)
    first, second = softmax([1000.0, 998.0])
    why = f"Large scores need that: exp(1000) is {bare:g} to a computer, but softmax of 1000 and 998"
    return [*lines, f"{why} is {first:.2f} and {second:.2f}"]


if __name__ == "__main__":
    sys.exit(main())
