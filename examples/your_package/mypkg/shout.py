"""A callback."""

import pytorch_lightning as pl


class Shout(pl.Callback):
    """Says how long an epoch was."""

    def __init__(self, word: str = "done") -> None:
        self.word = word

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        print(f"{self.word}: epoch {trainer.current_epoch + 1}, {trainer.global_step} steps")
