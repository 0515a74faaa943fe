"""Sampling with few steps by a multistep exponential integrator of the data estimate."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoised
from diffstn.diffusion.samplers.sampler import Sampler
from diffstn.diffusion.schedules import Schedule


class DPMSolver(Sampler):
    """DPM-Solver++(2M): second order at one call of the denoiser a step, deterministic.

    With λ = log(α / σ), half the log-SNR, h = λ_s − λ_t and r = (λ_t − λ_u) / h for the timestep
    u > t visited before,

        x_s = σ_s / σ_t · x_t + α_s (1 − e^(−h)) D,    D = x̂_0(t) + (x̂_0(t) − x̂_0(u)) / 2r

    The first step has no u and the last, to s = 0, an infinite h: both take D = x̂_0(t).

    Args:
        steps, spacing, clip, clip_quantile: see `Sampler`.

    Source: Lu et al., DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic
    Models, 2022, algorithm 2.
    """

    memory = 1

    def step(
        self,
        denoised: Denoised,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        schedule: Schedule,
        noise: Tensor,
        history: Sequence[tuple[Tensor, Denoised]],
    ) -> Tensor:
        level = schedule.log_snr(t) / 2
        h = schedule.log_snr(s) / 2 - level
        estimate = denoised.x_0
        if history and h.isfinite().all():
            u, before = history[-1]
            r = (level - schedule.log_snr(u) / 2) / h
            estimate = estimate + (estimate - before.x_0) / broadcast(2 * r, x_t)
        kept = broadcast(schedule.sigma(s) / schedule.sigma(t), x_t)
        return kept * x_t - broadcast(schedule.alpha(s) * torch.expm1(-h), x_t) * estimate
