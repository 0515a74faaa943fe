"""Exponential moving average of the weights."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from diffstn.callbacks.steps import steps
from diffstn.errors import UserError


class EMA(pl.Callback):
    r"""$\bar w \leftarrow d\,\bar w + (1 - d)\,w$ after every optimiser step,
    $d = \min(\text{decay}, \frac{1+n}{10+n})$.

    The warm-up in n, the number of steps, keeps the random start out of the average. Validation
    runs on the average; the model trains on undisturbed. Checkpoints hold the raw weights as
    `state_dict` and the average as `ema_state_dict`. Floating-point buffers (batch-norm statistics)
    are averaged too; others are copied.

    Args:
        decay: upper limit of d; 0 < decay < 1.

    Raises:
        UserError: decay is out of range, or a checkpoint to resume from has no average.
    """

    def __init__(self, decay: float = 0.998) -> None:
        if not 0 < decay < 1:
            raise UserError(f"ema_decay={decay}: must lie between 0 and 1; 0 turns it off")
        self.decay = decay
        self.average: dict[str, Tensor] = {}
        self.raw: dict[str, Tensor] = {}
        self.step = 0

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        state = pl_module.state_dict()
        start = self.average or state
        self.average = {
            name: start[name].detach().to(value.device, copy=True) for name, value in state.items()
        }

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.step = trainer.global_step

    @torch.no_grad()
    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any
    ) -> None:
        if self.step == trainer.global_step:
            return  # gradients are accumulated: no weight has changed
        self.step, n = trainer.global_step, steps(trainer)
        decay = min(self.decay, (1 + n) / (10 + n))
        state = pl_module.state_dict()
        floating = [name for name, value in state.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [self.average[name] for name in floating], [state[name] for name in floating], 1 - decay
        )
        for name in state.keys() - set(floating):
            self.average[name].copy_(state[name])

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.average:
            self.raw = {name: value.clone() for name, value in pl_module.state_dict().items()}
            pl_module.load_state_dict(self.average)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.raw:
            pl_module.load_state_dict(self.raw)
            self.raw = {}

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["ema_state_dict"] = {k: v.clone() for k, v in self.average.items()}

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if "ema_state_dict" not in checkpoint:
            raise UserError("this checkpoint has no moving average; resume with ema_decay=0")
        self.average = dict(checkpoint["ema_state_dict"])
