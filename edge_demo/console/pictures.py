"""A user's pictures: the flags for their size and their greys."""

from edge_demo.console import cli

import numpy as np

NARROW = 0.1  # of the way from black to white


def add_flags(parser, largest):
    size = cli.number(int, at_least=5, at_most=20_000)
    parser.add_argument(
        "--largest", type=size, default=largest, help="pixels of the longer side, to which it is shrunk"
    )
    parser.add_argument("--stretch", action="store_true", help="make the darkest pixel black and the lightest white")


def stretched(grey, options, path):
    """Grey values, stretched if so asked; a note where they span so little that few edges will be found."""
    span = np.ptp(grey)
    if options.stretch:
        return (grey - grey.min()) / (span or 1)
    if span < NARROW:
        cli.warn(f"{path}: its grey values span {100 * span:.1f} % of black to white; --stretch makes it all")
    return grey
