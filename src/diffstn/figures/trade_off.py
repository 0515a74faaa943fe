"""Two measures of the same things, one against the other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from diffstn.figures.plotted import plotted
from diffstn.figures.style import CYCLE, hexadecimal

Point = tuple[float, float, str]
"""x, y and what is written beside it."""


def trade_off(
    curves: Mapping[str, Sequence[Point]],
    path: str | os.PathLike[str],
    x_label: str,
    y_label: str,
) -> Path:
    """Plot one curve for each name through its points in their order, the y axis logarithmic.

    Args:
        curves: for each name its points; every y is positive.
        path: the image to write; its suffix (png, svg, pdf) chooses the format.
        x_label, y_label: of the axes.

    Returns:
        ``path``.

    Raises:
        ValueError: there is no curve, or a y is not positive.
    """
    heights = [y for points in curves.values() for _, y, _ in points]
    if not heights or min(heights) <= 0 or not all(curves.values()):
        raise ValueError("a trade-off needs points, and on a logarithmic axis positive ones")
    from matplotlib.ticker import ScalarFormatter

    with plotted(path, (5.5, 3.8)) as figure:
        axes = figure.subplots()
        for number, (name, points) in enumerate(curves.items()):
            colour = hexadecimal(CYCLE[number % len(CYCLE)])
            x, y, said = zip(*points, strict=True)
            axes.plot(x, y, "o-", color=colour, linewidth=1.4, markersize=4, label=name)
            for point in zip(x, y, said, strict=True):
                axes.annotate(
                    point[2],
                    point[:2],
                    xytext=(4, 4),
                    textcoords="offset points",
                    fontsize=7,
                    color=colour,
                )
        axes.set(yscale="log", xlabel=x_label, ylabel=y_label)
        axes.margins(0.08)
        for formatter in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            formatter(ScalarFormatter())
        axes.tick_params(axis="y", which="minor", labelsize=7)
        axes.legend()
    return Path(path)
