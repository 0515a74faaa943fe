"""The schedule that keeps some signal for longer."""

from __future__ import annotations

import math

import torch

from diffstn.diffusion.schedules.schedule import Schedule


class Cosine(Schedule):
    """ᾱ_t falls along a squared cosine, whatever the number of steps.

        ᾱ_t = f(t) / f(0),    f(t) = cos²((t/T + s) / (1 + s) · π/2),    β_t ≤ max_beta

    The offset `s` keeps β from vanishing near t = 0; the bound keeps x_T from losing its signal
    altogether.

    Source: Nichol & Dhariwal, Improved Denoising Diffusion Probabilistic Models, 2021, eq. 17.
    """

    def __init__(self, steps: int = 1000, s: float = 0.008, max_beta: float = 0.999) -> None:
        time = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
        f = ((time + s) / (1 + s) * math.pi / 2).cos().square()
        super().__init__((1 - f[1:] / f[:-1]).clamp(max=max_beta))
