"""Stop where the loss stops being a number."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from diffstn.errors import UserError

EVERY = 50
"""Batches between two looks at an accelerator, which must wait for it."""


class StopOnNonFiniteLoss(pl.Callback):
    """Raise at a loss that is NaN or infinite; earlier checkpoints stay as they are.

    On a CPU at once, elsewhere within 50 batches: until then the first such batch is remembered
    where the loss is, and no step waits for it. No checkpoint is written after one, nor with a
    weight that is no finite number.

    Raises:
        UserError: with the step and what usually helps.
    """

    def __init__(self) -> None:
        self.first: Tensor | None = None
        self.batches = 0

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is None:
            return
        loss = loss.detach()
        if loss.device.type == "cpu":
            if not torch.isfinite(loss):
                self.refuse(trainer, f"the loss became {loss.item()}", trainer.global_step)
            return
        if self.first is None:
            self.first = torch.full((), -1, dtype=torch.long, device=loss.device)
        bad = ~torch.isfinite(loss) & (self.first < 0)
        self.first = torch.where(bad, trainer.global_step, self.first)
        self.batches += 1
        if self.batches % EVERY == 0:
            self.look(trainer)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self.look(trainer)
        finite = {name: w.isfinite().all() for name, w in pl_module.named_parameters()}
        if finite and not bool(torch.stack(list(finite.values())).all()):  # one wait for all
            name = next(name for name, one in finite.items() if not bool(one))
            self.refuse(trainer, f"{name} is no finite number", trainer.global_step)

    def look(self, trainer: pl.Trainer) -> None:
        """Wait for the accelerator and see whether there was such a loss."""
        if self.first is not None and (step := int(self.first)) >= 0:
            self.refuse(trainer, "the loss became NaN or infinite", step)

    def refuse(self, trainer: pl.Trainer, what: str, step: int) -> None:
        several = len(trainer.optimizers) > 1
        raise UserError(
            f"{what} at step {step} (epoch {trainer.current_epoch + 1}); no checkpoint was written"
            f" since. Lower optimizer.lr{' and model.discriminator_lr' if several else ''}, or set"
            " trainer.precision=fp32"
        )
