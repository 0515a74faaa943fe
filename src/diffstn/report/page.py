"""The page: one file, with all that it shows, that asks no network for anything."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffstn.report import overview
from diffstn.report.charts import chart_data, charts
from diffstn.report.differences import differences
from diffstn.report.gallery import budgets, figures, films
from diffstn.report.html import Html, data_block, element, joined
from diffstn.report.images import Budget
from diffstn.report.recorded import Recorded
from diffstn.report.tables import measured, protocol

HERE = Path(__file__).parent
BEGINS = '<!doctype html>\n<html lang="en"><head><meta name="generator" content="diffstn report">'
"""How a page of ours is told from any other file."""


def page(
    runs: Sequence[Recorded],
    title: str,
    home: Path,
    summary: Path | None = None,
    problems: Sequence[str] = (),
) -> str:
    """A report of one run, or of several side by side.

    Args:
        title: of the page.
        home: the folder that the page will lie in.
        summary: figure of a sweep.
        problems: what was left out, beside what the runs name.
    """
    found = differences(runs) if len(runs) > 1 else None
    data = chart_data(runs, found)
    rooms = budgets(runs)
    moving = films(runs, rooms)
    sections: list[tuple[str, Any]] = []
    if found is None:
        [run], [room] = runs, rooms
        sections.append(("What was run", overview.asked_for(run)))
        sections.append(("Curves", charts(data, several=False)))
        sections.append(("Results", _results(run)))
        sections.append(("Through training", moving))
        sections.append(("Figures", figures(run, room, home)))
        head = overview.head_of_one(run)
    else:
        sections.append(("Runs", overview.compared(runs, found)))
        sections.append(("Curves", charts(data, several=True)))
        sections.append(("Summary", _picture(summary)))
        sections.append(("Through training", moving))
        sections.append(("Each run", _each(runs, rooms, home)))
        sections.append(("Configuration", overview.configurations(runs, found)))
        head = overview.head_of_several(runs)
    sections.append(("System and time", overview.system(runs)))
    sections.append(("Left out", _left_out(runs, rooms, problems)))
    return _document(title, head, [(name, body) for name, body in sections if body], data)


def _results(run: Recorded) -> Html:
    tables, how = measured(run.metrics), protocol(run)
    if not tables and not how:
        return joined()
    said = element("details", element("summary", "Protocol"), how, open=True) if how else ""
    return joined(tables, said)


def _each(runs: Sequence[Recorded], rooms: Sequence[Budget], home: Path) -> Html:
    """Tables, figures and configuration of every run, folded away."""
    return joined(
        element(
            "details",
            element("summary", run.name),
            _results(run),
            figures(run, room, home),
            overview.whole(run, "The whole configuration"),
        )
        for run, room in zip(runs, rooms, strict=True)
    )


def _picture(summary: Path | None) -> Html:
    if summary is None:
        return joined()
    room = Budget(2**22)
    shown = [
        element(
            "figure",
            element("img", src=i.uri, width=i.width // 2, height=i.height // 2, alt="summary"),
            class_="large",
        )
        for i in room.take(summary.parent, [Path(summary.name)])
    ]
    return element("div", shown, class_="figures") if shown else joined()


def _left_out(runs: Sequence[Recorded], rooms: Sequence[Budget], problems: Sequence[str]) -> Html:
    several = len(runs) > 1
    lines = [
        *problems,
        *(
            f"{run.name}: {line}" if several else line
            for run, room in zip(runs, rooms, strict=True)
            for line in [*run.problems, *room.problems]
        ),
    ]
    return element("ul", [element("li", line) for line in lines[:100]]) if lines else joined()


def _document(
    title: str, head: Html, sections: Sequence[tuple[str, Html]], data: dict[str, Any]
) -> str:
    style, script = ((HERE / f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none';"
        f" style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    policy_tag = element("meta", http_equiv="Content-Security-Policy", content=Html(policy))
    links = [element("a", name, href=f"#{_anchor(name)}") for name, _ in sections]
    body = [
        element("section", element("h2", name, id=_anchor(name)), inner) for name, inner in sections
    ]
    return "".join(
        (
            BEGINS,
            element("meta", charset="utf-8"),
            policy_tag,
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", title),
            f"<style>{style}</style></head><body>",
            element("header", element("h1", title), head, element("nav", links)),
            element("main", body),
            element("footer", "Made by diffstn report from what the runs left in their folders."),
            element("noscript", element("p", "Curves and sliders need JavaScript.")),
            data_block("data", data),
            f"<script>{script}</script></body></html>\n",
        )
    )


def _hash(text: str) -> str:
    """By which a browser knows the one script and the one style that it may use."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")
