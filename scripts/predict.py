"""Writes logits, probabilities and the most probable class of new patches, as CSV."""

import csv
import io
import shutil
import sys
import tempfile

import cli


def main():
    parser = cli.parser(__doc__)
    parser.add_argument(
        "csv", metavar="CSV", help="file with a column for each pixel, p00, p01, …; - for standard input"
    )
    parser.add_argument("--run", type=cli.Path, default=cli.ROOT / "outputs", help="folder that train.py wrote")
    parser.add_argument("--out", type=cli.Path, help="file to write (default: standard output)")
    options = parser.parse_args()

    from edge_demo.files import replacing
    from edge_demo.patches import open_text
    from edge_demo.runs import load_run

    run = load_run(options.run)
    with standard_input() if options.csv == "-" else open_text(options.csv) as file:
        name = "standard input" if options.csv == "-" else options.csv
        for _ in blocks_of_pixels(run, file, name):  # a mistake anywhere is found before anything is written
            pass
        file.seek(0)
        if options.out is not None:
            with replacing(options.out) as out:
                predict(run, file, name, out)
        elif sys.stdout is not None:
            sys.stdout.reconfigure(encoding="utf-8", newline="")  # as every CSV file here, whatever the terminal's
            predict(run, file, name, sys.stdout)


def standard_input():
    """What stands on standard input as a text file that can be read twice."""
    if sys.stdin is None:
        raise ValueError("there is no standard input to read")
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    shutil.copyfileobj(sys.stdin.buffer, file)
    file.seek(0)
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")


def predict(run, file, name, out):
    """Reads a block, writes a block: memory does not grow with the file."""
    from edge_demo.softmax import softmax

    names = run.test.class_names
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([f"{what}_{name}" for what in ("logit", "probability") for name in names] + ["class"])
    for pixels in blocks_of_pixels(run, file, name):
        logits = run.after.logits(pixels)
        for z, p in zip(logits.tolist(), softmax(logits).tolist(), strict=True):
            writer.writerow([*z, *p, names[p.index(max(p))]])


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
