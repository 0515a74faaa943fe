"""Stop where the loss stops being a number."""

from typing import Any

import pytorch_lightning as pl
import torch

from diffstn.errors import UserError


class StopOnNonFiniteLoss(pl.Callback):
    """Raise at the first step whose loss is NaN or infinite; earlier checkpoints stay as they are.

    A model that tells no loss of its steps is stopped at the end of the epoch that left a weight
    which is no finite number.

    Raises:
        UserError: with the step and what usually helps.
    """

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is not None and not torch.isfinite(loss):
            raise UserError(
                f"the loss became {loss.item()} at step {trainer.global_step} (epoch"
                f" {trainer.current_epoch + 1}); the last good checkpoint is kept. Lower"
                " optimizer.lr, or set trainer.precision=fp32"
            )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for name, weight in pl_module.named_parameters():
            if not bool(weight.isfinite().all()):
                raise UserError(
                    f"{name} is no finite number after step {trainer.global_step} (epoch"
                    f" {trainer.current_epoch + 1}); the last good checkpoint is kept. Lower"
                    " optimizer.lr, or set trainer.precision=fp32"
                )
