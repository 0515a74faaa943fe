"""One progress bar for the whole run, and a line per epoch."""

import sys
import time
from typing import Any

import pytorch_lightning as pl
from tqdm import tqdm

from diffstn.callbacks.metrics_csv import fresh_metrics
from diffstn.callbacks.steps import steps, steps_in_all


class Progress(pl.Callback):
    """A bar over all steps of the run with the time left; after each epoch, a line of metrics.

    Where output is no terminal (a log file), the bar is left out and the lines stay.
    """

    def __init__(self) -> None:
        self.bar: tqdm | None = None
        self.start = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.start = time.perf_counter()
        if trainer.is_global_zero:
            self.bar = tqdm(
                total=steps_in_all(trainer),
                initial=steps(trainer),
                desc="training",
                unit="step",
                dynamic_ncols=True,
                disable=not sys.stderr.isatty(),
            )

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any
    ) -> None:
        if self.bar is not None:
            self.bar.update(steps(trainer) - self.bar.n)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.bar is None:
            return
        metrics = "  ".join(
            f"{name} {value.item():.4f}" for name, value in fresh_metrics(trainer).items()
        )
        of = f"/{trainer.max_epochs}" if (trainer.max_epochs or 0) > 0 else ""
        elapsed = tqdm.format_interval(time.perf_counter() - self.start)
        self.bar.write(
            f"epoch {trainer.current_epoch + 1}{of}  [{elapsed}]  {metrics}",
            file=sys.stdout,
        )
        sys.stdout.flush()

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.bar is not None:
            self.bar.close()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        self.on_fit_end(trainer, pl_module)
