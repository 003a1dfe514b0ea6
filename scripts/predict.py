"""Writes logits, probabilities and the most probable class of new patches, as CSV."""

from edge_demo.console import cli

import csv
import sys
from contextlib import nullcontext

from edge_demo.datasets.loading import read_pixels, unlike
from edge_demo.runs.run import load_run, prediction_columns


@cli.command
def main(argv):
    options = parse(argv)
    run = load_run(options.run)
    if options.out is not None:
        cli.check_output(options.out, [options.csv, *options.run.iterdir()])
    logits, names = run.after.logits(read(run, options)), run.test.class_names
    columns = prediction_columns(logits, names) | {"class": [names[k] for k in logits.argmax(axis=1)]}

    if hasattr(sys.stdout, "reconfigure"):  # as every CSV file here, whatever the terminal's
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    with (
        nullcontext(sys.stdout) if options.out is None else open(options.out, "w", encoding="utf-8", newline="") as file
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def parse(argv):
    parser = cli.parser(__doc__)
    default = cli.ROOT / "outputs" / "train"
    parser.add_argument("csv", metavar="CSV", help="file with a column for each pixel; - for stdin")
    parser.add_argument("--run", type=cli.path, default=default, help="folder that train.py wrote")
    parser.add_argument("--label", metavar="NAME", help="column of labels, to be passed over (default: as in training)")
    parser.add_argument("--drop", nargs="+", default=[], metavar="NAME", help="more columns to leave out")
    parser.add_argument("--out", type=cli.path, help="file to write (default: standard output)")
    return parser.parse_args(argv)


def read(run, options):
    """Pixels (n, inputs) from a file, or from standard input for -, as the network saw them in training."""
    name, source = options.csv, options.csv
    if source == "-":
        name, source = "standard input", sys.stdin.buffer.read()
    data = run.settings["data"]
    label, drop = options.label or data["reading"]["label"], [*data["reading"]["drop"], *options.drop]
    pixels = read_pixels(source, run.test.pixels.shape[1], name=name, label=label, drop=drop)

    if note := unlike(pixels, data["pixel_range"]):
        cli.warn(f"{name}: {note}")
    return pixels if run.scaling is None else run.scaling.apply(pixels)


if __name__ == "__main__":
    sys.exit(main())
