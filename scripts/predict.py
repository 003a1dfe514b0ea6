"""Writes logits, probabilities and the most probable class of new patches, as CSV, on standard output."""

import csv
import io
import sys

import cli


def main():
    parser = cli.parser(__doc__)
    parser.add_argument(
        "csv", metavar="CSV", help="file with a column for each pixel, p00, p01, …; - for standard input"
    )
    parser.add_argument("--run", type=cli.Path, default=cli.ROOT / "outputs", help="folder that train.py wrote")
    options = parser.parse_args()

    from edge_demo.runs import load_run

    run = load_run(options.run)
    if options.csv == "-":
        predict(run, io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline=""), "standard input")
        return

    from edge_demo.patches import read_blocks

    with open(options.csv, encoding="utf-8-sig", newline="") as file:
        for block in read_blocks(file, options.csv):  # a mistake anywhere is found before anything is written
            check(block.pixels, run, options.csv)
        file.seek(0)
        predict(run, file, options.csv)


def check(pixels, run, name):
    if pixels.shape[1] != run.test.side**2:
        raise ValueError(f"{name} has {pixels.shape[1]} pixels a patch, but this run was trained on {run.test.side**2}")


def predict(run, file, name):
    """Reads a block, writes a block: memory does not grow with the file."""
    from edge_demo.patches import read_blocks
    from edge_demo.softmax import softmax

    names = run.test.class_names
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([f"{what}_{name}" for what in ("logit", "probability") for name in names] + ["class"])
    for block in read_blocks(file, name):
        check(block.pixels, run, name)
        logits = run.after.logits(block.pixels)
        for z, p in zip(logits.tolist(), softmax(logits).tolist(), strict=True):
            writer.writerow([*z, *p, names[p.index(max(p))]])


if __name__ == "__main__":
    cli.run(main)
