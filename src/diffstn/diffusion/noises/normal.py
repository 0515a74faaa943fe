"""Gaussian noise."""

from __future__ import annotations

from torch import Tensor

from diffstn.diffusion.noises.noise import Noise


class Normal(Noise):
    """N(0, 1): z itself."""

    def __call__(self, z: Tensor) -> Tensor:
        return z
