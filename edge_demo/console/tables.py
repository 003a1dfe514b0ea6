"""How numbers and names stand in the terminal: one table, one text for a probability, one way to shorten a name."""

from itertools import groupby

from edge_demo.evaluation import probability_text

__all__ = ["cell", "probability_text", "short", "table"]
GAP = "  "


def table(heads, rows, *, left=1, above=None, decimals=4):
    """The lines of a table: heads (columns), then rows of as many cells, each column as wide as its longest cell.

    left: so many columns begin at the left, the others end at the right. above: a word for each column, to stand once
    over neighbours that share it.
    """
    texts = [list(heads), *([cell(value, decimals) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    first = []
    if above is not None:
        spans = [(word, [column for column, _ in group]) for word, group in groupby(enumerate(above), lambda i: i[1])]
        for word, columns in spans:
            room = sum(widths[k] for k in columns) + len(GAP) * (len(columns) - 1)
            widths[columns[-1]] += max(0, len(word) - room)
            first.append(f"{word:^{max(room, len(word))}}")
    form = GAP.join(f"{{:{'<' if k < left else '>'}{width}}}" for k, width in enumerate(widths))
    lines = [GAP.join(first)] if first else []
    return [line.rstrip() for line in (*lines, *(form.format(*row) for row in texts))]


def cell(value, decimals=4):
    """A number as text, or a text as it is; what is not known as -."""
    if value is None or isinstance(value, str):
        return "-" if value is None else value
    return f"{value:.{decimals}f}" if isinstance(value, float) else f"{value:,}"


def short(names, most=24):
    """Names on one line, the longest cut in the middle: often the end is what tells one from another."""
    flat = [" ".join(name.split()) for name in names]
    return [name if len(name) <= most else f"{name[: most - 9]}…{name[-8:]}" for name in flat]
