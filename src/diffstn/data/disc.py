"""Images of which nothing counts but the disc that fits into them."""

from typing import Annotated

import torch
from torch import Tensor

from diffstn.annotations import OneOf
from diffstn.spatial import lattice, warp_points
from diffstn.spatial.warp import into_disc

AT_ONCE = 5000
Disc = Annotated[str, OneOf(("black", "mirrored"))]
"""What images show outside of their disc."""


def in_disc(images: Tensor, outside: str) -> Tensor:
    """Images (N, C, H, W) that show nothing but their disc; float or bytes as given.

    A photograph that is turned leaves its corners black, and they tell by which angle. In a disc
    about the middle of the image, however it is turned, nothing but the content does. The disc's
    diameter is the shorter side.

    Args:
        outside: `black`, where a pixel's middle lies outside the disc, or `mirrored`: the image
            reflected at the disc's rim, of square images; turned with `data.padding=disc` it is
            the same kind of picture again.

    Raises:
        ValueError: another word, or images to be mirrored that are not square.
    """
    height, width = images.shape[-2:]
    if outside == "black":
        y = torch.arange(height) - (height - 1) / 2
        x = torch.arange(width) - (width - 1) / 2
        inside = y[:, None] ** 2 + x**2 <= (min(height, width) / 2) ** 2
        return images * inside.to(images.device)
    if outside != "mirrored" or height != width:
        raise ValueError(f"disc={outside}: choose black or, of square images, mirrored")
    points = into_disc(lattice(height, width, images.device)).unflatten(0, (height, width))
    found = []
    for some in images.split(AT_ONCE):
        warped = warp_points(some.float(), points.expand(len(some), -1, -1, -1), padding="border")
        found.append(warped if images.is_floating_point() else warped.round().to(images.dtype))
    return torch.cat(found)
