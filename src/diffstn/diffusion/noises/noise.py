"""What every distribution of noise has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor


class Noise(ABC):
    """ε = F⁻¹(Φ(z)) of z ~ N(0, 1), entry by entry: any distribution F of mean 0 and variance 1.

    Where F is symmetric z = 0 gives ε = 0, and −z gives −ε.
    """

    @abstractmethod
    def __call__(self, z: Tensor) -> Tensor:
        """Noise in the shape and the precision of z."""
