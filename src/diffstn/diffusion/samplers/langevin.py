"""Ancestral sampling whose every step is followed by Langevin dynamics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Generator, Tensor

from diffstn.diffusion.denoiser import Denoises
from diffstn.diffusion.noise import gaussian_noise
from diffstn.diffusion.samplers.ancestral import Ancestral
from diffstn.diffusion.score import score


@dataclass(frozen=True, kw_only=True)
class Langevin(Ancestral):
    r"""Predictor and corrector: a step of `Ancestral` to s, then Langevin steps that stay there.

        x ← x + δ ∇log p_s(x) + √(2δ) z,    ∇log p_s by `score`,    δ = 2 (r ‖z‖ / ‖∇log p_s‖)²

    with norms averaged over the batch. The corrections let x forget the errors of the predictor at
    the price of `corrections` more calls of the denoiser a step. There are none at s = 0.

    Args:
        steps, spacing: see `Sampler`.
        corrections: Langevin steps at each timestep visited.
        snr: r, the signal-to-noise ratio of a step.

    Raises:
        ValueError: corrections is negative or snr not positive.

    Source: Song et al., Score-Based Generative Modeling through Stochastic Differential Equations,
    2021, algorithms 3 and 5. There δ carries α_t of the step, which is about 1.
    """

    corrections: int = 1
    snr: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.corrections < 0 or not self.snr > 0:
            raise ValueError(
                "corrections must be at least 0 and snr positive, not"
                f" {self.corrections} and {self.snr}"
            )

    def corrected(
        self,
        denoiser: Denoises,
        x_s: Tensor,
        s: Tensor,
        generator: Generator | None,
        condition: Mapping[str, Tensor],
    ) -> Tensor:
        for _ in range(self.corrections):
            gradient = score(denoiser, x_s, s, **condition)
            z = gaussian_noise(x_s, generator)
            norms = [one.flatten(1).norm(dim=1).mean() for one in (z, gradient)]
            delta = 2 * (self.snr * norms[0] / norms[1].clamp_min(1e-12)).square()
            x_s = x_s + delta * gradient + (2 * delta).sqrt() * z
        return x_s
