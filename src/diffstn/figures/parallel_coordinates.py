"""A search as lines through its settings, coloured by what came out."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from diffstn.figures.plotted import plotted
from diffstn.figures.style import BLUE, CYCLE, INK, MUTED, RULE, hexadecimal, mix

Value = float | str
FEW = 5
"""Values of a number up to which each of them is marked, instead of round heights."""
FAINT = (205, 220, 232)
"""Of what came out worst."""


class Axis:
    """A setting's values as heights in [0, 1].

    Numbers that span more than a factor of 20 are on a logarithmic scale; words are evenly spaced
    in the order in which they come.
    """

    def __init__(self, values: Sequence[Value]) -> None:
        numbers = [float(v) for v in values if not isinstance(v, str)]
        self.words = [str(v) for v in dict.fromkeys(values)] if len(numbers) < len(values) else []
        self.low, self.high = (min(numbers), max(numbers)) if not self.words else (0.0, 1.0)
        self.few = sorted(set(numbers)) if len(set(numbers)) <= FEW else []
        self.logarithmic = not self.words and self.low > 0 and self.high > 20 * self.low

    def height(self, value: Value) -> float:
        """Where a value stands."""
        if self.words:
            return (self.words.index(str(value)) + 0.5) / len(self.words)
        low, high, at = self.low, self.high, float(value)
        if self.logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low) if high > low else 0.5

    def ticks(self) -> list[tuple[float, str]]:
        """Heights and words of a few marks."""
        if self.words:
            return [(self.height(word), word) for word in self.words]
        if self.few:
            return [(self.height(value), f"{value:.3g}") for value in self.few]
        heights = [i / 4 for i in range(5)]
        low, high = self.low, self.high
        if self.logarithmic:
            return [(h, f"{low * (high / low) ** h:.2g}") for h in heights]
        return [(h, f"{low + h * (high - low):.3g}") for h in heights]


def parallel_coordinates(
    settings: Mapping[str, Sequence[Value]],
    objective: Sequence[float | None],
    name: str,
    path: str | os.PathLike[str],
    lower: bool = False,
) -> Path:
    """Plot each run as a line through its settings to its objective; the best one stands out.

    Args:
        settings: name of a setting → its value in each run.
        objective: of each run; None where a run has none, which is drawn faintly up to there.
        name: of the objective.
        path: The image to write; its suffix (png, svg, pdf) chooses the format.
        lower: Whether less is better.

    Returns:
        ``path``.

    Raises:
        ValueError: If no run has an objective.
    """
    known = [value for value in objective if value is not None]
    if not known or not settings:
        raise ValueError("parallel coordinates need settings, and runs with an objective")

    axes_of = {setting: Axis(values) for setting, values in settings.items()}
    last = Axis(known)
    best = min(known) if lower else max(known)
    with plotted(path, (2.0 + 1.7 * len(settings), 3.8), axes__grid=False) as figure:
        axes = figure.subplots()
        order = sorted(range(len(objective)), key=lambda i: _rank(objective[i], lower))
        for index in order:  # the best last, on top
            value = objective[index]
            y = [axis.height(settings[s][index]) for s, axis in axes_of.items()]
            if value is None:
                axes.plot(range(len(y)), y, color=hexadecimal(RULE), linewidth=0.9, linestyle=":")
                continue
            y.append(last.height(value))
            good = 1 - last.height(value) if lower else last.height(value)
            colour, width, marker, above = mix(FAINT, BLUE, good), 1.3, 2.5, 2
            if value == best:
                colour, width, marker, above = CYCLE[1], 2.6, 4.0, 3
            points = axes.plot(range(len(y)), y, "o-", color=hexadecimal(colour), zorder=above)
            points[0].set(linewidth=width, markersize=marker)
        for x, axis in enumerate([*axes_of.values(), last]):
            axes.axvline(x, color=hexadecimal(MUTED), linewidth=0.8, zorder=1)
            for height, word in axis.ticks():
                word = word if len(word) < 18 else f"{word[:16]}…"
                said = axes.annotate(word, (x, height), (5, 0), textcoords="offset points")
                said.set(va="center", fontsize=7, color=hexadecimal(INK), zorder=4)
                said.set_bbox({"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1})
        titles = [*settings, f"{name}\n(best {best:.4g})"]
        axes.set_xticks(range(len(titles)), titles)
        axes.set(xlim=(-0.1, len(titles) - 0.55), ylim=(-0.05, 1.05), yticks=[])
        axes.tick_params(axis="x", length=0, labelcolor=hexadecimal(INK))
        for side in axes.spines.values():
            side.set_visible(False)
    return Path(path)


def _rank(value: float | None, lower: bool) -> float:
    if value is None:
        return -math.inf
    return -value if lower else value
