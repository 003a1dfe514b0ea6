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
    with open(options.csv, encoding="utf-8-sig", newline="") as file:
        if file.seekable():  # then a mistake anywhere is found before anything is written; a pipe is read only once
            for _ in blocks_of_pixels(run, file, options.csv):
                pass
            file.seek(0)
        predict(run, file, options.csv)


def predict(run, file, name):
    """Reads a block, writes a block: memory does not grow with the file."""
    from edge_demo.softmax import softmax

    names = run.test.class_names
    header = [f"{what}_{name}" for what in ("logit", "probability") for name in names] + ["class"]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for pixels in blocks_of_pixels(run, file, name):
        if header:
            writer.writerow(header)
            header = None
        logits = run.after.logits(pixels)
        for z, p in zip(logits.tolist(), softmax(logits).tolist(), strict=True):
            writer.writerow([*z, *p, names[p.index(max(p))]])
        sys.stdout.flush()


def blocks_of_pixels(run, file, name):
    """Arrays (n, pixels) that this run's network can take. Raises ValueError for any others, and for none at all."""
    from edge_demo.patches import read_blocks

    wanted, block = run.test.pixels.shape[1], None
    for block in read_blocks(file, name):
        if block.pixels.shape[1] != wanted:
            raise ValueError(f"{name} has {block.pixels.shape[1]} pixels a patch, but this run was trained on {wanted}")
        yield block.pixels
    if block is None:
        raise ValueError(f"{name} holds no patches below its header")


if __name__ == "__main__":
    cli.run(main)
