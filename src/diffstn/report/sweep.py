"""What a sweep ends with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from diffstn.report.recorded import recorded
from diffstn.report.summary import Row, jobs_of, summarise, write_summary
from diffstn.report.write import report


def conclude(folder: Any) -> tuple[list[Row], str, list[Path]]:
    """Write the summary of a sweep and, unless all its jobs had `report=false`, its page.

    A file that cannot be written is a line of warning: the jobs are what matters.

    Returns:
        A row for each job, the table in Markdown, and the files that were written.
    """
    jobs, _ = jobs_of(folder)
    runs = [recorded(job) for job in jobs]
    if not runs:
        return [], "no job has begun", []
    rows, table = summarise(runs)
    try:
        wanted = any(run.config.get("report") for run in runs)
        paths = report([str(folder)]) if wanted else write_summary(folder)[2]
    except Exception as error:  # whatever stands in the way of a figure or a file
        print(f"warning: the summary is not complete: {error}", file=sys.stderr)
        paths = []
    return rows, table, paths
