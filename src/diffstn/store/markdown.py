"""Tables that are readable as they are, on a terminal and in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any


def markdown(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """An aligned Markdown table, readable as it is on a terminal."""
    cells = [[str(c) for c in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])


def by_name(title: str, what: str, row: Mapping[str, Any]) -> str:
    """A table of one row: the names, and under them the values."""
    return markdown([title, *row], [[what, *row.values()]])


def rows_by_name(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """A table with a named row for each of the mappings, which have the same keys."""
    columns = list(next(iter(rows.values())))
    return markdown(["", *columns], [[name, *row.values()] for name, row in rows.items()])
