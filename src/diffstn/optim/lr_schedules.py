"""Learning-rate schedules: (optimizer, total_steps) to a scheduler that is stepped every batch."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR


def one_cycle(optimizer: Optimizer, total_steps: int, warmup: float = 0.15) -> LRScheduler:
    """Cosine up to the optimiser's rate in the first `warmup` fraction, cosine down to ~0 after.

    "Super-convergence" (Smith and Topin, 2018); momentum (or Adam's β₁) cycles the other way,
    if the optimiser has one of them for all groups.
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    momentum = not optimizer.defaults.keys().isdisjoint({"momentum", "betas"})
    return OneCycleLR(
        optimizer, rates, total_steps=total_steps, pct_start=warmup, cycle_momentum=momentum
    )


def cosine(optimizer: Optimizer, total_steps: int, warmup: float = 0.0) -> LRScheduler:
    r"""Linear warm-up, then $\tfrac12(1+\cos\pi p)$ of the rate, p ∈ [0, 1] the progress after it.

    Raises:
        ValueError: the warm-up leaves nothing of the run.
    """
    if not 0 <= warmup < 1:
        raise ValueError(f"warmup is a fraction of the run, from 0 to below 1, not {warmup}")

    def factor(step: int) -> float:
        progress = step / max(total_steps, 1)
        if progress < warmup:
            return progress / warmup
        return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))

    return LambdaLR(optimizer, factor)


def constant(optimizer: Optimizer, total_steps: int, warmup: float = 0.0) -> LRScheduler:
    """Linear warm-up in the first `warmup` fraction, then the same rate throughout.

    Raises:
        ValueError: the warm-up leaves nothing of the run.
    """
    if not 0 <= warmup < 1:
        raise ValueError(f"warmup is a fraction of the run, from 0 to below 1, not {warmup}")
    rising = warmup * total_steps
    return LambdaLR(optimizer, lambda step: 1.0 if step >= rising else step / rising)
