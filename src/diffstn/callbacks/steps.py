"""How far a training is."""

import pytorch_lightning as pl


def steps(trainer: pl.Trainer) -> int:
    """Optimiser steps so far; of several optimisers, those of one of them.

    Lightning's `global_step` counts the steps of all together.
    """
    return trainer.global_step // max(1, len(trainer.optimizers))


def steps_in_all(trainer: pl.Trainer) -> int:
    """`steps` at the end of the training; `max_steps` counts those of all optimisers together."""
    total = int(trainer.estimated_stepping_batches)
    counted = 0 < trainer.max_steps <= total
    return -(-total // max(1, len(trainer.optimizers))) if counted else total
