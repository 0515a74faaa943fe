"""A schedule that starts more gently than the linear one."""

from __future__ import annotations

import torch

from diffstn.diffusion.schedules.schedule import Schedule


class Quadratic(Schedule):
    """√β_t rises linearly from √`beta_start` at t = 1 to √`beta_end` at t = T.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, released code ("quad").
    """

    def __init__(self, steps: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> None:
        roots = torch.linspace(beta_start**0.5, beta_end**0.5, steps, dtype=torch.float64)
        super().__init__(roots.square())
