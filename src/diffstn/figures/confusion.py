"""Which classes are taken for which."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diffstn.figures.sheet import Sheet, text_width
from diffstn.figures.style import BLUE, INK, MUTED, PAPER, RULE, WRONG, mix

CELL, LETTERS, GAP = 46, 15, 14
FEW = 24
"""Classes whose cells have numbers."""


def confusions(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """The table of confusions among the metrics of a run; of several hypotheses, the most."""
    found: Any = metrics.get("confusion")
    if found is None and metrics.get("k"):
        found = list(metrics["k"].values())[-1].get("confusion")
    return found  # type: ignore[no-any-return]


def plot_confusions(metrics: Mapping[str, Any], folder: Path) -> list[tuple[str, Path]]:
    """`confusion.png` in the folder, of a run whose metrics have a table of them."""
    found = confusions(metrics)
    if found is None:
        return []
    path = confusion_page(found["rows"], found["classes"], folder / "confusion.png")
    return [("confusion", path)]


def confusion_page(
    rows: Sequence[Sequence[int]], classes: Sequence[str], path: str | os.PathLike[str]
) -> Path:
    """Plot counts of images by true class (row) and what was read in them (column).

    What is right lies on the diagonal, in blue; mistakes are vermillion. A cell is the darker the
    larger its share of the row, mistakes on a scale of their own: the darkest is the largest share.

    Args:
        rows: counts (K, K).
        classes: their names.
        path: the PNG to write.

    Returns:
        ``path``.

    Raises:
        ValueError: there is not a row and a column for each class.
    """
    number = len(classes)
    if not number or len(rows) != number or any(len(row) != number for row in rows):
        raise ValueError(f"confusions of {number} classes must be {number} rows of {number} counts")
    shown = number <= FEW
    cell = CELL if shown else max(6, 960 // number)
    letters = LETTERS if shown else max(7, min(LETTERS, cell))
    names = [str(name) for name in classes]
    wide = max(text_width(name, letters) for name in names)
    across = max(wide, text_width("true", LETTERS)) + 2 * GAP
    upright = all(text_width(name, letters) <= cell - 4 for name in names)
    head = 2 * (LETTERS + GAP) if upright else LETTERS + GAP + min(wide, 6 * LETTERS) + GAP
    sheet = Sheet(across + number * cell + GAP, head + number * cell + LETTERS + 2 * GAP)
    shares = [[count / max(1, sum(row)) for count in row] for row in rows]
    worst = max((s for i, r in enumerate(shares) for j, s in enumerate(r) if i != j), default=0)
    sheet.text("read as", across, GAP, LETTERS, MUTED)
    sheet.text("true", GAP, head - GAP // 2, LETTERS, MUTED, "ls")
    for i, name in enumerate(names):
        x, y = across + i * cell, head + i * cell
        sheet.text(name, across - GAP, y + cell // 2, letters, MUTED, "rm")
        if upright:
            sheet.text(name, x + cell // 2, head - GAP // 2, letters, MUTED, "ms")
        else:
            sheet.turned(name, x + cell // 2, head - GAP // 2, letters, MUTED)
        for j, count in enumerate(rows[i]):
            right, share = i == j, shares[i][j]
            depth = share if right else share / worst if worst else 0
            depth = 0.12 + 0.88 * depth if count else 0
            at = across + j * cell
            colour = mix(PAPER, BLUE if right else WRONG, depth) if count else PAPER
            sheet.bar(at, y, cell, cell, RULE)
            sheet.bar(at + 1, y + 1, cell - 1, cell - 1, colour)
            if shown and count:
                size = LETTERS
                while size > 7 and text_width(str(count), size) > cell - 6:
                    size -= 1
                ink = PAPER if depth > (0.55 if right else 0.75) else INK
                sheet.text(str(count), at + cell // 2, y + cell // 2, size, ink, "mm")
    total = sum(map(sum, rows))
    wrong = total - sum(rows[i][i] for i in range(number))
    said = f"{wrong} of {total} images misread"
    sheet.text(said, across, head + number * cell + GAP + LETTERS // 2, LETTERS, MUTED)
    return sheet.save(path)
