"""The lesson in numbers and two figures: from raw scores to probabilities."""

from edge_demo.console import cli

import sys

import numpy as np

from edge_demo.figures.pipeline import pipeline
from edge_demo.figures.softmax_steps import softmax_steps
from edge_demo.figures.style import save_figure
from edge_demo.softmax import softmax


@cli.command
def main(argv):
    options = parse(argv)
    cli.check_folder(options.out)
    z, temperature = np.array(options.logits), options.temperature
    cli.say(*lesson(z, options.labels, temperature))

    figures = {
        "softmax_pipeline.png": pipeline(None, None, z / temperature, options.labels),
        "softmax_steps.png": softmax_steps(z, options.labels, temperature),
    }
    options.out.mkdir(parents=True, exist_ok=True)
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
    if options.labels is None:
        options.labels = ["Edge", "No Edge"] if scores == 2 else [f"class {k}" for k in range(scores)]
    if len(options.labels) != scores:
        parser.error(f"argument --labels: {len(options.labels)} names for {scores} logits; give one for each")
    return options


def lesson(z, names, temperature):
    """The lines to print, every number computed here."""
    scaled = z / temperature
    p = softmax(z, temperature=temperature)
    divided = "z" if temperature == 1 else "(z / T)"
    lines = [f"classes      {', '.join(names)}", f"z            {_row(z, '{:g}')}   raw scores, any number"]
    if temperature != 1:
        lines.append(f"z / T        {_row(scaled, '{:.4g}')}   divided by the temperature {temperature:g}")
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        exponentials = np.exp(scaled)
        bare = exponentials / exponentials.sum()
    lines.append(
        f"{f'exp {divided}':12} {_row(exponentials, '{:.2f}' if exponentials.max() < 1e6 else '{:.3g}')}   all positive"
    )
    lines.append(f"p            {_row(p, '{:.2f}')}   divided by their sum; p sums to {p.sum():.2f}")
    lines.append(
        f"in percent   {', '.join(f'{name} {100 * value:.0f} %' for name, value in zip(names, p, strict=True))}"
    )

    lines += ["", "Why not the bare ratio z / sum z?"]
    for example in ([3.0, 1.0], [2.0, -1.0], [1.0, -1.0]):
        example = np.array(example)
        total = example.sum()
        shares = _row(example / total, "{:.2f}") if total else "division by 0"
        inside = total and ((example / total >= 0) & (example / total <= 1)).all()
        comment = "works: both between 0 and 1" if inside else "fails: no probabilities"
        lines.append(
            f"  z {_row(example, '{:g}'):8} ratio {shares:14} {comment}; softmax {_row(softmax(example), '{:.2f}')}"
        )

    five, three = np.exp(5.0), np.exp(3.0)
    lines += ["", "exp amplifies a gap between scores"]
    lines.append(
        f"  5 against 3 is {5 / 3:.1f} to 1; exp makes it {five:.0f} against {three:.0f}, {five / three:.1f} to 1"
    )

    lines += ["", "Adding the same number to every score changes nothing"]
    for shift in dict.fromkeys((0.0, 10.0, -scaled.max())):
        comment = "  (the largest subtracted: what the code does)" if shift == -scaled.max() and shift else ""
        shifted = f"{divided} {'+' if shift >= 0 else '-'} {abs(shift):<6g}"
        lines.append(f"  {shifted} p {_row(softmax(scaled + shift), '{:.6f}')}{comment}")

    big = np.array([1000.0, 998.0])
    with np.errstate(over="ignore", invalid="ignore"):
        broken = np.exp(big) / np.exp(big).sum()
    lines += ["", "so large scores are no problem, where the bare formula overflows"]
    shares = _row(softmax(big), "{:.2f}")
    lines.append(f"  z {_row(big, '{:g}')}: bare exp z / sum exp z {_row(broken, '{:g}')}, softmax {shares}")
    if not np.isfinite(bare).all():
        lines.append(f"  your z: bare {_row(bare, '{:g}')}, softmax {_row(p, '{:.2f}')}")
    return lines


def _row(values, form):
    return "[" + " ".join(form.format(v) for v in values) + "]"


if __name__ == "__main__":
    sys.exit(main())
