"""What every way from data to noise has in common."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Generator, Tensor


class Process(Protocol):
    """Takes x_0 away, timestep by timestep, until x_T is a draw from a known prior.

    The one that most models undo is `Gaussian`. A cold process (blur, pixelation, a growing warp)
    or noise of another distribution is another: it corrupts in its own way and has its own prior.
    """

    @property
    def steps(self) -> int:
        """T, the number of timesteps."""

    def corrupt(self, x_0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """x_t (B, *) of x_0 (B, *) at t (B,), with t = 0 leaving x_0 as it is."""

    def prior(
        self,
        shape: tuple[int, ...],
        generator: Generator | None = None,
        device: torch.device | str | None = None,
    ) -> Tensor:
        """x_T, a draw of that shape from where the process ends."""
