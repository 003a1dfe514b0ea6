"""Draws every figure of a saved run again, and its explorer, without training."""

from edge_demo.console import cli, report

import sys

from edge_demo.explorer import UnknownLayer, write_explorer
from edge_demo.figures.of_run import save_figures
from edge_demo.runs.run import load_run


@cli.command
def main(argv):
    options = parse(argv)
    run = load_run(options.run)
    notes = save_figures(run, options.run)
    try:
        write_explorer(run, options.run / "explorer.html")
    except UnknownLayer as error:
        notes.append(f"no explorer.html: {error}")
    cli.say(*report.written(cli.shown(options.run)), *notes)


def parse(argv):
    parser = cli.parser(__doc__)
    default = cli.ROOT / "outputs" / "train"
    parser.add_argument("--run", type=cli.path, default=default, help="folder that train.py wrote")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
