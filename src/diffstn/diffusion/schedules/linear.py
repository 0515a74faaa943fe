"""The schedule of the first DDPM."""

from __future__ import annotations

import torch

from diffstn.diffusion.schedules.schedule import Schedule


class Linear(Schedule):
    """β_t rises linearly from `beta_start` at t = 1 to `beta_end` at t = T.

    The default ends suit T = 1000; with fewer steps raise both by 1000 / T, or x_T is not yet
    noise.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, section 4.
    """

    def __init__(self, steps: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> None:
        super().__init__(torch.linspace(beta_start, beta_end, steps, dtype=torch.float64))
