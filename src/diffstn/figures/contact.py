"""Many small images as one."""

from __future__ import annotations

import torch
from torch import Tensor

from diffstn.figures.tiles import check_images, check_positive


def contact_sheet(images: Tensor, columns: int, scale: int = 2, gap: int = 1) -> Tensor:
    """Images side by side in rows, every pixel a square: (N, C, H, W) → (C, H', W') in [0, 1].

    Between them, and where a row ends early, is paper: white around colours; around grey values 0,
    which pages show as paper.

    Raises:
        ValueError: no images, or a count below 1.
    """
    check_images(images, "images", "N,C,H,W")
    check_positive(columns=columns, scale=scale)
    number, channels, height, width = images.shape
    rows = -(-number // columns)
    high, wide = height * scale + gap, width * scale + gap
    paper = 0.0 if channels == 1 else 1.0
    page = torch.full((channels, rows * high - gap, columns * wide - gap), paper)
    large = images.cpu().float().repeat_interleave(scale, -1).repeat_interleave(scale, -2)
    for index, one in enumerate(large):
        y, x = index // columns * high, index % columns * wide
        page[:, y : y + high - gap, x : x + wide - gap] = one
    return page
