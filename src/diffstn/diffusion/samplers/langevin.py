"""Ancestral sampling whose every step is followed by Langevin dynamics."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Generator, Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoises
from diffstn.diffusion.noise import gaussian_noise
from diffstn.diffusion.samplers.ddpm import DDPM
from diffstn.diffusion.samplers.sampler import Progress


class Langevin(DDPM):
    r"""Predictor and corrector: a step of `DDPM` to s, then Langevin steps that stay there.

        x ← x + δ ∇log p_s(x) + √(2δ) z,    ∇log p_s = −ε̂ / σ_s,    δ = 2 (r ‖z‖ / ‖∇log p_s‖)²

    with norms averaged over the batch. The corrections let x forget the errors of the predictor at
    the price of `corrections` more calls of the denoiser a step. There are none at s = 0.

    Args:
        steps, spacing, clip: see `Sampler`.
        corrections: Langevin steps at each timestep visited.
        snr: r, the signal-to-noise ratio of a step.

    Raises:
        ValueError: corrections is negative or snr not positive.

    Source: Song et al., Score-Based Generative Modeling through Stochastic Differential Equations,
    2021, algorithms 3 and 5. There δ carries α_t of the step, which is about 1.
    """

    def __init__(
        self,
        steps: int | None = 50,
        spacing: str = "trailing",
        clip: float | None = None,
        corrections: int = 1,
        snr: float = 0.1,
    ) -> None:
        super().__init__(steps, spacing, clip)
        if corrections < 0 or snr <= 0:
            raise ValueError(
                f"corrections must be at least 0 and snr positive, not {corrections} and {snr}"
            )
        self.corrections, self.snr = corrections, snr

    def trajectory(
        self,
        denoiser: Denoises,
        x_T: Tensor,
        generator: Generator | None = None,
        progress: Progress | None = None,
        **condition: Tensor,
    ) -> Iterator[tuple[int, Tensor, Tensor]]:
        schedule, x_t = denoiser.schedule, x_T
        jumps = list(pairwise(self.timesteps(schedule).tolist()))
        for now, then in progress(jumps) if progress else jumps:
            t, s = (torch.full(x_t.shape[:1], k, device=x_t.device) for k in (now, then))
            denoised = self._clipped(denoiser(x_t, t, s=s, **condition), x_t, t, schedule)
            yield now, x_t, denoised.x_0
            noise = gaussian_noise(x_t, generator) if then else torch.zeros_like(x_t)
            x_t = self.step(denoised, x_t, t, s, schedule, noise, ())
            for _ in range(self.corrections if then else 0):
                x_t = self._corrected(denoiser, x_t, s, generator, condition)
        yield 0, x_t, x_t

    def _corrected(
        self,
        denoiser: Denoises,
        x: Tensor,
        t: Tensor,
        generator: Generator | None,
        condition: dict[str, Tensor],
    ) -> Tensor:
        eps = self._clipped(denoiser(x, t, **condition), x, t, denoiser.schedule).eps
        score = -eps / broadcast(denoiser.schedule.sigma(t), x)
        z = gaussian_noise(x, generator)
        norms = [one.flatten(1).norm(dim=1).mean() for one in (z, score)]
        delta = 2 * (self.snr * norms[0] / norms[1].clamp_min(1e-12)).square()
        return x + delta * score + (2 * delta).sqrt() * z
