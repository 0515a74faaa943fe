"""A sampler in one step function."""

from dataclasses import dataclass

from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.samplers import Sampler
from diffstn.diffusion.samplers.jump import Jump


@dataclass(frozen=True, kw_only=True)
class Halfway(Sampler):
    """x_s = α_s x̂_0 + σ_s (ε̂ + c z) / √(1 + c²): DDIM's step with a share c of new noise."""

    noise_share: float = 0.5

    def step(self, jump: Jump) -> Tensor:
        alpha = broadcast(jump.schedule.alpha(jump.s), jump.x_t)
        sigma = broadcast(jump.schedule.sigma(jump.s), jump.x_t)
        mixed = jump.denoised.eps + self.noise_share * jump.noise
        return alpha * jump.denoised.x_0 + sigma * mixed / (1 + self.noise_share**2) ** 0.5
