"""Tables of a page: what a run measured, whatever its task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diffstn.report.differences import flat, said
from diffstn.report.html import Html, element, joined
from diffstn.report.recorded import Recorded

BESIDE = ("numbers", "protocol", "seconds", "train_seconds", "monitored")
"""Parts of `metrics.json` that have a place of their own."""
MOST_ROWS, MOST_COLUMNS, MOST_TABLES = 100, 40, 40


def is_number(value: Any) -> bool:
    """Whether it is one."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """A value in a few digits."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:.4g}"
    return said(value)


def table(
    header: Sequence[Any], rows: Sequence[Sequence[Any]], numeric: Sequence[bool] = (), **more: Any
) -> Html:
    """A table that scrolls by itself where it is too wide.

    Args:
        rows: their first cells are headings.
        numeric: of each column, whether it is set to the right.
    """
    right = [*numeric, *[False] * (len(header) - len(numeric))]
    align = ["number" if one else None for one in right]
    head = [element("th", name, class_=a) for name, a in zip(header, align, strict=True)]
    body = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            [
                cell if isinstance(cell, Cell) else element("td", cell, class_=_class(cell, a))
                for cell, a in zip(row[1:], align[1:], strict=True)
            ],
        )
        for row in rows
    ]
    whole = element("table", element("thead", element("tr", head)), element("tbody", body), **more)
    return element("div", whole, class_="scroll")


class Cell(Html):
    """A cell with markup of its own."""


def _class(cell: Any, align: str | None) -> str | None:
    return align or ("long" if isinstance(cell, str) and len(cell) > 48 else None)


def pairs(content: Mapping[str, Any]) -> Html:
    """Names and values one under another."""
    return element(
        "dl",
        [
            element("div", element("dt", name), element("dd", shown(value)))
            for name, value in content.items()
        ],
        class_="pairs",
    )


def measured(metrics: Mapping[str, Any]) -> Html:
    """All tables of a run's `metrics.json` but its headline numbers, and their protocol."""
    own = {str(name): node for name, node in metrics.items() if name not in BESIDE}
    alone = {name: node for name, node in own.items() if not isinstance(node, Mapping)}
    pieces: list[Any] = []
    for title, rows in list(_tables(own))[:MOST_TABLES]:
        columns = list(dict.fromkeys(name for row in rows.values() for name in row))
        columns = columns[:MOST_COLUMNS]
        body = [
            [name, *(shown(row[c]) if c in row else "" for c in columns)]
            for name, row in list(rows.items())[:MOST_ROWS]
        ]
        numeric = [False, *(all(is_number(r.get(c, 0)) for r in rows.values()) for c in columns)]
        pieces += [element("h3", title), table(["", *columns], body, numeric)]
    matrices = {name: node for name, node in alone.items() if is_matrix(node)}
    for name, matrix in matrices.items():
        body = [[str(i), *map(shown, row)] for i, row in enumerate(matrix)]
        across = range(len(matrix[0]))
        numeric = [False, *(True for _ in across)]
        pieces += [element("h3", name), table(["", *across], body, numeric)]
    further = {name: node for name, node in alone.items() if name not in matrices}
    if further:
        pieces += [element("h3", "Further"), pairs(further)]
    return joined(pieces)


def is_matrix(node: Any) -> bool:
    """Whether it is rows of as many numbers each, and not too many."""
    return (
        isinstance(node, list)
        and 0 < len(node) <= MOST_ROWS
        and all(isinstance(row, list) and 0 < len(row) <= MOST_COLUMNS for row in node)
        and len({len(row) for row in node}) == 1
        and all(is_number(value) for row in node for value in row)
    )


Table = tuple[str, dict[str, dict[str, Any]]]


def _tables(node: Mapping[str, Any], title: str = "") -> Iterator[Table]:
    """Titles, and named rows of values: mappings of the same kind share a table."""
    for name, inner in node.items():
        if not isinstance(inner, Mapping) or not inner:
            continue
        path = f"{title} · {name}" if title else str(name)
        if all(isinstance(one, Mapping) for one in inner.values()):
            yield from _rows(path, inner)
        else:
            yield path, {"": {str(k): v for k, v in inner.items() if not isinstance(v, Mapping)}}
            yield from _tables(inner, path)


def _rows(title: str, node: Mapping[str, Mapping[str, Any]]) -> Iterator[Table]:
    """Mappings side by side: their values, then what they hold that is a mapping again."""
    rows = {
        str(name): {str(k): v for k, v in one.items() if not isinstance(v, Mapping)}
        for name, one in node.items()
    }
    if any(rows.values()):
        yield title, rows
    inner = dict.fromkeys(
        k for one in node.values() for k, v in one.items() if isinstance(v, Mapping)
    )
    for key in inner:
        of_key = {n: one[key] for n, one in node.items() if isinstance(one.get(key), Mapping)}
        yield from _rows(f"{title} · {key}", of_key)


def protocol(run: Recorded) -> Html:
    """How a run's numbers came about."""
    found = run.metrics.get("protocol")
    return pairs(flat(found)) if isinstance(found, Mapping) and found else joined()
