"""A figure of matplotlib's in our style."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diffstn.figures.style import PLOT


@contextmanager
def plotted(
    path: str | os.PathLike[str],
    size: tuple[float, float],
    dpi: int = 200,
    *,
    layout: Any = "constrained",
    **style: Any,
) -> Iterator[Any]:
    """An empty figure, which is written to `path` when the block is through.

    Args:
        path: its suffix (png, svg, pdf) chooses the format; missing folders are made.
        size: in inches, width and height.
        dpi: pixels of an inch.
        layout: matplotlib's; None leaves axes where they are put.
        style: of `matplotlib.rc_context`, beside our own; a dot is written as two underscores.
    """
    import matplotlib
    from matplotlib.figure import Figure

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    asked: dict[Any, Any] = {name.replace("__", "."): value for name, value in style.items()}
    with matplotlib.rc_context({**PLOT, **asked}):
        figure = Figure(figsize=size, dpi=dpi, layout=layout)
        yield figure
        figure.savefig(path)
