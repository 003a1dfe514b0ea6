"""Draws every figure of a saved run again, and its explorer, without training."""

from edge_demo.console import cli, report

import sys

from edge_demo.runs.run import load_run


@cli.command
def main(argv):
    options = parse(argv)
    notes = report.draw(load_run(options.run), options.run)
    cli.say(*report.written(cli.shown(options.run)), *notes)


def parse(argv):
    parser = cli.parser(__doc__)
    default = cli.ROOT / "outputs" / "train"
    parser.add_argument("--run", type=cli.path, default=default, help="folder that train.py wrote")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
