"""The schedule whose noise grows and whose signal stays."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.schedules.schedule import Schedule


class Geometric(Schedule):
    r"""The variance-exploding process: α_t = 1, σ_t geometric from σ_min at t = 1 to σ_max at T.

        q(x_t | x_0) = N(x_0, σ_t² I),    σ_t = σ_min (σ_max / σ_min)^((t − 1) / (T − 1))
        q(x_t | x_s) = N(x_s, (σ_t² − σ_s²) I),    q(x_T) ≈ N(0, σ_max² I)

    Divided by √(1 + σ_t²), x_t is that of the variance-preserving process with the same ratio of
    signal to noise, ᾱ_t = 1 / (1 + σ_t²): the table behind it is that process's, and the two differ
    in scale alone. So every sampler and wrapper here walks either of them.

    Args:
        steps: T.
        sigma_min: noise that can no longer be seen.
        sigma_max: about the largest distance between two items of the data, so that any of them can
            be reached from anywhere.

    Raises:
        ValueError: fewer than two steps, or the ends are not 0 < sigma_min < sigma_max.

    Source: Song & Ermon, Generative Modeling by Estimating Gradients of the Data Distribution,
    2019, section 4; as a process: Song et al., Score-Based Generative Modeling through Stochastic
    Differential Equations, 2021, eq. 9; the choice of σ_max: Song & Ermon, 2020, technique 1.
    """

    def __init__(self, steps: int = 1000, sigma_min: float = 0.01, sigma_max: float = 50.0) -> None:
        if not 0 < sigma_min < sigma_max < math.inf:
            raise ValueError(
                f"the noise must grow: 0 < sigma_min < sigma_max, not {sigma_min} and {sigma_max}"
            )
        first, last = math.log(sigma_min), math.log(sigma_max)
        sigmas = torch.linspace(first, last, steps, dtype=torch.float64).exp()
        variances = torch.cat([sigmas.new_zeros(1), sigmas.square()])
        super().__init__(variances.diff() / (1 + variances[1:]))

    @property
    def prior_sigma(self) -> float:
        """σ_max."""
        return float((-self.log_alpha_bar[-1].double()).expm1().sqrt())

    def alpha(self, t: Tensor) -> Tensor:
        """α_t = 1: the signal stays as it is."""
        return torch.ones_like(self.log_alpha_bar[t])

    def sigma(self, t: Tensor) -> Tensor:
        """σ_t = √(1 / ᾱ_t − 1), the factor of ε in x_t."""
        return (-self.log_alpha_bar[t]).expm1().sqrt()

    def unit(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(1, σ_t) / √(1 + σ_t²): the factors of the variance-preserving process beside it."""
        return super().alpha(t), super().sigma(t)

    def to_unit(self, x_t: Tensor, t: Tensor) -> Tensor:
        """x_t / √(1 + σ_t²)."""
        return broadcast(super().alpha(t), x_t) * x_t

    def beta(self, t: Tensor, s: Tensor | None = None) -> Tensor:
        """σ_t² − σ_s², the variance of q(x_t | x_s); t ≥ 1."""
        s = t - 1 if s is None else s
        now, then = self.log_alpha_bar[t], self.log_alpha_bar[s]
        return (now - then).expm1().neg() * (-now).exp()

    def kept(self, t: Tensor, s: Tensor | None = None) -> Tensor:
        """1, the factor of x_s in the mean of q(x_t | x_s)."""
        return torch.ones_like(self.log_alpha_bar[t])
