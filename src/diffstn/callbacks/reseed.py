"""Randomness that a resumed run repeats to the bit."""

import numpy as np
import pytorch_lightning as pl
import torch

from diffstn.ranks import group, seed_common


class ReseedEachEpoch(pl.Callback):
    """Seed torch's generators from (seed, rank, epoch) at the start of every epoch.

    All randomness of training (distortions, timesteps, noise, drop-out) is then a function of these
    three: a run resumed from the checkpoint at an epoch's end goes on exactly as it would have.
    Several processes also get one generator alike, from (seed, epoch), which is that of a lone
    process: from it comes what belongs to the items, see `diffstn.ranks`. No two of their own
    generators draw alike.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        own = 0
        if group()[1] > 1:
            seed_common(self.key(0, trainer.current_epoch), pl_module.device)
            own = trainer.global_rank + 1
        torch.manual_seed(self.key(own, trainer.current_epoch))

    def key(self, which: int, epoch: int) -> int:
        """A number for one of the generators."""
        return int(np.random.SeedSequence((self.seed, which, epoch)).generate_state(1)[0])
