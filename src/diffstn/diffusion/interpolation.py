"""Ways from one noise to another, and from images to the noise that they come from."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoises


def linear(a: Tensor, b: Tensor, weights: Tensor) -> Tensor:
    """(1 − w) a + w b for each weight (k,), a and b (*): (k, *).

    Between two draws of noise the middle is too short: its variance is (1 − w)² + w².
    """
    return torch.lerp(a, b, broadcast(weights.to(a), a[None]))


def spherical(a: Tensor, b: Tensor, weights: Tensor) -> Tensor:
    """Along the arc from a (*) to b (*), for each weight (k,): (k, *).

        (sin((1 − w) θ) a + sin(w θ) b) / sin θ,    θ the angle between a and b

    Noise stays as long as noise is. Of parallel vectors it is the straight line.

    Source: Shoemake, Animating Rotation with Quaternion Curves, 1985.
    """
    cosine = torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), dim=0)
    angle = cosine.clamp(-1, 1).acos()
    w = broadcast(weights.to(a), a[None])
    if angle.sin() < 1e-4:
        return linear(a, b, weights)
    return (((1 - w) * angle).sin() * a + (w * angle).sin() * b) / angle.sin()


def encode(denoiser: Denoises, x_0: Tensor, timesteps: Tensor, **condition: Tensor) -> Tensor:
    """The x_T (B, *) from which deterministic sampling leads to about x_0 (B, *).

    DDIM's equation, solved upwards, one call for each step of `timesteps` (long, from T down to 0,
    as samplers give them); the smaller the steps, the closer it comes back.

    Source: Song et al., Denoising Diffusion Implicit Models, 2021, section 4.3.
    """
    schedule, x = denoiser.schedule, x_0
    for s, t in pairwise(timesteps.flip(0).tolist()):
        now = torch.full(x.shape[:1], max(s, 1), device=x.device)
        then = torch.full_like(now, t)
        said = denoiser(x, now, **condition)
        alpha, sigma = broadcast(schedule.alpha(then), x), broadcast(schedule.sigma(then), x)
        x = alpha * said.x_0 + sigma * said.eps
    return x
