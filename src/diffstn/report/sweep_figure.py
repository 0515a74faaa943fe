"""The figure of a sweep: curves over seeds, or the lines of a search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from diffstn.figures.band_curves import band_curves
from diffstn.figures.parallel_coordinates import Value, parallel_coordinates
from diffstn.report.differences import Differences, differences
from diffstn.report.html import plain
from diffstn.report.recorded import Recorded

MOST_PANELS, MOST_SETTINGS, MOST_GROUPS, MOST_POINTS = 3, 7, 24, 1000
MANY = 6
"""Values of a number from which on it was searched, rather than chosen from."""


def sweep_figure(runs: Sequence[Recorded], path: Path) -> Path | None:
    """Write the figure; None where no run has anything to show yet.

    Of a search, which tried many values of numbers, parallel coordinates; otherwise the curves of
    what was validated, mean ± sd over runs that differ in their seed alone.
    """
    found = differences(runs)
    path.unlink(missing_ok=True)  # which may be a link
    if searched(found):
        name, objective = objectives(runs)
        if any(value is not None for value in objective):
            columns = {_text(n): column(found, n) for n in found.varied[:MOST_SETTINGS]}
            return parallel_coordinates(columns, objective, _text(name), path, less_is_better(name))
    thin = [run.curves.thinned(MOST_POINTS) for run in runs]
    panels = {}
    for name in shown_metrics(runs):
        curves: dict[str, list[list[tuple[float, float]]]] = {}
        for members in found.groups()[:MOST_GROUPS]:
            points = [p for i in members if (p := thin[i].points(name))]
            if points:
                curves[_group(found, members)] = points
        panels[_text(name)] = curves
    return band_curves(panels, path) if any(panels.values()) else None


def _group(found: Differences, members: Sequence[int]) -> str:
    label = _text(found.label(members[0]), 60) or "all runs"
    return f"{label} ({len(members)})" if len(members) > 1 else label


def _text(text: str, most: int = 40) -> str:
    """As matplotlib takes it: a dollar begins no formula."""
    return " ".join(plain(text, most).split()).replace("$", r"\$")


def number(value: str) -> Value:
    """A setting's value as a number, if it is one."""
    try:
        found = float(value)
    except ValueError:
        return value
    return found if abs(found) < 1e300 else value


def column(found: Differences, name: str) -> list[Value]:
    """A setting's value in each run; numbers only if all are."""
    texts: list[Value] = [one[name] for one in found.values]
    numbers = [number(str(text)) for text in texts]
    return texts if any(isinstance(one, str) for one in numbers) else numbers


def searched(found: Differences) -> bool:
    """Whether the runs are a search: many values of a number, or several of several."""
    counts = [
        len(set(values))
        for name in found.varied
        if not isinstance((values := column(found, name))[0], str)
    ]
    return max(counts, default=0) >= MANY or sum(count >= 3 for count in counts) >= 2


def objectives(runs: Sequence[Recorded]) -> tuple[str, list[float | None]]:
    """The name of the number that the runs monitor, and its best value in each."""
    named = [run.monitored for run in runs]
    name = next((one[0] for one in named if one), "")
    return name, [one[1] if one and one[0] == name else None for one in named]


def less_is_better(name: str) -> bool:
    """Of a monitored number: an accuracy is to be high, a loss or a distance low."""
    return "acc" not in name.lower()


def shown_metrics(runs: Sequence[Recorded]) -> list[str]:
    """What is plotted: the monitored number first, then what else was validated."""
    every = dict.fromkeys(name for run in runs for name in run.curves.metrics)
    first = objectives(runs)[0]
    validated = [name for name in every if name.startswith("val/")] or [
        name for name in every if "loss" in name
    ]
    return sorted(validated, key=lambda name: name != first)[:MOST_PANELS]
