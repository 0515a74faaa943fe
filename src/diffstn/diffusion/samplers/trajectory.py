"""A walk that is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from torch import Tensor


class Trajectory(NamedTuple):
    """What a sampler went through, from T down to 0."""

    timesteps: list[int]
    """The steps + 1 timesteps visited."""

    x_t: list[Tensor]
    """Where the walk was at each of them, (B, *) unless transformed; the sample comes last."""

    x_0: list[Tensor]
    """The data as they were estimated there, in the shape of x_t."""


def collect(
    walk: Iterable[tuple[int, Tensor, Tensor]],
    transform: Callable[[Tensor], Tensor] = lambda x: x,
) -> Trajectory:
    """Keep every step of `Sampler.trajectory`.

    Tensors are transformed as they come, so that none need stay on the device.

    Args:
        walk: (t, x_t, x̂_0), step by step.
        transform: what to keep of a tensor: its decoded image on the CPU, say.
    """
    kept = Trajectory([], [], [])
    for t, x_t, x_0 in walk:
        kept.timesteps.append(t)
        kept.x_t.append(transform(x_t))
        kept.x_0.append(transform(x_0))
    return kept
