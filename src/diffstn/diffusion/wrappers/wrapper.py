"""What every wrapper is beside what it does."""

from __future__ import annotations

from typing import Any

from diffstn.diffusion.denoiser import Denoised, Denoises
from diffstn.diffusion.schedules import Schedule


def away(strong: Denoised, weak: Denoised, w: float) -> Denoised:
    """`strong` led away from `weak`: (1 + w) strong − w weak, of x̂_0 and of ε̂."""
    x_0, eps = ((1 + w) * a - w * b for a, b in ((strong.x_0, weak.x_0), (strong.eps, weak.eps)))
    return strong._replace(x_0=x_0, eps=eps)


class Wrapper:
    """A denoiser around a denoiser, which undoes the same process.

    Args:
        denoiser: what is led or bounded.
    """

    def __init__(self, denoiser: Denoises) -> None:
        self.denoiser = denoiser

    @property
    def process(self) -> Any:
        """That of the denoiser within."""
        return self.denoiser.process

    @property
    def schedule(self) -> Schedule:
        """That of the denoiser within."""
        return self.denoiser.schedule
