"""A diffusion that can be worked out on paper: x_0 ~ N(m, p), independent in every entry."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.processes import Gaussian
from diffstn.diffusion.schedules import Schedule

MEAN, VARIANCE = 1.5, 0.25


class Posterior(nn.Module):
    """The perfect network: E[x_0 | x_t] = m + α p / (α² p + σ²) (x_t − α m), x_t at unit size."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = (broadcast(factor, x_t) for factor in self.schedule.unit(t))
        gain = alpha * VARIANCE / (alpha**2 * VARIANCE + sigma**2)
        return MEAN + gain * (x_t - alpha * MEAN)


@pytest.fixture
def gaussian():
    """Build the perfect denoiser of N(1.5, 0.25) on a schedule."""

    def build(schedule: Schedule, variance: str = "fixed_small") -> Denoiser:
        return Denoiser(Posterior(schedule), Gaussian(schedule), "x0", variance)

    return build


@pytest.fixture
def propagated():
    """Mean and standard deviation of a sampler's output for `gaussian`, exactly.

    With a linear denoiser every jump is affine, x_s = a x_t + b + c z, so N(0, 1) at T stays
    normal. Given the jump's coefficients of x̂_0, x_t and z as float64 functions of (ᾱ_t, ᾱ_s), the
    recursion needs nothing from the code under test but the timesteps and the betas.
    """

    def recursion(betas: Tensor, timesteps: Tensor, coefficients) -> tuple[float, float]:
        alpha_bars = [1.0, *torch.cumprod(1 - betas.double(), 0).tolist()]
        mean, variance = 0.0, 1.0
        for t, s in pairwise(timesteps.tolist()):
            alpha_bar = alpha_bars[t]
            gain = alpha_bar**0.5 * VARIANCE / (alpha_bar * VARIANCE + 1 - alpha_bar)
            offset = MEAN * (1 - gain * alpha_bar**0.5)
            of_x_0, of_x_t, of_noise = coefficients(alpha_bar, alpha_bars[s])
            slope = of_x_0 * gain + of_x_t
            mean = slope * mean + of_x_0 * offset
            variance = slope**2 * variance + of_noise**2
        return mean, variance**0.5

    return recursion
