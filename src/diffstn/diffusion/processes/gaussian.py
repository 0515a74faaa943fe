"""Data drowned in Gaussian noise."""

from __future__ import annotations

from diffstn.diffusion.processes.noised import Noised
from diffstn.diffusion.schedules import Schedule


class Gaussian(Noised):
    """x_t = α_t x_0 + σ_t ε with ε ~ N(0, I), and x_T ~ N(0, σ_T² I).

    Args:
        schedule: α_t and σ_t.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, eq. 4.
    """

    def __init__(self, schedule: Schedule) -> None:
        super().__init__(schedule)
