"""Sampling with few steps by an exponential integrator of the noise estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.samplers.jump import Jump
from diffstn.diffusion.samplers.sampler import Sampler
from diffstn.diffusion.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class DEIS(Sampler):
    r"""The probability flow ODE with ε̂ as a polynomial in t, integrated exactly; deterministic.

    Along the flow d(x / α) = ε̂ dρ with ρ = σ / α. Between t and s, ε̂ is taken for the polynomial
    through its values at t and at the last timesteps t_j visited before. As the polynomials of
    Lagrange sum to 1, this is DDIM's step and a correction,

        x_s = α_s x̂_0 + σ_s ε̂(t) + α_s Σ_j c_j [ε̂(t_j) − ε̂(t)],
        c_j = ∫_t^s ∏_{k ≠ j} (τ − t_k) / (t_j − t_k) dρ(τ),    k over t and all t_j

    tAB-DEIS; `order` points are used, fewer in the first steps. Order 1 is DDIM. Between whole
    timesteps, where a discrete schedule says nothing, ρ is linear, and the integral is exact.

    Args:
        steps, spacing: see `Sampler`.
        order: from 1 to 3.

    Raises:
        ValueError: the order is another.

    Source: Zhang & Chen, Fast Sampling of Diffusion Models with Exponential Integrator, 2023,
    section 3.3.
    """

    steps: int | None = 10
    spacing: str = "quadratic"
    order: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.order not in (1, 2, 3):
            raise ValueError(f"order is 1, 2 or 3, not {self.order}")

    @property
    def memory(self) -> int:  # type: ignore[override]
        """Earlier estimates that a step reads."""
        return self.order - 1

    @property
    def stochastic(self) -> bool:
        return False

    def step(self, jump: Jump) -> Tensor:
        schedule, s, x_t, denoised = jump.schedule, jump.s, jump.x_t, jump.denoised
        x_s = broadcast(schedule.alpha(s), x_t) * denoised.x_0
        x_s = x_s + broadcast(schedule.sigma(s), x_t) * denoised.eps
        factors = factors_of_history(schedule, jump.visited) if jump.history else ()
        for factor, (_, known) in zip(factors, jump.history, strict=True):
            x_s = x_s + factor * (known.eps - denoised.eps)
        return x_s


@lru_cache(maxsize=256)
def factors_of_history(schedule: Schedule, visited: tuple[int, ...]) -> tuple[float, ...]:
    """α_s c_j of `DEIS`, where all but the last two of the timesteps visited are t_j, and those are
    t and s; kept, for they take longer than a small step.
    """
    *before, now, then = visited
    weights = integrated_polynomials(schedule, now, then, [now, *before])[1:]
    alpha = schedule.alpha(torch.tensor(then, device=schedule.alphas.device))
    return tuple((weights * float(alpha)).tolist())


def integrated_polynomials(schedule: Schedule, t: int, s: int, nodes: Sequence[int]) -> Tensor:
    """c_j of `DEIS` for the nodes t_j: float64 (nodes,) on the CPU.

    ρ is linear between whole timesteps, and Simpson's rule exact for the polynomials, whose degree
    is 2 at most.
    """
    log_alpha_bar = schedule.log_alpha_bar[s : t + 1].double().cpu()
    rho = (-torch.expm1(log_alpha_bar)).sqrt() * (-log_alpha_bar / 2).exp()
    whole = torch.arange(s, t + 1, dtype=torch.float64)
    points = torch.stack([whole[:-1], (whole[:-1] + whole[1:]) / 2, whole[1:]])
    simpson = torch.tensor([1, 4, 1], dtype=torch.float64) / 6
    found = []
    for node in nodes:
        basis = torch.ones_like(points)
        for other in nodes:
            if other != node:
                basis = basis * (points - other) / (node - other)
        found.append(-((simpson @ basis) * rho.diff()).sum())  # from t down to s
    return torch.stack(found)
