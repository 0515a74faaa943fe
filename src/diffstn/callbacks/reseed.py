"""Randomness that a resumed run repeats to the bit."""

import numpy as np
import pytorch_lightning as pl
import torch


class ReseedEachEpoch(pl.Callback):
    """Seed torch's generators from (seed, rank, epoch) at the start of every epoch.

    All randomness of training (distortions, timesteps, noise, drop-out) is then a function of these
    three: a run resumed from the checkpoint at an epoch's end goes on exactly as it would have, and
    no two ranks draw alike.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        key = np.random.SeedSequence((self.seed, trainer.global_rank, trainer.current_epoch))
        torch.manual_seed(int(key.generate_state(1)[0]))
