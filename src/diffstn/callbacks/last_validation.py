"""A validation at the end of a training that is measured in steps."""

from typing import Any

import pytorch_lightning as pl


class LastValidation(pl.Callback):
    """Ask to stop at `max_steps` while the epoch is still open, so that Lightning validates first.

    Left to itself, Lightning ends at that step without a validation, and the last weights are never
    compared with the best.
    """

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any
    ) -> None:
        if 0 <= trainer.max_steps <= trainer.global_step:
            trainer.should_stop = True
