"""How likely a denoiser's reverse process finds data: a bound in bits per dimension."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoised, Denoises
from diffstn.diffusion.noise import gaussian_noise
from diffstn.diffusion.schedules import Schedule

BINS = 256
"""Values of a byte, spread over [−1, 1]."""


class Bound(NamedTuple):
    """The terms of −log₂ p(x_0) ≤ L_0 + … + L_{T−1} + L_T, each in bits per dimension."""

    prior: Tensor
    """L_T = KL(q(x_T | x_0) ‖ p(x_T)), (B,): what the end of the forward process still tells."""

    steps: Tensor
    """(B, T): L_0, the decoder, then L_1 … L_{T−1}, the KL of each reverse step."""

    @property
    def total(self) -> Tensor:
        """The bound, (B,)."""
        return self.prior + self.steps.sum(1)


def bound_term(
    denoised: Denoised,
    schedule: Schedule,
    x_0: Tensor,
    x_t: Tensor,
    t: Tensor,
    bins: int | None = BINS,
) -> Tensor:
    """L_{t−1} of the bound, in bits per dimension, in the shape of t ≥ 1.

        L_{t−1} = KL(q(x_{t−1} | x_t, x_0) ‖ p(x_{t−1} | x_t)),    t > 1
        L_0     = −log p(x_0 | x_1)

    with p the normal around the posterior's mean at x̂_0, of the denoiser's variance.

    Args:
        denoised: what a denoiser said of x_t.
        bins: L_0 is that of a discretised normal, see `discretised_log_likelihood`; None takes its
            density, for continuous data.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, eq. 5 and 13.
    """
    mean, _ = schedule.posterior(denoised.x_0, x_t, t)
    later = t.clamp(min=2)  # stands in where the decoder does, to keep the KL finite
    true_mean, true_variance = schedule.posterior(x_0, x_t, later)
    precision = (-denoised.log_variance).exp()
    divergence = (
        denoised.log_variance
        - true_variance.log()
        - 1
        + (true_variance + (true_mean - mean).square()) * precision
    ) / 2
    if bins is None:
        density = math.log(2 * math.pi) + denoised.log_variance
        decoder = (density + (x_0 - mean).square() * precision) / 2
    else:
        decoder = -discretised_log_likelihood(x_0, mean, denoised.log_variance / 2, bins)
    nats = torch.where(broadcast(t, x_0) == 1, decoder, divergence)
    return nats.reshape(*t.shape, -1).mean(-1) / math.log(2)


def discretised_log_likelihood(
    x: Tensor, mean: Tensor, log_scale: Tensor, bins: int = BINS
) -> Tensor:
    """log P of the bin of x under N(mean, scale²), elementwise.

    The bins are 2 / (bins − 1) wide and centred on −1, …, 1; the first and the last reach to
    infinity. Probabilities below 10⁻¹² count as that.

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020, eq. 13.
    """
    half, inverse = 1 / (bins - 1), (-log_scale).exp()
    last, first = x > 1 - half, x < half - 1
    above = torch.special.ndtr((x - mean + half) * inverse).masked_fill(last, 1.0)
    below = torch.special.ndtr((x - mean - half) * inverse).masked_fill(first, 0.0)
    return (above - below).clamp(min=1e-12).log()


def likelihood_bound(
    denoiser: Denoises,
    x_0: Tensor,
    generator: Generator | None = None,
    bins: int | None = BINS,
    progress: Callable[[Iterable[int]], Iterable[int]] | None = None,
    **condition: Tensor,
) -> Bound:
    """Bound −log₂ p(x_0) / d for each x_0 (B, *), with one draw of x_t at every t: T calls.

    The mean over x_0 and draws is the bound; that of one x_0 is a one-sample estimate.

    Args:
        denoiser: with the variance that belongs to the bound, see `VARIANCES`.
        bins: see `bound_term`.
        progress: wraps the timesteps (tqdm, for one).
    """
    schedule, size = denoiser.schedule, x_0.shape[:1]
    T = schedule.steps
    end = torch.tensor(T, device=x_0.device)
    signal, variance = (
        (one / schedule.prior_sigma).square() for one in (schedule.alpha(end), schedule.sigma(end))
    )
    prior = (signal * x_0.square() + variance - variance.log() - 1) / 2
    terms = []
    for step in progress(range(1, T + 1)) if progress else range(1, T + 1):
        t = torch.full(size, step, device=x_0.device)
        x_t = schedule.add_noise(x_0, t, gaussian_noise(x_0, generator))
        terms.append(bound_term(denoiser(x_t, t, **condition), schedule, x_0, x_t, t, bins))
    return Bound(prior.flatten(1).mean(1) / math.log(2), torch.stack(terms, 1))
