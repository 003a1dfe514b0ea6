"""Writes logits, probabilities and the most probable class of new patches, as CSV."""

import cli

import csv
import io
import sys

from edge_demo.datasets import open_text, read_cells
from edge_demo.files import replacing
from edge_demo.runs import load_run
from edge_demo.softmax import softmax


def main():
    options = parse()
    run = load_run(options.run)
    pixels = read_pixels(options.csv, run.test.pixels.shape[1])
    header, rows = predict(run.after, run.test.class_names, pixels)

    if options.out is not None:
        with replacing(options.out) as file:
            write(file, header, rows)
    elif sys.stdout is not None:
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # as every CSV file here, whatever the terminal's
        write(sys.stdout, header, rows)


def parse():
    parser = cli.parser(__doc__)
    default = cli.ROOT / "outputs" / "train"
    parser.add_argument("csv", metavar="CSV", help="file with a column for each pixel, p00, p01, …; - for stdin")
    parser.add_argument("--run", type=cli.Path, default=default, help="folder that train.py wrote")
    parser.add_argument("--out", type=cli.Path, help="file to write (default: standard output)")
    return parser.parse_args()


def read_pixels(path, wanted):
    """Pixels (n, wanted) from a file, or from standard input for -. Raises ValueError."""
    if path == "-":
        if sys.stdin is None:
            raise ValueError("there is no standard input to read")
        name, data = "standard input", io.BytesIO(sys.stdin.buffer.read())
        file = io.TextIOWrapper(data, encoding="utf-8-sig", errors="surrogateescape", newline="")
    else:
        name, file = path, open_text(path)
    with file:
        _, pixels = read_cells(file, name)
    if pixels.shape[1] != wanted:
        raise ValueError(f"{name} has {pixels.shape[1]} pixels a patch, but this run was trained on {wanted}")
    return pixels


def predict(network, names, pixels):
    """The header, and a row a patch: logits, probabilities, and the name of the most probable class."""
    logits = network.logits(pixels)
    probabilities = softmax(logits)
    header = [*(f"logit_{name}" for name in names), *(f"probability_{name}" for name in names), "class"]
    rows = [
        [*z, *p, names[k]]
        for z, p, k in zip(logits.tolist(), probabilities.tolist(), logits.argmax(axis=1), strict=True)
    ]
    return header, rows


def write(file, header, rows):
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)


if __name__ == "__main__":
    cli.run(main)
