"""The gradient of the log-density, read from a denoiser."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoises


def score(denoiser: Denoises, x_t: Tensor, t: Tensor, **condition: Any) -> Tensor:
    r"""∇log q(x_t) ≈ −ε̂ / σ_t, in the shape of x_t (B, *); t ≥ 1 has shape (B,).

    Given x_0, x_t is normal, and the gradient of its log-density is −(x_t − α_t x_0) / σ_t² =
    −ε / σ_t. The score of q(x_t) is the mean of that over the x_0 that x_t may come from,

        ∇log q(x_t) = E[∇log q(x_t | x_0) | x_t] = −E[ε | x_t] / σ_t

    and E[ε | x_t] is what ε̂ is trained to be, whatever the network predicts and whether the
    schedule preserves the variance or not. It holds for Gaussian noise only.

    Source: Vincent, A Connection Between Score Matching and Denoising Autoencoders, 2011.
    """
    eps = denoiser(x_t, t, **condition).eps
    return -eps / broadcast(denoiser.schedule.sigma(t), x_t)
