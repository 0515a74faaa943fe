"""Curves of a training run, read from its ``metrics.csv``."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffstn.errors import UserError
from diffstn.figures.plotted import plotted
from diffstn.figures.style import CYCLE, hexadecimal

Series = tuple[NDArray[np.float64], NDArray[np.float64]]

PANELS = {"loss": "loss", "accuracy": "acc", "FID": "fid", "distance": "distance"}
"""Title of each panel, and the word in a column's name that puts the column there."""
LARGEST = 1e100
"""What can be drawn."""
MOST_BYTES = 2**26
"""Of a metrics.csv."""
FEW = 12
"""Points of a curve up to which each of them is marked."""


def read_metrics(metrics_csv: str | os.PathLike[str]) -> dict[str, Series]:
    """Read every numeric column as (steps, values), skipping the cells that are empty.

    Raises:
        UserError: If the file is missing, or has no column ``step``.
    """
    source = Path(metrics_csv)
    if not source.is_file():
        raise UserError(f"no metrics at {source}: point to the metrics.csv of a run")
    try:
        if source.stat().st_size > MOST_BYTES:
            raise ValueError("too large")
        with source.open(newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (ValueError, csv.Error) as error:
        raise UserError(f"{source} is damaged ({error}): remove it") from None
    if not rows or "step" not in rows[0]:
        raise UserError(f"{source} has no rows with a step: is it the metrics.csv of a run?")
    series = {}
    for name in filter(None, rows[0]):  # more cells than the header has lie under None
        points = []
        for row in rows:
            try:
                points.append((float(row["step"]), float(row[name])))
            except (TypeError, ValueError):
                continue
        drawn = [p for p in points if all(abs(v) < LARGEST for v in p)]
        finite = np.array(drawn).reshape(-1, 2)
        if len(finite) and name not in ("step", "epoch"):
            series[name] = (finite[:, 0], finite[:, 1])
    return series


def running_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Mean over ``window`` (odd) neighbours, over those there are at the ends."""
    ones = np.ones(window)
    return np.convolve(values, ones, "same") / np.convolve(np.ones_like(values), ones, "same")


def training_curves(metrics_csv: str | os.PathLike[str], path: str | os.PathLike[str]) -> Path:
    """Plot the loss, the accuracy and the FID of a run against its optimisation steps.

    Columns whose name contains ``loss`` share one panel, those with ``acc``, ``fid`` or
    ``distance`` others; a panel without columns is left out. Curves of more than 100 points are
    faint, with their running mean over a fiftieth of the points on top. Losses that span more than
    a factor of 20 get a logarithmic axis. Curves of few points show each of them. A panel that was
    measured at one step alone starts at 0 on both axes.

    Args:
        metrics_csv: Rows as a CSV logger writes them: ``step`` and one column per metric, a cell
            left empty where a metric was not measured at that step.
        path: The image to write; its suffix (png, svg, pdf) chooses the format.

    Returns:
        ``path``.

    Raises:
        UserError: If the file is missing or holds neither losses nor accuracies.
    """
    series = read_metrics(metrics_csv)
    panels = {
        title: {name: curve for name, curve in series.items() if word in name.lower()}
        for title, word in PANELS.items()
    }
    panels = {title: curves for title, curves in panels.items() if curves}
    if not panels:
        raise UserError(f"{metrics_csv} has neither losses nor accuracies: nothing to plot")

    from matplotlib.ticker import MaxNLocator

    with plotted(path, (4.5 * len(panels), 3.2)) as figure:
        for axes, (title, curves) in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
        ):
            for number, (name, (steps, values)) in enumerate(curves.items()):
                colour = hexadecimal(CYCLE[number % len(CYCLE)])
                if len(values) > 100:
                    axes.plot(steps, values, color=colour, alpha=0.2, linewidth=0.6)
                    values = running_mean(values, len(values) // 50 | 1)
                style: dict[str, Any] = {"color": colour, "linewidth": 1.6, "label": name}
                marker = "o" if len(values) <= FEW else ""
                axes.plot(steps, values, marker=marker, markersize=4, **style)
            at, every = (np.concatenate(axis) for axis in zip(*curves.values(), strict=True))
            alone = at.min() == at.max()
            if title == "loss" and not alone and every.min() > 0 and every.max() > 20 * every.min():
                axes.set_yscale("log")
            axes.set(title=title, xlabel="step")
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            if alone:
                axes.set_xlim(0, max(1.0, 2 * at.max()))
                if every.min() > 0:
                    axes.set_ylim(0, 1.25 * every.max())
            else:
                axes.margins(x=0.02)
            axes.legend()
    return Path(path)
