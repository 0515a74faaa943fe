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

    Checkpoints hold the rows and the time spent: a resumed run goes on with those, whatever has
    become of the file, which is always complete and has a header that covers all its rows.
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

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows, self.earlier = list(state_dict["rows"]), float(state_dict["seconds"])

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.start = time.perf_counter()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not self.rows and trainer.current_epoch and self.path.exists():
            self.rows = self.of_the_file(trainer.current_epoch)  # as older checkpoints have none
            self.earlier = float(self.rows[-1]["seconds"]) if self.rows else 0.0
        if trainer.is_global_zero and self.rows:
            self.write()

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero and self.rows:  # of a run that had nothing left to learn, too
            self.write()

    def of_the_file(self, epochs: int) -> list[dict[str, Any]]:
        """Rows of the first `epochs` epochs, or none if the file is damaged."""
        try:
            if not self.path.is_file():
                return []
            with self.path.open(newline="") as file:
                return [row for row in csv.DictReader(file) if int(row["epoch"]) <= epochs]
        except (ValueError, KeyError, TypeError, csv.Error):
            return []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        row: dict[str, Any] = {
            "epoch": trainer.current_epoch + 1,
            "step": trainer.global_step,
            "seconds": f"{self.seconds:.1f}",
            "lr": f"{trainer.optimizers[0].param_groups[0]['lr']:.3g}",
        }
        row |= {name: f"{value.item():.6g}" for name, value in fresh_metrics(trainer).items()}
        self.rows.append(row)
        if trainer.is_global_zero:
            self.write()

    def write(self) -> None:
        """Write all rows, in one step."""
        columns = list(dict.fromkeys(name for r in self.rows for name in r))
        draft = self.path.with_suffix(".part")
        try:
            with draft.open("w", newline="") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows(self.rows)
            draft.replace(self.path)
        except OSError:  # a full disk
            draft.unlink(missing_ok=True)
            raise
