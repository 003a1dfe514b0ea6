"""Measures how fast the code is, side by side with the floor of NumPy itself, scikit-learn, PyTorch and plain Python.

Every ratio is the median over turns of this run, with its quartiles; a goal is the largest ratio that is wanted.
Without --quick it takes several minutes.
"""

import os
import platform
import re
from importlib import metadata

import cli

PARTS = ("step", "softmax", "data", "script", "growth", "streaming", "digits")
PEERS = {"torch": "PyTorch"}
PAGE = cli.ROOT / "docs" / "performance.md"


def parse():
    parser = cli.parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, in about 20 seconds")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="which parts to run")
    parser.add_argument("--guard", action="store_true", help="exit with 1 if a ratio is far over its goal")
    parser.add_argument("--write-docs", action="store_true", help=f"put the results into {PAGE.relative_to(cli.ROOT)}")
    parser.add_argument("--out", type=cli.Path, default=cli.ROOT / "outputs" / "benchmark", help="folder for results")
    return parser.parse_args()


def main():
    options = parse()
    import benchmark_parts
    from measure import too_slow

    cli.say(machine(), *skipped())
    rows, curves = [], {}
    for name in options.parts:
        part = benchmark_parts.PARTS[name]
        found, drawn = part(options.quick)
        cli.say("", part.__doc__.strip(), *map(line, found))
        rows += found
        curves |= drawn
    cli.say("", *(f"written: {cli.shown(path)}" for path in save(rows, curves, options.out)))
    if options.write_docs:
        write_docs(rows, curves)
        cli.say(f"written: {cli.shown(PAGE)}")
    slow = too_slow(rows)
    cli.say(*(f"over {row.slack:g} times its goal: {row.part}, {row.operation} / {row.against}" for row in slow))
    if options.guard and slow:
        raise SystemExit(1)


def machine():
    """Cores and versions: all that is said about the machine."""
    names = {"numpy": "NumPy", "scipy": "SciPy", "scikit-learn": "scikit-learn", "matplotlib": "matplotlib"} | PEERS
    versions = [f"{shown} {found}" for name, shown in names.items() if (found := version(name))]
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(versions)}"


def version(name):
    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def skipped():
    """A line for each peer that is not installed."""
    return [
        f"without {shown}, which is not installed (pip install -e '.[bench]')"
        for name, shown in PEERS.items()
        if version(name) is None
    ]


def line(row):
    """A row as text."""
    threads = "" if row.threads == "1" else ", default threads"
    text = f"  {row.part + threads:40} {row.operation:24} "
    if row.unit == "KiB":
        return f"{text}{row.ratio:10,.1f} {row.unit}"
    text += f"/ {row.against:34} {row.ratio:9,.2f} {row.unit:2}[{row.low:.2f} {row.high:.2f}]"
    if row.goal is not None:
        text += f"  goal {row.goal:g} {row.verdict}"
    return text + (f"  ({duration(row.seconds)})" if row.seconds else "")


def duration(seconds):
    unit, size = ("s", 1.0) if seconds >= 1 else ("ms", 1e-3) if seconds >= 1e-3 else ("µs", 1e-6)
    return f"{seconds / size:.3g} {unit}"


def save(rows, curves, folder):
    """Writes benchmark.csv and the figures; returns their paths."""
    from dataclasses import asdict

    from edge_demo.figures.growth import growth
    from edge_demo.figures.ratios import ratios
    from edge_demo.figures.style import save_figure
    from edge_demo.files import write_rows

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "benchmark.csv"]
    cells = [asdict(row) | {"verdict": row.verdict} for row in rows]
    write_rows(paths[0], cells[0], (cell.values() for cell in cells))
    figures = {}
    measured = [row for row in rows if row.goal is not None and row.unit == "×"]
    if measured:
        names = [f"{row.operation}, {row.part}" + (", default threads" * (row.threads != "1")) for row in measured]
        numbers = [[getattr(row, name) for row in measured] for name in ("ratio", "low", "high", "goal")]
        figures["ratios.png"] = ratios(names, [row.against for row in measured], *numbers)
    if curves:
        figures["growth.png"] = growth(curves)
    for name, figure in figures.items():
        paths.append(folder / name)
        save_figure(figure, paths[-1])
    return paths


def write_docs(rows, curves):
    """Puts the machine, the table and the figures between the marks of the page; the rest of it is written by hand."""
    for path in save(rows, curves, PAGE.parent / "performance"):
        if path.suffix == ".csv":
            path.unlink()
    text = PAGE.read_text(encoding="utf-8")
    table = ["| operation | against | × (quartiles) | goal | |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        threads = "" if row.threads == "1" else ", default threads"
        number = f"{row.ratio:,.2f}" + (f" ({row.low:,.2f} to {row.high:,.2f})" if row.high else "")
        number += "" if row.unit == "×" else f" {row.unit}"
        goal = "" if row.goal is None else f"{row.goal:.3g}"
        against = "" if row.against == "nothing" else row.against
        table.append(f"| {row.part}{threads}: {row.operation} | {against} | {number} | {goal} | {row.verdict} |")
    made = "\n".join(["", f"Measured on {machine()}.", "", *table, ""])
    pattern = r"(<!-- made by scripts/benchmark.py -->).*?(<!-- end -->)"
    PAGE.write_text(re.sub(pattern, lambda m: m[1] + "\n" + made + "\n" + m[2], text, flags=re.S), encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)
