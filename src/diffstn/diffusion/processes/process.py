"""What every way from data to noise has in common."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Process(Protocol):
    """Takes x_0 away, timestep by timestep, until x_T is a sample of a known prior.

    The one that most models undo is `Gaussian`. A cold process (blur, pixelation, a growing warp)
    or noise of another distribution is another: it corrupts in its own way and has its own prior.
    What is random comes from outside as z ~ N(0, I), so that models, tasks and samplers draw alike
    for all processes.
    """

    @property
    def steps(self) -> int:
        """T, the number of timesteps."""

    def noise(self, z: Tensor) -> Tensor:
        """The process's own noise, made of z ~ N(0, I) (B, *), in the shape of x_0."""

    def corrupt(self, x_0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """x_t of x_0 and the process's noise (B, *) at t (B,), 0 to T; t = 0 leaves x_0 as it is.

        A cold process makes no use of the noise.
        """

    def prior(self, z: Tensor) -> Tensor:
        """A sample x_T (B, *) from where the process ends, made of z ~ N(0, I)."""
