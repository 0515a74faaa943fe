"""The range in which images are diffused."""

from __future__ import annotations

from torch import Tensor


def as_data(images: Tensor) -> Tensor:
    """Images in [0, 1] as data in [−1, 1]."""
    return 2 * images - 1


def as_images(x_0: Tensor) -> Tensor:
    """Data in [−1, 1] as images in [0, 1]; what lies outside is cut off."""
    return ((x_0.float() + 1) / 2).clamp(0, 1)
