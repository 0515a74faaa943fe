"""Diffusion of one normal number: nothing to train, everything to see."""

import pytorch_lightning as pl

from diffstn.diffusion import schedules
from diffstn.diffusion.closed_form import GaussianDiffusion
from diffstn.diffusion.schedules import Schedule


def steeper(steps: int) -> dict[str, Schedule]:
    """Schedules of so few steps: as they stand for T = 1000, and made steeper by 1000 / T."""
    factor = 1000 / steps
    ends = {"beta_start": 1e-4 * factor, "beta_end": min(0.02 * factor, 0.999)}
    short = {"linear, as for T = 1000": schedules.Linear(steps)} if steps != 1000 else {}
    return {
        "cosine": schedules.Cosine(steps),
        **short,
        "linear, steeper": schedules.Linear(steps, **ends),
        "quadratic, steeper": schedules.Quadratic(steps, **ends),
        "sigmoid, steeper": schedules.Sigmoid(steps, **ends),
    }


class Gaussian1D(pl.LightningModule):
    """x_0 ~ N(m, p) under the chosen schedule, and under the others with as many steps.

    Args:
        schedule: the chosen one.
        mean: m.
        variance: p.

    Raises:
        ValueError: the variance is not positive.
    """

    def __init__(self, schedule: Schedule, mean: float = 2.0, variance: float = 0.25) -> None:
        super().__init__()
        name = type(schedule).__name__.lower()
        chosen = {f"{name}, as chosen": schedule}
        self.diffusions = {
            label: GaussianDiffusion(one, mean, variance)
            for label, one in {**chosen, **steeper(schedule.steps)}.items()
        }
