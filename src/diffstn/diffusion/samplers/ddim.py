"""Sampling with few steps and as much noise as one likes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.samplers.jump import Jump
from diffstn.diffusion.samplers.sampler import Sampler


@dataclass(frozen=True, kw_only=True)
class DDIM(Sampler):
    """Noises x̂_0 afresh to level s, partly with ε̂ and partly with new noise z.

        x_s = α_s x̂_0 + √(σ_s² − ς²) ε̂ + ς z,    ς² = η² β̃_{t|s},    z ~ N(0, I)

    η = 0 is deterministic: the sample is a smooth function of x_T. η = 1 is ancestral sampling
    with the fixed small variance, whatever variance the denoiser has.

    Args:
        steps, spacing: see `Sampler`.
        eta: η, from 0 to 1.

    Raises:
        ValueError: eta is out of range.

    Source: Song et al., Denoising Diffusion Implicit Models, 2021, eq. 12 and 16.
    """

    eta: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.eta <= 1:
            raise ValueError(f"eta must lie between 0 (deterministic) and 1 (DDPM); got {self.eta}")

    @property
    def stochastic(self) -> bool:
        return self.eta > 0

    def step(self, jump: Jump) -> Tensor:
        schedule, x_t, denoised = jump.schedule, jump.x_t, jump.denoised
        alpha = broadcast(schedule.alpha(jump.s), x_t)
        if not self.eta:
            return alpha * denoised.x_0 + broadcast(schedule.sigma(jump.s), x_t) * denoised.eps
        variance = broadcast(schedule.sigma(jump.s).square(), x_t)
        fresh = self.eta**2 * broadcast(schedule.beta_tilde(jump.t, jump.s), x_t)
        kept = (variance - fresh).clamp(min=0)
        return alpha * denoised.x_0 + kept.sqrt() * denoised.eps + fresh.sqrt() * jump.noise
