"""Noise, timesteps and latents that belong to the item, whichever process trains on it."""

from typing import Any

import torch
from torch import Generator, Tensor

from diffstn.diffusion import gaussian_noise, shuffled_timesteps
from diffstn.ranks import of_all


def noise_for(x: Tensor, generator: Generator | None = None, each: int = 1) -> Tensor:
    """ε ~ N(0, I) for rows x (B, *) of a batch that processes share, see `of_all`."""

    def draw(n: int, source: Generator | None) -> Tensor:
        return gaussian_noise(x.new_empty(n, *x.shape[1:]), source)

    return of_all(draw, len(x), x.device, generator, each)


def timesteps_for(
    x: Tensor,
    steps: int,
    generator: Generator | None = None,
    power: float = 1.0,
    each: int = 1,
    logit_normal: bool = False,
) -> Tensor:
    """Timesteps (B,) for rows x (B, *), from strata of the whole batch that processes share."""

    def draw(n: int, source: Generator | None) -> Tensor:
        return shuffled_timesteps(n, steps, source, x.device, power, logit_normal)

    return of_all(draw, len(x), x.device, generator, each)


def latents_for(model: Any, image: Tensor, generator: Generator) -> Tensor:
    """One latent (B, 1, *) of a model for each of the images, on the generator's device."""

    def draw(n: int, source: Generator | None) -> Tensor:
        return model.sample_latents(n, 1, source)

    return of_all(draw, len(image), image.device, generator)


def uniform_for(x: Tensor, numbers: int = 1) -> Tensor:
    """Numbers in [0, 1) for rows x (B, *) of a batch that processes share, (B, numbers)."""

    def draw(n: int, source: Generator | None) -> Tensor:
        return torch.rand(n, numbers, generator=source, device=x.device)

    return of_all(draw, len(x), x.device)


def withheld(label: Tensor, share: float, none: int) -> Tensor:
    """Labels (B,), of which a share of all is `none` instead."""
    return label.masked_fill(uniform_for(label)[:, 0] < share, none)
