"""Gaussian noise from an optional generator."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def gaussian_noise(x: Tensor, generator: Generator | None = None) -> Tensor:
    """ε ~ N(0, I) with the shape, dtype and device of `x`.

    The numbers are drawn on the generator's device and then moved, so one CPU generator gives the
    same noise whatever device `x` is on. Without a generator, the global one of x's device serves.
    """
    if generator is None:
        return torch.randn_like(x)
    device = generator.device
    return torch.randn(x.shape, generator=generator, device=device, dtype=x.dtype).to(x.device)
