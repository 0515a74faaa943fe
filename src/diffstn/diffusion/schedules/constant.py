"""The simplest schedule there is."""

from __future__ import annotations

import torch

from diffstn.diffusion.schedules.schedule import Schedule


class Constant(Schedule):
    """β_t = `beta` at every step, so that ᾱ_t = (1 − beta)^t.

    The defaults bring data of unit scale to N(0, I) within 50 steps: ᾱ_50 ≈ 6 · 10⁻⁷.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, released code ("const").
    """

    def __init__(self, steps: int = 50, beta: float = 0.25) -> None:
        super().__init__(torch.full((steps,), beta, dtype=torch.float64))
