"""Curves of `metrics.csv`, as many points as a page can bear."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from diffstn.figures.evenly import evenly

AXES = ("step", "epoch", "seconds")
MOST_COLUMNS, MOST_ROWS = 64, 200_000
"""Of a file that is read."""


@dataclass
class Curves:
    """Columns of a `metrics.csv`, None where a number is missing or not finite.

    Args:
        axes: what curves are plotted against, by name: `step`, and `epoch` and `seconds` if there.
        metrics: the other columns that hold numbers, by name, in the order of the file.
    """

    axes: dict[str, list[float | None]] = field(default_factory=dict)
    metrics: dict[str, list[float | None]] = field(default_factory=dict)

    def points(self, name: str) -> list[tuple[float, float]]:
        """(step, value) of a metric, where both are numbers."""
        pairs = zip(self.axes.get("step", []), self.metrics.get(name, []), strict=False)
        return [(x, y) for x, y in pairs if x is not None and y is not None]

    def thinned(self, most: int) -> Curves:
        """The same with about so many points of each metric, evenly spaced, with both ends.

        Metrics that were measured at the same rows keep the same points; those of others stay, too,
        up to four times as many.
        """
        rows: set[int] = set()
        for column in self.metrics.values():
            there = [row for row, value in enumerate(column) if value is not None]
            rows |= {there[i] for i in evenly(len(there), most)}
        every = sorted(rows)
        kept = [every[i] for i in evenly(len(every), 4 * most)]

        axes, metrics = (
            {name: [values[i] for i in kept] for name, values in columns.items()}
            for columns in (self.axes, self.metrics)
        )
        return Curves(axes, metrics)


def read_curves(path: Path) -> Curves:
    """The numeric columns of a `metrics.csv`.

    Raises:
        ValueError: it is no table, or has no column `step`.
    """
    with path.open(newline="", encoding="utf-8") as file:
        try:
            return _columns(csv.reader(file))
        except (csv.Error, UnicodeDecodeError):
            raise ValueError("it is no table") from None


def _columns(rows: Iterable[list[str]]) -> Curves:
    lines = iter(rows)
    names = next(lines, [])[:MOST_COLUMNS]
    if "step" not in names:
        raise ValueError("it has no column 'step'")
    columns: dict[str, list[float | None]] = {name: [] for name in names}
    for number, row in enumerate(lines):
        if number == MOST_ROWS:
            break
        cells = dict(zip(names, row, strict=False))
        for name, column in columns.items():
            column.append(_number(cells.get(name, "")))
    found = {
        name: column
        for name, column in columns.items()
        if any(value is not None for value in column)
    }
    axes = {name: found.pop(name) for name in AXES if name in found}
    return Curves(axes, found) if "step" in axes else Curves()


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
