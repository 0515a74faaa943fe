"""Images that show nothing but the disc that fits into them."""

import torch
from torch import Tensor


def in_disc(images: Tensor) -> Tensor:
    """Images (N, C, H, W) that are black where a pixel's middle lies outside the inscribed disc.

    A photograph that is turned leaves its corners black, and they tell by which angle. In a disc
    about the middle of the image, however it is turned, nothing but the content does. The disc's
    diameter is the shorter side.
    """
    height, width = images.shape[-2:]
    y, x = (torch.arange(side, device=images.device) + 0.5 - side / 2 for side in (height, width))
    inside = y[:, None] ** 2 + x**2 <= (min(height, width) / 2) ** 2
    return images * inside
