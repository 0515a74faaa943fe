"""Curves of several runs: a mean, and about it how far the runs lie apart."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from diffstn.figures.plotted import plotted
from diffstn.figures.style import CYCLE, hexadecimal

Points = Sequence[tuple[float, float]]
DASHES = ("-", "--", ":", "-.")
COLUMNS = 3


def band(curves: Sequence[Points]) -> tuple[list[float], list[float], list[float]]:
    """Where curves were measured, their means there, and sample standard deviations.

    A step at which some of the curves have no point has the mean of the others; the deviation of
    one value is 0.
    """
    at: dict[float, list[float]] = {}
    for points in curves:
        for x, y in points:
            at.setdefault(x, []).append(y)
    steps = sorted(at)
    means = [statistics.fmean(at[x]) for x in steps]
    spreads = [statistics.stdev(at[x]) if len(at[x]) > 1 else 0.0 for x in steps]
    return steps, means, spreads


def band_curves(
    panels: Mapping[str, Mapping[str, Sequence[Points]]], path: str | os.PathLike[str]
) -> Path:
    """Plot for each metric and group the mean of its curves, and mean ± sd where there are several.

    Args:
        panels: title of a panel → name of a group → its curves, as (step, value).
        path: The image to write; its suffix (png, svg, pdf) chooses the format.

    Returns:
        ``path``.

    Raises:
        ValueError: If there is nothing to plot.
    """
    if not any(panels.values()):
        raise ValueError("there is no curve to plot")
    from matplotlib.ticker import MaxNLocator

    groups = list(dict.fromkeys(name for one in panels.values() for name in one))
    across = min(COLUMNS, len(panels))
    down = -(-len(panels) // across)
    below = -(-len(groups) // across) * 0.22 + 0.1 if len(groups) > 1 else 0.0
    size = (4.4 * across, 3.0 * down + below)
    with plotted(path, size) as figure:
        every = figure.subplots(down, across, squeeze=False).flat
        for axes, (title, curves) in zip(every, panels.items(), strict=False):
            for number, name in enumerate(groups):
                if not curves.get(name):
                    continue
                steps, means, spreads = band(curves[name])
                colour = hexadecimal(CYCLE[number % len(CYCLE)])
                dash = DASHES[number // len(CYCLE) % len(DASHES)]
                low = [m - s for m, s in zip(means, spreads, strict=True)]
                high = [m + s for m, s in zip(means, spreads, strict=True)]
                axes.fill_between(steps, low, high, color=colour, alpha=0.16, linewidth=0)
                marker = "o" if len(steps) <= 12 else ""
                drawn = axes.plot(steps, means, dash, color=colour, marker=marker, label=name)
                drawn[0].set(linewidth=1.6, markersize=3.5)
            axes.set(title=title, xlabel="step")
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            axes.margins(x=0.02)
        for axes in list(figure.axes)[len(panels) :]:
            axes.remove()
        if len(groups) > 1:
            handles, labels = figure.axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower left", ncols=across)
    return Path(path)
