"""The range in which pictures are diffused."""

from __future__ import annotations

from torch import Tensor


def as_data(pictures: Tensor) -> Tensor:
    """Pictures in [0, 1] as data in [−1, 1]."""
    return 2 * pictures - 1


def as_pictures(x_0: Tensor) -> Tensor:
    """Data in [−1, 1] as pictures in [0, 1]; what lies outside is cut off."""
    return ((x_0.float() + 1) / 2).clamp(0, 1)
