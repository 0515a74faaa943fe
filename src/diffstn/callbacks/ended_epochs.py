"""Epochs of a checkpoint that have ended, in a training that is measured in steps."""

import pytorch_lightning as pl


class EndedEpochs(pl.Callback):
    """Hide `max_steps` from Lightning while it decides where a resumed training stands.

    With it, Lightning takes the last epoch of a checkpoint for an open one, even if that has ended,
    and ends it once more. To be the first of the callbacks, which may ask for `max_steps`.
    """

    def __init__(self) -> None:
        self.max_steps = -1

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        loop = trainer.fit_loop.epoch_loop
        self.max_steps, loop.max_steps = loop.max_steps, -1

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        trainer.fit_loop.epoch_loop.max_steps = self.max_steps
