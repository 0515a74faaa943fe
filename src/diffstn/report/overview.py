"""What was run, how it went, with what and how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from diffstn.report.charts import best_of
from diffstn.report.differences import Differences, flat, settings_of
from diffstn.report.html import Html, element, joined
from diffstn.report.recorded import Recorded
from diffstn.report.summary import mean_sd
from diffstn.report.sweep_figure import objectives
from diffstn.report.tables import Cell, pairs, shown, table

MOST_NUMBERS, MOST_SETTINGS, MOST_LETTERS = 8, 12, 60_000


def chip(run: Recorded) -> Html:
    """A run's state."""
    return element("span", run.state, class_=f"state {run.state}")


def duration(seconds: Any) -> str:
    """Seconds as hours, minutes and seconds."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds < 1e9:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def spent(run: Recorded) -> Any:
    """Seconds of training: of a finished run, or so far."""
    so_far = [s for s in run.curves.axes.get("seconds", []) if s is not None]
    return run.metrics.get("train_seconds", so_far[-1] if so_far else None)


def head_of_one(run: Recorded) -> Html:
    """State, model, data, and the numbers that it came to."""
    chosen = [run.choices.get(key, "") for key in ("model", "data", "data/distortion")]
    about = [" · ".join(filter(None, [*chosen, str(run.status.get("time", ""))]))]
    numbers = list(run.numbers.items())[:MOST_NUMBERS]
    if not numbers and run.monitored:
        numbers = [run.monitored]
    tiles = [element("div", element("dt", n), element("dd", shown(v))) for n, v in numbers]
    return joined(
        element("p", chip(run), " ", about, class_="under"),
        element("p", run.error, class_="error") if run.error else "",
        element("p", "To go on: ", element("code", run.status["resume"]))
        if run.status.get("resume")
        else "",
        element("dl", tiles, class_="tiles") if tiles else "",
    )


def head_of_several(runs: Sequence[Recorded]) -> Html:
    """How many, and how many of them in which state."""
    states: dict[str, list[Recorded]] = {}
    for run in runs:
        states.setdefault(run.state, []).append(run)
    said = [
        [element("span", f"{len(of)} {s}", class_=f"state {s}"), " "] for s, of in states.items()
    ]
    models = dict.fromkeys(
        f"{r.choices.get('model', '')} {r.choices.get('data', '')}" for r in runs
    )
    about = " · ".join(name.strip() for name in list(models)[:6] if name.strip())
    return element("p", said, about, class_="under")


def asked_for(run: Recorded) -> Html:
    """What one run was told, and its whole configuration folded away."""
    words = "\n".join(word for word in run.words if word)
    return joined(
        element("pre", words, class_="words") if words else element("p", "All settings as given."),
        whole(run, "The whole configuration"),
    )


def whole(run: Recorded, title: str) -> Html:
    """A run's configuration, folded away."""
    if not run.config:
        return joined()
    text = "\n".join(f"{key}: {value}" for key, value in flat(run.config).items())[:MOST_LETTERS]
    pieces = [text[i : i + 2000] for i in range(0, len(text), 2000)]
    return element("details", element("summary", title), element("pre", pieces))


