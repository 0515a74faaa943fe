"""Give up a job of a sweep that most others were ahead of."""

import csv
import io
import statistics
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import pytorch_lightning as pl

from diffstn.annotations import AtLeast, Count, OneOf
from diffstn.store.bounded import read


class MedianStopping(pl.Callback):
    """After a validation, stop if the best so far is worse than the median of the other jobs' bests
    by the same epoch.

    The others are the jobs of the same sweep, as far as their `metrics.csv` go, whichever process
    they run in. A job that is given up is evaluated like any other.

    Args:
        dirpath: of this job's checkpoints; its sweep is two folders above.
        monitor: a logged number.
        mode: whether "max" or "min" is best.
        after: validations that every job gets.
        least: jobs that must have come as far.

    Source: Golovin et al., Google Vizier, 2017, section 3.2.1, with bests instead of averages.
    """

    def __init__(
        self,
        dirpath: str,
        monitor: str,
        mode: Annotated[str, OneOf(("max", "min"))],
        after: Annotated[int, AtLeast(0)] = 1,
        least: Count = 3,
    ) -> None:
        self.job = Path(dirpath).parent
        self.monitor, self.after, self.least = monitor, after, least
        self.better = max if mode == "max" else min
        self.values: list[float] = []

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking or self.monitor not in trainer.callback_metrics:
            return
        self.values.append(float(trainer.callback_metrics[self.monitor]))
        others = list(self.others(trainer.current_epoch + 1))
        if len(self.values) <= self.after or len(others) < self.least:
            return
        best, median = self.better(self.values), statistics.median(others)
        trainer.should_stop = trainer.should_stop or self.better(best, median) != best

    def others(self, epoch: int) -> Iterator[float]:
        """The best by this epoch of every other job that has come as far."""
        for path in self.job.parent.glob("*/metrics.csv"):
            if path.parent == self.job:
                continue
            with suppress(OSError, ValueError, KeyError, TypeError, csv.Error):
                rows = list(csv.DictReader(io.StringIO(read(path))))
                known = [(int(row["epoch"]), float(row[self.monitor] or "nan")) for row in rows]
                found = [value for at, value in known if at <= epoch and value == value]
                if found and known[-1][0] >= epoch:
                    yield self.better(found)

    def state_dict(self) -> dict[str, Any]:
        return {"values": self.values}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.values = list(state_dict["values"])
