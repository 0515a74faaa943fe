"""How long a batch of training takes."""

import time
from typing import Any

import pytorch_lightning as pl
import torch

WARM, TIMED = 3, 12
"""Batches before the clock, and on it."""
AT_MOST = 30.0
"""Seconds on the clock after which fewer batches do."""


class Clock(pl.Callback):
    """When each batch of training was over; it stops where enough of them were."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any, **__: Any
    ) -> None:
        if pl_module.device.type in ("cuda", "mps"):  # which runs behind
            getattr(torch, pl_module.device.type).synchronize()
        self.times.append(time.perf_counter())
        seen = len(self.times)
        late = seen > WARM + 1 and self.times[-1] - self.times[WARM] > AT_MOST
        trainer.should_stop = seen > WARM + TIMED or late

    def seconds(self) -> float:
        """Of a batch, the median."""
        return float(torch.tensor(self.times[WARM:], dtype=torch.float64).diff().median())
