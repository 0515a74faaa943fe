"""Random timesteps to train on."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def uniform_timesteps(
    shape: int | tuple[int, ...],
    steps: int,
    generator: Generator | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """Long tensor of the given shape, each entry uniform on {1, …, steps}.

    The numbers are drawn on the generator's device and then moved to `device`.
    """
    shape = (shape,) if isinstance(shape, int) else shape
    source = generator.device if generator else device
    return torch.randint(1, steps + 1, shape, generator=generator, device=source).to(device)


def stratified_timesteps(
    shape: tuple[int, ...],
    steps: int,
    generator: Generator | None = None,
    device: torch.device | str | None = None,
    power: float = 1.0,
    logit_normal: bool = False,
) -> Tensor:
    """Long tensor (*, n) of timesteps in {1, …, steps}, one from each of n equally likely strata.

        t_k = ⌈((k + u) / n)^power · steps⌉,    u ~ U[0, 1),    k = 0, …, n − 1

    With power 1 an entry from a random column is uniform on {1, …, steps}; with power p it has
    density ∝ t^(1/p − 1), and p > 1 visits low noise more often. The n entries of a row cover the
    whole range, which lowers the variance of the loss.

    With `logit_normal` the position in brackets is σ(Φ⁻¹(·)) of that: logit(t / steps) is normal
    with mean 0 and deviation 1, and the noise levels in the middle come more often than either end.

    Source: Kingma et al., Variational Diffusion Models, 2021, appendix I.1 (low-discrepancy
    sampling of t); logit-normal: Esser et al., Scaling Rectified Flow Transformers, 2024, eq. 19.
    """
    source = generator.device if generator else device
    u = torch.rand(shape, generator=generator, device=source, dtype=torch.float32).to(device)
    position = (torch.arange(shape[-1], device=u.device) + u) / shape[-1]
    if logit_normal:
        position = torch.special.ndtri(position).sigmoid()
    return (position**power * steps).ceil().long().clamp(1, steps)


def shuffled_timesteps(
    count: int,
    steps: int,
    generator: Generator | None = None,
    device: torch.device | str | None = None,
    power: float = 1.0,
    logit_normal: bool = False,
) -> Tensor:
    """`stratified_timesteps` of `count` items, (count,), in random order.

    For items that come in an order of their own, which the timesteps must not follow.
    """
    t = stratified_timesteps((count,), steps, generator, device, power, logit_normal)
    source = generator.device if generator else None
    return t[torch.randperm(count, generator=generator, device=source).to(t.device)]
