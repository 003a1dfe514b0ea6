"""Draws every figure of a saved run again, without training."""

import cli


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--run", type=cli.Path, default=cli.ROOT / "outputs", help="folder that train.py wrote")
    options = parser.parse_args()

    from edge_demo.runs import load_run

    run = load_run(options.run)

    from edge_demo.figures.of_run import save_figures

    for path in save_figures(run, options.run):
        cli.say(cli.shown(path))


if __name__ == "__main__":
    cli.run(main)
