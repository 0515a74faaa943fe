"""What a multirun leaves behind: one table over all its jobs."""

import csv
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from diffstn.store.markdown import markdown
from diffstn.store.run_folder import RunFolder

failures: list[str] = []
"""Jobs of the sweep that just ended which did not finish."""


def job_row(run: RunFolder) -> dict[str, Any]:
    """A sweep job as a row: folder, state, overrides, seconds and its headline numbers."""
    status, metrics = run.read_json("status"), run.read_json("metrics")
    overrides = (run.path / "overrides.txt").read_text().split("\n")
    row: dict[str, Any] = {"job": run.path.name, "state": status.get("state", "lost")}
    row |= dict(line.split("=", 1) for line in overrides if "=" in line)
    row["error"] = status.get("error", "")
    row["seconds"] = metrics.get("train_seconds", "")
    return row | metrics.get("numbers", {})


def summarise(folder: Path) -> tuple[list[dict[str, Any]], str]:
    """Rows of all jobs below `folder`, and a Markdown table of mean ± sd over seeds.

    Jobs that differ in nothing but `seed` are one row of the table; sd is the sample standard
    deviation (n − 1), left out for a single seed.
    """
    jobs = [RunFolder(p.parent) for p in folder.glob("*/overrides.txt")]
    rows = [job_row(run) for run in sorted(jobs, key=lambda r: int(r.path.name.split("-")[0]))]
    found = [run.read_json("metrics").get("numbers", {}) for run in jobs]
    numbers = {"seconds", *(name for one in found for name in one)}
    apart = {"job", "state", "error", "seed"}
    names = list(dict.fromkeys(name for row in rows for name in row if name not in apart))
    measured = [name for name in names if name in numbers]
    settings = [name for name in names if name not in measured]
    together: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        together[tuple(str(row.get(name, "")) for name in settings)].append(row)
    table = []
    for key, members in together.items():
        done = [row for row in members if row["state"] == "done"]
        cells = [mean_sd([row[name] for row in done if name in row]) for name in measured]
        table.append([*key, f"{len(done)}/{len(members)}", *cells])
    return rows, markdown([*settings, "jobs done", *measured], table)


def mean_sd(values: list[float]) -> str:
    """`mean ± sd`, or the one value, or nothing."""
    if not values:
        return ""
    mean = statistics.fmean(values)
    return f"{mean:.2f} ± {statistics.stdev(values):.2f}" if len(values) > 1 else f"{mean:.2f}"


class Summary(Callback):
    """After a multirun, write `summary.csv` and `summary.md` and print the table."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        folder = Path(config.hydra.sweep.dir)
        rows, table = summarise(folder)
        columns = list(dict.fromkeys(name for row in rows for name in row))
        with (folder / "summary.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
        (folder / "summary.md").write_text(table + "\n")
        print(f"\n{table}\n\nsummary: {folder / 'summary.csv'}")
        failures[:] = [f"{r['job']}: {r['error']}" for r in rows if r["state"] != "done"]
        for line in failures:
            print(f"not finished: {line}")
