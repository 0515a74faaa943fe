"""Data drowned in noise of any distribution."""

from __future__ import annotations

from torch import Tensor, nn

from diffstn.diffusion.named import named
from diffstn.diffusion.noises import NOISES, Noise
from diffstn.diffusion.schedules import Schedule


class Noised(nn.Module):
    r"""x_t = α_t x_0 + σ_t ε, the entries of ε independent, of mean 0 and variance 1.

    Along the path x̄ = x_t / α_t = x_0 + ς ε, ς = σ_t / α_t, an item moves at the speed
    dx̄ / dς = ε. So the density of x̄ obeys the continuity equation with the mean speed at a place,

        ∂p / ∂ς + ∇·(p v) = 0,    v(x̄, ς) = E[ε | x_t] = ε̂

    *whatever the distribution of ε*: the flow dx̄ / dς = ε̂ carries the density of x_T to that of
    the data, and DDIM with η = 0, DEIS and DPM-Solver follow it. Fresh noise is another matter. A
    step that keeps c ε̂ and adds √(1 − c²) z leaves noise that is distributed like neither unless
    both are normal; and −ε̂ / σ_t is the score of normal noise alone.

    Args:
        schedule: α_t and σ_t.
        kind: of the noise: `"gaussian"`, `"uniform"`, `"laplace"` or a `Noise`.

    Raises:
        ValueError: `kind` is no name that exists.

    Source of the flow: Albergo & Vanden-Eijnden, Building Normalizing Flows with Stochastic
    Interpolants, 2023, proposition 1; Liu et al., Flow Straight and Fast, 2023, theorem 3.3.
    """

    schedule: Schedule

    def __init__(self, schedule: Schedule, kind: str | Noise = "gaussian") -> None:
        super().__init__()
        self.schedule = schedule
        self.kind = named("noise", kind, NOISES)

    @property
    def gaussian(self) -> bool:
        """Whether samplers may draw fresh normal noise and take −ε̂ / σ_t for the score."""
        return isinstance(self.kind, type(NOISES["gaussian"]))

    @property
    def steps(self) -> int:
        """T, the number of timesteps."""
        return self.schedule.steps

    def log_snr(self, t: Tensor) -> Tensor:
        """That of the schedule."""
        return self.schedule.log_snr(t)

    def noise(self, z: Tensor) -> Tensor:
        """ε, made of z ~ N(0, I)."""
        return self.kind(z)

    def corrupt(self, x_0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """x_t = α_t x_0 + σ_t ε for x_0 and ε = noise (B, *), t (B,) from 0 to T."""
        return self.schedule.add_noise(x_0, t, noise)

    def prior(self, z: Tensor) -> Tensor:
        """x_T = σ_T ε, with σ_T = 1 where the schedule preserves the variance."""
        reach, eps = self.schedule.prior_sigma, self.noise(z)
        return eps if reach == 1 else reach * eps
