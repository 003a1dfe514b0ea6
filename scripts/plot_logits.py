"""Draws every figure of a saved run again, and its explorer, without training."""

import cli


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--run", type=cli.Path, default=cli.ROOT / "outputs", help="folder that train.py wrote")
    options = parser.parse_args()

    from edge_demo.folders import locked
    from edge_demo.runs import load_run

    with locked(options.run):  # or the figures of one run could end up beside the numbers of the next
        run = load_run(options.run)

        from edge_demo.explorer import UnknownLayer, write_explorer
        from edge_demo.figures.of_run import save_figures

        names = save_figures(run, options.run)
        try:
            write_explorer(run, options.run / "explorer.html")
            names.append("explorer.html")
        except UnknownLayer as error:
            cli.say(f"no explorer.html: {error}")
        for name in names:
            cli.say(cli.shown(options.run / name))


if __name__ == "__main__":
    cli.run(main)
