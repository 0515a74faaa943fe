"""Measured curves on logarithmic axes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from diffstn.figures.plotted import plotted
from diffstn.figures.style import CYCLE, hexadecimal


def line_plot(
    curves: Mapping[str, Mapping[int, float]],
    path: str | os.PathLike[str],
    x_label: str,
    y_label: str,
) -> Path:
    """Plot one curve for each name through its points, both axes logarithmic.

    Args:
        curves: for each name, y by x, all positive.
        path: The image to write; its suffix (png, svg, pdf) chooses the format.
        x_label, y_label: Of the axes.

    Returns:
        ``path``.

    Raises:
        ValueError: If there is no curve, or a number is not positive.
    """
    if not curves or any(min(*c, *c.values()) <= 0 for c in curves.values()):
        raise ValueError("curves on logarithmic axes need points, and positive ones")
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    with plotted(path, (5.5, 3.6)) as figure:
        axes = figure.subplots()
        for number, (name, points) in enumerate(curves.items()):
            colour = hexadecimal(CYCLE[number % len(CYCLE)])
            x, y = zip(*sorted(points.items()), strict=True)
            axes.plot(x, y, "o-", color=colour, linewidth=1.6, markersize=4, label=name)
        axes.set(xscale="log", yscale="log", xlabel=x_label, ylabel=y_label)
        ticks = sorted({x for points in curves.values() for x in points})
        axes.set_xticks(ticks)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(ScalarFormatter())
            axis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_minor_formatter(ScalarFormatter())
        axes.tick_params(axis="y", which="minor", labelsize=7)
        axes.legend()
    return Path(path)
