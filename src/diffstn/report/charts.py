"""The curves of a page: the data that its script plots, and the boxes for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diffstn.report.curves import AXES
from diffstn.report.differences import Differences
from diffstn.report.html import Html, element, joined, plain
from diffstn.report.recorded import Recorded
from diffstn.report.sweep_figure import less_is_better, objectives

MOST_POINTS, MOST_NUMBERS, MOST_PANELS = 1000, 250_000, 48


def chart_data(runs: Sequence[Recorded], found: Differences | None) -> dict[str, Any]:
    """What the script needs: runs with their axes, and panels of series.

    Of one run, metrics that differ in their first word share a panel (train/loss and val/loss). Of
    several, each metric has a panel, and groups are runs that differ in their seed alone.
    """
    count = sum(len(run.curves.metrics) + len(run.curves.axes) for run in runs)
    most = max(20, min(MOST_POINTS, MOST_NUMBERS // max(count, 1)))
    thin = [run.curves.thinned(most) for run in runs]
    names = _ordered(runs)
    panels: dict[str, list[dict[str, Any]]] = {}
    members: list[list[int]] = found.groups() if found else []
    if found is None:
        groups = list(dict.fromkeys(_first(name) for name in names))
        for name in names:
            series = {"run": 0, "group": groups.index(_first(name)), "label": plain(name, 80)}
            column = thin[0].metrics[name]
            panels.setdefault(_last(name), []).append({**series, "y": column})
    else:
        group_of = {index: number for number, one in enumerate(members) for index in one}
        groups = [found.label(one[0]) or runs[one[0]].name for one in members]
        if len(members) == 1 and len(runs) > 1:
            groups = ["all runs"]
        for name in names:
            panels[name] = [
                {
                    **{"run": index, "group": group_of[index]},
                    **{"label": plain(runs[index].name, 80), "y": curves.metrics[name]},
                }
                for index, curves in enumerate(thin)
                if name in curves.metrics
            ]
    axes = [a for a in AXES if all(a in one.axes for one in thin if one.axes)]
    return {
        "axes": axes or ["step"],
        "runs": [{"axes": one.axes} for one in thin],
        "groups": [plain(group, 120) for group in groups],
        "seeds": [len(one) for one in members] if found else [1] * len(groups),
        "bands": found is not None and any(len(one) > 1 for one in members),
        "panels": [
            {"title": plain(title, 80), "series": series}
            for title, series in list(panels.items())[:MOST_PANELS]
        ],
    }


def _first(name: str) -> str:
    return name.split("/", 1)[0] if "/" in name else name


def _last(name: str) -> str:
    return name.split("/", 1)[-1]


def _ordered(runs: Sequence[Recorded]) -> list[str]:
    """Metrics of all runs: the monitored one first, then losses, validation before training."""
    every = dict.fromkeys(name for run in runs for name in run.curves.metrics)
    best = _last(objectives(runs)[0])

    def rank(name: str) -> tuple[bool, bool, bool, bool]:
        last = _last(name)
        return last != best, last != "loss", "/" not in name, not name.startswith("val/")

    return sorted(every, key=rank)


def charts(data: dict[str, Any], several: bool) -> Html:
    """Controls, legend and an empty box for each panel."""
    if not data["panels"]:
        return element("p", "No epoch has ended yet: there are no curves.", class_="note")
    options = [element("option", axis, value=axis) for axis in data["axes"]]
    controls = [
        element("label", "against", element("select", options, data_option="axis")),
        _switch("logarithmic", "log"),
        _switch("mean ± sd over seeds", "bands", True) if data["bands"] else "",
    ]
    legend = [
        element(
            "button",
            element("i", class_=f"swatch c{number % 6}"),
            f"{group} · {seeds} seeds" if seeds > 1 else group,
            **{"type": "button", "aria-pressed": "true", "data_group": number},
        )
        for number, (group, seeds) in enumerate(zip(data["groups"], data["seeds"], strict=True))
    ]
    what = "Click a name to switch its curves off; point at a plot to read values."
    panels = [
        element(
            "div",
            element("h3", panel["title"]),
            element("div", class_="plot"),
            element("div", class_="tip", hidden=True),
            **{"class_": "panel", "data_panel": number},
        )
        for number, panel in enumerate(data["panels"])
    ]
    return joined(
        element("div", controls, class_="controls"),
        element("p", what, class_="note"),
        element("div", legend, class_="legend"),
        element("div", panels, class_="panels"),
    )


def _switch(text: str, option: str, on: bool = False) -> Html:
    return element("label", element("input", type="checkbox", data_option=option, checked=on), text)


def best_of(values: Sequence[float | None], name: str) -> float | None:
    """The best of what several runs monitored."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    return min(known) if less_is_better(name) else max(known)
