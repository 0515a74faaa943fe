"""What a multirun leaves behind: one table over all its jobs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

failures: list[str] = []
"""Jobs of the sweep that just ended which did not finish."""


class Summary(Callback):
    """After a multirun, write its summary and print the table.

    Args:
        write: the folder of a sweep → a row for each job, the table, and the files written.
    """

    def __init__(self, write: Callable[[Path], tuple[list[dict[str, Any]], str, list[Path]]]):
        self.write = write

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        rows, table, paths = self.write(Path(config.hydra.sweep.dir))
        print(f"\n{table}\n")
        for path in paths:
            print(f"summary: {path}")
        failures[:] = [f"{r['job']}: {r['error']}" for r in rows if r["state"] != "done"]
        for line in failures:
            print(f"not finished: {line}")
