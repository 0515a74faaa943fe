"""Forward and reverse trajectories of a number, with the densities at their ends."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from diffstn.figures.plotted import plotted
from diffstn.figures.style import BLUE, INK, WRONG, hexadecimal


class Fit(NamedTuple):
    """How well samples agree with a normal distribution."""

    name: str
    mean: float
    variance: float
    distance: float
    p_value: float

    @property
    def text(self) -> str:
        p = f"{self.p_value:.2f}" if self.p_value >= 0.005 else "< 0.005"
        return f"{self.name}: KS {self.distance:.4f}, p {'' if p[0] == '<' else '= '}{p}"


class Walk(NamedTuple):
    """A few paths (T + 1, shown), row t the values of x_t; the ends (n,) of all; and their fit."""

    title: str
    paths: Tensor
    ends: Tensor
    fit: Fit
    backwards: bool


def gaussian_paths(
    rows: Sequence[tuple[str, Sequence[Walk]]],
    path: str | os.PathLike[str],
) -> Path:
    """Plot x_t against t, a row per schedule and a column per walk, ends as densities at the right.

    The histogram holds the ends of all paths, the line is the normal density it should follow; a
    fit with p ≤ 0.05 is set in vermillion.

    Args:
        rows: A title and the walks of each row, equally many.
        path: The image to write.

    Returns:
        ``path``.
    """

    columns = len(rows[0][1])
    low, high = (
        getattr(np, end)(
            [
                getattr(values, end)().item()
                for _, walks in rows
                for walk in walks
                for values in (walk.paths, walk.ends)
            ]
        )
        for end in ("min", "max")
    )
    with plotted(path, (4.2 * columns, 2.3 * len(rows)), 110) as figure:
        grid = figure.subplots(
            len(rows),
            2 * columns,
            squeeze=False,
            sharey=True,
            gridspec_kw={"width_ratios": [4, 1] * columns},
        )
        for row, (axes, (title, walks)) in enumerate(zip(grid, rows, strict=True)):
            for column, walk in enumerate(walks):
                lines, density = axes[2 * column], axes[2 * column + 1]
                steps = len(walk.paths) - 1
                fits = walk.fit.p_value > 0.05
                colour, ink = (hexadecimal(one if fits else WRONG) for one in (BLUE, INK))
                heading = f"{walk.title}\n{walk.fit.text}" if row == 0 else walk.fit.text
                lines.plot(walk.paths.numpy(), color=colour, alpha=0.25, linewidth=0.5)
                lines.set_xlim((steps, 0) if walk.backwards else (0, steps))
                lines.set_ylim(low, high)
                lines.set_title(heading, color=ink)
                lines.set_xlabel("t")
                if column == 0:
                    lines.set_ylabel(f"{title}\n$x_t$")
                density.hist(
                    walk.ends.numpy(),
                    bins=60,
                    density=True,
                    orientation="horizontal",
                    color=colour,
                    alpha=0.4,
                )
                x = np.linspace(low, high, 300)
                sd = math.sqrt(walk.fit.variance)
                normal = np.exp(-((x - walk.fit.mean) ** 2) / (2 * sd**2))
                density.plot(
                    normal / (sd * math.sqrt(2 * math.pi)), x, color=hexadecimal(INK), linewidth=1
                )
                density.set_xticks([])
                density.grid(False)
    return Path(path)
