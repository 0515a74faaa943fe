"""A sweep as one table, made from the folders of its jobs alone."""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffstn.errors import UserError
from diffstn.report.differences import SEED
from diffstn.report.html import plain
from diffstn.report.inside import write_text
from diffstn.report.recorded import Recorded, recorded
from diffstn.report.tables import is_number
from diffstn.store.markdown import markdown

APART = ("job", "state", "error", SEED)
"""Columns that do not tell apart what is averaged."""
Row = dict[str, Any]


def jobs_of(folder: Path) -> tuple[list[Path], list[str]]:
    """Folders of a sweep's jobs in the order of their numbers, and what was left out, a line each.

    A job that is a link to somewhere else is left out.
    """
    found = {
        path.parent
        for name in ("overrides.txt", "config.yaml")
        for path in folder.glob(f"*/{name}")
    }
    home = folder.resolve()
    kept = [job for job in found if job.resolve().parent == home]
    outside = [f"{job.name} leads out of the folder" for job in sorted(found) if job not in kept]
    return sorted(kept, key=_number), outside


def _number(job: Path) -> tuple[float, str]:
    """By the number before the first '-'; jobs without one come last, by name."""
    start = job.name.split("-")[0]
    return (int(start) if start.isdecimal() and len(start) < 10 else float("inf")), job.name


def job_row(run: Recorded) -> Row:
    """A job as a row: folder, state, overrides, error, seconds and its numbers."""
    row: Row = {"job": _cell(run.path.name), "state": run.state}
    words = [word.split("=", 1) for word in run.words if "=" in word]
    row |= {_cell(key): _cell(value) for key, value in words}
    row["error"] = _cell(run.error)
    row["seconds"] = run.metrics.get("train_seconds", "")
    return row | {_cell(name): value for name, value in run.numbers.items()}


def _cell(text: str) -> str:
    """Text that stays in its cell, in a table and on a terminal."""
    return " ".join(plain(text, 400).split()).replace("|", "¦")


def summarise(runs: Sequence[Recorded]) -> tuple[list[Row], str]:
    """Rows of all jobs, and a Markdown table of mean ± sd over seeds.

    Jobs that differ in nothing but `seed` are one row of the table; sd is the sample standard
    deviation (n − 1), left out for a single seed.
    """
    rows = [job_row(run) for run in runs]
    numbers = {"seconds", *(_cell(name) for run in runs for name in run.numbers)}
    names = list(dict.fromkeys(name for row in rows for name in row if name not in APART))
    measured = [name for name in names if name in numbers]
    settings = [name for name in names if name not in measured]
    together: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        together[tuple(str(row.get(name, "")) for name in settings)].append(row)
    table = []
    for key, members in together.items():
        done = [row for row in members if row["state"] == "done"]
        cells = [
            mean_sd([row[name] for row in done if is_number(row.get(name))]) for name in measured
        ]
        table.append([*key, f"{len(done)}/{len(members)}", *cells])
    return rows, markdown([*settings, "jobs done", *measured], table)


def mean_sd(values: Sequence[float]) -> str:
    """`mean ± sd`, or the one value, or nothing; two decimals, and three digits below 1."""
    if not values:
        return ""
    mean = statistics.fmean(values)
    size = abs(mean)
    places = 2 if size >= 1 or size < 1e-12 else min(12, 2 - math.floor(math.log10(size)))
    shown = f"{mean:.{places}f}"
    return f"{shown} ± {statistics.stdev(values):.{places}f}" if len(values) > 1 else shown


def write_summary(folder: Path) -> tuple[list[Row], str, list[Path]]:
    """Write `summary.csv`, `summary.md` and `summary.png` of the sweep in `folder`.

    They are made of what the jobs left in their folders, so this can be done at any time, while
    the sweep goes on too.

    Returns:
        A row for each job, the table in Markdown, and the files that were written.

    Raises:
        UserError: there are no jobs, or a file in the way is not ours.
    """
    jobs, _ = jobs_of(folder)
    if not jobs:
        raise UserError(f"{folder} holds no jobs of a sweep")
    return summary_of([recorded(job) for job in jobs], folder)


def summary_of(runs: Sequence[Recorded], folder: Path) -> tuple[list[Row], str, list[Path]]:
    """The same of runs that are read already."""
    table_file = folder / "summary.csv"
    check_ours(table_file, "job,state")
    rows, table = summarise(runs)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    paths = [
        write_text(table_file, text.getvalue()),
        write_text(folder / "summary.md", table + "\n"),
    ]
    from diffstn.report.sweep_figure import sweep_figure  # only here: it imports matplotlib

    figure = sweep_figure(runs, folder / "summary.png")
    return rows, table, [*paths, *([figure] if figure else [])]


def check_ours(path: Path, begins: str) -> None:
    """Refuse to overwrite a file that a report did not write.

    Raises:
        UserError: it does not begin as ours does.
    """
    try:
        if path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                if not file.read(4096).startswith(begins):
                    raise UserError(f"{path} is not of a report: move it, or choose another place")
        elif path.exists():
            raise UserError(f"{path} is in the way: move it, or choose another place")
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from None
