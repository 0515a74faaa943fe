"""How far a training is."""

import pytorch_lightning as pl


def steps(trainer: pl.Trainer) -> int:
    """Optimiser steps so far; of several optimisers, those of one of them.

    Lightning's `global_step` counts the steps of all together.
    """
    return trainer.global_step // max(1, len(trainer.optimizers))
