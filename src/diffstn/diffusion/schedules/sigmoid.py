"""A schedule that is gentle at both ends."""

from __future__ import annotations

import torch

from diffstn.diffusion.schedules.schedule import Schedule


class Sigmoid(Schedule):
    """β_t follows a logistic curve between `beta_start` and `beta_end`.

        β_t = beta_start + (beta_end − beta_start) · sigmoid(u_t),    u_t linear from −6 to 6

    so the ends are reached to within sigmoid(−6) = 0.25 % of the range.

    Source: Song et al., Denoising Diffusion Implicit Models, 2021, released code ("sigmoid").
    """

    def __init__(self, steps: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> None:
        rise = torch.linspace(-6, 6, steps, dtype=torch.float64).sigmoid()
        super().__init__(beta_start + (beta_end - beta_start) * rise)
