"""One row of metrics per epoch, in a file that any tool reads."""

import csv
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from torch import Tensor


def fresh_metrics(trainer: pl.Trainer) -> dict[str, Tensor]:
    """What was logged in the epoch that ends; a trainer also remembers older validations."""
    validated = (trainer.current_epoch + 1) % (trainer.check_val_every_n_epoch or 1) == 0
    metrics = trainer.callback_metrics
    return {k: v for k, v in metrics.items() if validated or not k.startswith("val/")}


class MetricsCSV(pl.Callback):
    """Append epoch, step, seconds of training and all logged metrics to `path` after every epoch.

    Rows of an earlier, resumed run are kept; the file is always complete and always has a header
    that covers all its rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        self.earlier = 0.0
        self.start = 0.0

    @property
    def seconds(self) -> float:
        """Spent on training so far, in this run and in those that it resumed."""
        return self.earlier + time.perf_counter() - self.start

    def keep(self, rows: list[dict[str, Any]]) -> None:
        """Go on after `rows`, and start the clock where they ended."""
        self.rows = rows
        self.earlier = float(rows[-1]["seconds"]) if rows else 0.0
        self.start = time.perf_counter()

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        rows: list[dict[str, Any]] = []
        if trainer.is_global_zero and self.path.exists():
            with self.path.open(newline="") as file:
                rows = list(csv.DictReader(file))
        self.keep(rows)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # only now has a checkpoint said which epoch to go on from
        self.keep([row for row in self.rows if int(row["epoch"]) <= trainer.current_epoch])

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        row: dict[str, Any] = {
            "epoch": trainer.current_epoch + 1,
            "step": trainer.global_step,
            "seconds": f"{self.seconds:.1f}",
            "lr": f"{trainer.optimizers[0].param_groups[0]['lr']:.3g}",
        }
        row |= {name: f"{value.item():.6g}" for name, value in fresh_metrics(trainer).items()}
        self.rows.append(row)
        columns = list(dict.fromkeys(name for r in self.rows for name in r))
        draft = self.path.with_suffix(".part")
        with draft.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)
        draft.replace(self.path)
