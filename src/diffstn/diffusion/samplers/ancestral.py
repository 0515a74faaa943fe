"""Ancestral sampling."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from diffstn.diffusion.samplers.jump import Jump
from diffstn.diffusion.samplers.sampler import Sampler


@dataclass(frozen=True, kw_only=True)
class Ancestral(Sampler):
    """Samples x_s from the denoiser's own reverse step.

        x_s = mean of q(x_s | x_t, x̂_0) + √Σ · z,    z ~ N(0, I),    no noise in the last step

    Σ is the denoiser's variance. Jumps of more than one timestep use the mean and the variance of
    the shorter chain that visits only those timesteps.

    Args:
        steps, spacing: see `Sampler`.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, algorithm 2; the jumps:
    Nichol & Dhariwal, Improved Denoising Diffusion Probabilistic Models, 2021, section 4.
    """

    def step(self, jump: Jump) -> Tensor:
        mean, _ = jump.schedule.posterior(jump.denoised.x_0, jump.x_t, jump.t, jump.s)
        return mean + (jump.denoised.log_variance / 2).exp() * jump.noise
