"""Data drowned in Gaussian noise."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from diffstn.diffusion.schedules import Schedule


class Gaussian(nn.Module):
    """x_t = α_t x_0 + σ_t ε with ε ~ N(0, I), and x_T ~ N(0, I).

    Args:
        schedule: α_t and σ_t.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, eq. 4.
    """

    schedule: Schedule

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule

    @property
    def steps(self) -> int:
        """T, the number of timesteps."""
        return self.schedule.steps

    def corrupt(self, x_0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """x_t = α_t x_0 + σ_t ε for x_0 and ε = noise (B, *), t (B,) from 0 to T."""
        return self.schedule.add_noise(x_0, t, noise)

    def prior(
        self,
        shape: tuple[int, ...],
        generator: Generator | None = None,
        device: torch.device | str | None = None,
    ) -> Tensor:
        """x_T ~ N(0, I), drawn on the generator's device, then moved to `device`."""
        source = generator.device if generator else device
        return torch.randn(shape, generator=generator, device=source).to(device)
