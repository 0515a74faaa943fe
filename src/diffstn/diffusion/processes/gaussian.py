"""Data drowned in Gaussian noise."""

from __future__ import annotations

from torch import Tensor, nn

from diffstn.diffusion.schedules import Schedule


class Gaussian(nn.Module):
    """x_t = α_t x_0 + σ_t ε with ε ~ N(0, I), and x_T ~ N(0, σ_T² I).

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

    def log_snr(self, t: Tensor) -> Tensor:
        """That of the schedule."""
        return self.schedule.log_snr(t)

    def noise(self, z: Tensor) -> Tensor:
        """ε, which is z ~ N(0, I) itself."""
        return z

    def corrupt(self, x_0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """x_t = α_t x_0 + σ_t ε for x_0 and ε = noise (B, *), t (B,) from 0 to T."""
        return self.schedule.add_noise(x_0, t, noise)

    def prior(self, z: Tensor) -> Tensor:
        """x_T = σ_T z, with σ_T = 1 where the schedule preserves the variance."""
        reach = self.schedule.prior_sigma
        return z if reach == 1 else reach * z
