"""Noise that is bounded."""

from __future__ import annotations

from torch import Tensor

from diffstn.diffusion.noises.noise import Noise


class Uniform(Noise):
    """U[−√3, √3]: ε = √3 (2 Φ(z) − 1) = √3 erf(z / √2)."""

    def __call__(self, z: Tensor) -> Tensor:
        return 3**0.5 * (z / 2**0.5).erf()
