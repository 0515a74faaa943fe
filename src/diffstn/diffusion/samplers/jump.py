"""All that a sampler's step may look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from diffstn.diffusion.denoiser import Denoised
from diffstn.diffusion.schedules import Schedule


@dataclass(frozen=True, eq=False)
class Jump:
    """From x_t to x_s, both corrupted as the process says, with t > s."""

    x_t: Tensor
    """(B, *)"""

    denoised: Denoised
    """What the denoiser says of x_t; of a cold process `Restored`."""

    t: Tensor
    """long (B,)"""

    s: Tensor
    """long (B,)"""

    process: Any
    """The `Process` that is undone."""

    noise: Tensor
    """Fresh N(0, I) in the shape of x_t, or zeros if s = 0."""

    history: Sequence[tuple[Tensor, Denoised]]
    """The last `memory` pairs (t, denoised) before this one, oldest first."""

    visited: tuple[int, ...] = ()
    """The timesteps of the history, t and s as plain numbers, if all items walk together."""

    @property
    def schedule(self) -> Schedule:
        """The process's, where it has one."""
        return self.process.schedule
