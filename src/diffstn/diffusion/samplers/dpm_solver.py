"""Sampling with few steps by a multistep exponential integrator of the data estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.samplers.jump import Jump
from diffstn.diffusion.samplers.sampler import Sampler


@dataclass(frozen=True, kw_only=True)
class DPMSolver(Sampler):
    """DPM-Solver++(2M), of second order at one call of the denoiser a step, with noise if wanted.

    With λ = log(α / σ), half the log-SNR, h = λ_s − λ_t and r = (λ_t − λ_u) / h for the timestep
    u > t visited before,

        x_s = σ_s / σ_t e^(−ηh) x_t + α_s (1 − e^(−(1 + η)h)) D + σ_s √(1 − e^(−2ηh)) z
        D = x̂_0(t) + (x̂_0(t) − x̂_0(u)) / 2r,    z ~ N(0, I)

    η = 0 follows the probability flow and is deterministic. η = 1 is SDE-DPM-Solver++, whose first
    order (D = x̂_0) is ancestral sampling with the fixed small variance: its noise lets x_s forget
    the errors of a network that is not perfect. The first step has no u and the last, to s = 0,
    an infinite h: both take D = x̂_0(t).

    Args:
        steps, spacing: see `Sampler`.
        eta: η, 0 or more.

    Raises:
        ValueError: eta is negative.

    Source: Lu et al., DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic
    Models, 2022, algorithm 2 and section 5 (η = 1); any other η solves, in the same way, the
    reverse SDE with its noise scaled by √η, which has the same marginals.
    """

    steps: int | None = 10
    spacing: str = "log_snr"
    eta: float = 0.0

    memory: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.eta >= 0:
            raise ValueError(f"eta must be 0 (deterministic) or more; got {self.eta}")

    @property
    def stochastic(self) -> bool:
        return self.eta > 0

    def step(self, jump: Jump) -> Tensor:
        schedule, t, s, x_t = jump.schedule, jump.t, jump.s, jump.x_t
        level = schedule.log_snr(t) / 2
        h = schedule.log_snr(s) / 2 - level
        estimate = jump.denoised.x_0
        if jump.history and h.isfinite().all():
            u, before = jump.history[-1]
            r = (level - schedule.log_snr(u) / 2) / h
            estimate = estimate + (estimate - before.x_0) / broadcast(2 * r, x_t)
        forgotten = (-h).exp().pow(self.eta)  # e^(-eta h), which is 1 if eta = 0 and h infinite
        sigma = schedule.sigma(s)
        kept = sigma / schedule.sigma(t) * forgotten
        drawn = -schedule.alpha(s) * torch.expm1(-(1 + self.eta) * h)
        fresh = sigma * (1 - forgotten.square()).sqrt()
        return (
            broadcast(kept, x_t) * x_t
            + broadcast(drawn, x_t) * estimate
            + broadcast(fresh, x_t) * jump.noise
        )
