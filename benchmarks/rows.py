"""Tables that are printed row by row, as the numbers come."""

from collections.abc import Sequence
from typing import Any


class Rows:
    """A table in Markdown whose rows are printed when they are added.

    Args:
        header: of the columns.
        widths: of the first columns, where cells are longer than the header.
    """

    def __init__(self, header: Sequence[str], widths: Sequence[int] = ()) -> None:
        wide = [*widths, *[0] * (len(header) - len(widths))]
        self.widths = [max(len(h), w) for h, w in zip(header, wide, strict=True)]
        self.add(*header)
        print("|" + "|".join("-" * (w + 2) for w in self.widths) + "|", flush=True)

    def add(self, *cells: Any) -> None:
        """Print one row, a cell for each column."""
        padded = (str(c).ljust(w) for c, w in zip(cells, self.widths, strict=True))
        print("| " + " | ".join(padded) + " |", flush=True)
