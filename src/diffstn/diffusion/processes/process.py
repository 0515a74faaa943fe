"""What every way from data to noise has in common."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Generator, Tensor


class Process(Protocol):
    """Takes x_0 away, timestep by timestep, until x_T is a sample of a known prior.

    The one that most models undo is `Gaussian`. A cold process (blur, pixelation, a growing warp)
    or noise of another distribution is another: it corrupts in its own way and has its own prior.
    """

    @property
    def steps(self) -> int:
        """T, the number of timesteps."""

    def corrupt(self, x_0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """x_t of x_0 and noise (B, *) at t (B,), 0 to T; t = 0 leaves x_0 as it is.

        The noise is N(0, I) and the caller's; a cold process makes no use of it.
        """

    def prior(
        self,
        shape: tuple[int, ...],
        generator: Generator | None = None,
        device: torch.device | str | None = None,
    ) -> Tensor:
        """A sample x_T of that shape from where the process ends."""
