"""What every wrapper is beside what it does."""

from __future__ import annotations

from typing import Any

from diffstn.diffusion.denoiser import Denoises
from diffstn.diffusion.schedules import Schedule


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