def compared(runs: Sequence[Recorded], found: Differences) -> Html:
    """A row for each run: in what it differs, how it went, what it came to."""
    settings = [*found.varied[:MOST_SETTINGS], *(["seed"] if "seed" in found.first else [])]
    numbers = list(dict.fromkeys(name for run in runs for name in run.numbers))[:MOST_NUMBERS]
    monitor, values = objectives(runs)
    best = best_of(values, monitor)
    group_of = {i: n for n, members in enumerate(found.groups()) for i in members}
    header = ["run", *settings, "state", *([monitor] if monitor else []), *numbers, "trained"]
    rows = []
    for index, run in enumerate(runs):
        box = element("input", type="checkbox", checked=True, data_run=index, aria_label="show")
        colour = element("i", class_=f"swatch c{group_of[index] % 6}")
        value = values[index]
        cells: list[Any] = [found.values[index][name] for name in settings]
        cells.append(Cell(element("td", chip(run), title=run.error or None)))
        if monitor:
            style = "number best" if value is not None and value == best else "number"
            cells.append(Cell(element("td", "" if value is None else shown(value), class_=style)))
        cells += [shown(run.numbers[name]) if name in run.numbers else "" for name in numbers]
        name = element("span", run.name, class_="run", title=run.path.name)
        label = element("label", box, " ", colour, " ", name)
        rows.append([label, *cells, duration(spent(run))])
    right = [False, *[False] * len(settings), False, *[True] * (len(header) - len(settings) - 2)]
    failed = [
        element("p", element("b", run.name), ": ", run.error, class_="error")
        for run in runs
        if run.error
    ]
    return joined(
        table(header, rows, right, class_="runs"), failed, _over_seeds(runs, found, numbers)
    )


def _over_seeds(runs: Sequence[Recorded], found: Differences, numbers: Sequence[str]) -> Html:
    """Means and sample deviations over the seeds, where there are several."""
    groups = found.groups()
    monitor, values = objectives(runs)
    names = [*([monitor] if monitor else []), *numbers]
    if not names or not any(len(members) > 1 for members in groups):
        return joined()
    rows = []
    for members in groups:
        finished = [i for i in members if runs[i].state == "done"]
        best = [v for i in finished if (v := values[i]) is not None]
        done = [runs[i].numbers for i in finished]
        cells = [mean_sd(best)] if monitor else []
        cells += [mean_sd([one[name] for one in done if name in one]) for name in numbers]
        label = found.label(members[0]) or "all"
        rows.append([label, f"{len(done)}/{len(members)}", *cells])
    right = [False, True, *[True] * len(names)]
    header = ["mean ± sd over seeds", "done", *names]
    return joined(element("h3", "Over seeds"), table(header, rows, right))


def configurations(runs: Sequence[Recorded], found: Differences) -> Html:
    """Further differences and whole configurations, folded away."""
    more = [name for name in found.first if name != "seed"][MOST_SETTINGS:] + found.further
    pieces: list[Any] = []
    if more:
        shown_rows = [[name, *(one[name] for one in found.values)] for name in more[:200]]
        inner = table(["setting", *(run.name for run in runs)], shown_rows)
        title = f"What else differs ({len(more)} settings)"
        pieces.append(element("details", element("summary", title), inner))
    every = [settings_of(run) for run in runs]
    common = {k: v for k, v in every[0].items() if all(one.get(k) == v for one in every[1:])}
    text = "\n".join(f"{key}: {value}" for key, value in common.items())[:MOST_LETTERS]
    parts = [text[i : i + 2000] for i in range(0, len(text), 2000)]
    title = f"What all have in common ({len(common)} settings)"
    pieces.append(element("details", element("summary", title), element("pre", parts)))
    return joined(pieces)


def system(runs: Sequence[Recorded]) -> Html:
    """Versions and hardware, and the time that was spent; for several runs, where they differ."""
    times = [spent(run) for run in runs]
    total = sum(t for t in times if isinstance(t, int | float) and not isinstance(t, bool))
    first: dict[str, Any] = {"training": duration(total)}
    if len(runs) == 1:
        first["evaluation"] = duration(runs[0].metrics.get("seconds"))
        first["ended"] = runs[0].status.get("time", "")
    environments: list[Mapping[str, Any]] = [run.environment for run in runs]
    names = dict.fromkeys(str(name) for one in environments for name in list(one)[:60])
    same, apart = {}, []
    for name in names:
        values = [shown(one[name]) if name in one else "" for one in environments]
        if len(set(values)) == 1:
            same[name] = values[0]
        else:
            apart.append(name)
    pieces = [pairs({k: v for k, v in {**first, **same}.items() if v})]
    if apart:
        rows = [[r.name, *(shown(r.environment.get(n)) for n in apart)] for r in runs]
        pieces.append(table(["run", *apart], rows))
    return joined(pieces)
