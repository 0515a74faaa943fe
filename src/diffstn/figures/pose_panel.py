"""A few images, how they are turned upright, and which poses were in question."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffstn.figures.sheet import Sheet, text_width
from diffstn.figures.style import BLUE, INK, MUTED, PAPER, RULE
from diffstn.figures.tiles import check_images, tiles

LETTERS, GAP, ROSE = 15, 10, 96
FINE = 4
"""Roses are drawn so many times larger, and made smaller to be smooth."""


def pose_panel(
    distorted: Tensor,
    corrected: Tensor,
    upright: Tensor,
    path: str | os.PathLike[str],
    *,
    angles: Tensor | None = None,
    true_angles: Tensor | None = None,
    scale: int = 3,
) -> Path:
    """Plot a column for each image: distorted, corrected, upright and, if asked for, a rose.

    The petals of a rose point to where the top of the content lies in the distorted image, by the
    sampled poses: 0 is up, positive angles turn clockwise. A petal's area is its share. The ray is
    the true angle.

    Args:
        distorted, corrected, upright: Images (N, C, H, W) in [0, 1]; the sizes may differ.
        path: The PNG to write.
        angles: Sampled rotations (N, m) in radians.
        true_angles: The rotations (N,) that distorted the images.
        scale: Side in pixels of an image's pixel.

    Returns:
        ``path``.

    Raises:
        ValueError: If shapes do not fit.
    """
    rows = {"distorted": distorted, "corrected": corrected, "upright": upright}
    for name, images in rows.items():
        check_images(images, name, "N,C,H,W")
        if len(images) != len(distorted):
            raise ValueError(f"{name} must hold {len(distorted)} images, got {len(images)}")
    parts = {name: list(tiles(images, scale)) for name, images in rows.items()}
    if angles is not None and true_angles is not None:
        pairs = zip(angles.cpu(), true_angles.tolist(), strict=True)
        parts["poses"] = [rose(some, true) for some, true in pairs]
    cell = max(tile.shape[1] for row in parts.values() for tile in row)
    left = GAP + max(text_width(name, LETTERS) for name in parts) + GAP
    heights = [max(tile.shape[0] for tile in row) for row in parts.values()]
    sheet = Sheet(left + len(distorted) * (cell + GAP), GAP + sum(heights) + GAP * len(heights))
    y = GAP
    for (name, row), height in zip(parts.items(), heights, strict=True):
        sheet.text(name, GAP, y + height // 2, LETTERS, MUTED)
        for i, tile in enumerate(row):
            x = left + i * (cell + GAP) + (cell - tile.shape[1]) // 2
            sheet.tile(tile, x, y + (height - tile.shape[0]) // 2)
        y += height + GAP
    return sheet.save(path)


def rose(angles: Tensor, true_angle: float, bins: int = 36) -> NDArray[np.uint8]:
    """A circular histogram of angles (m,) in radians, as pixels (h, w, 3)."""
    from PIL import Image, ImageDraw

    side = ROSE * FINE
    image = Image.new("RGB", (side, side), PAPER)
    draw = ImageDraw.Draw(image)
    centre, radius = side / 2, side / 2 - 2 * FINE
    circle = (centre - radius, centre - radius, centre + radius, centre + radius)
    draw.ellipse(circle, outline=RULE, width=FINE)
    turns = angles.detach().double()
    edges = np.linspace(-math.pi, math.pi, bins + 1)
    counts, _ = np.histogram(torch.atan2(turns.sin(), turns.cos()).numpy(), edges)
    for count, start, stop in zip(counts, edges[:-1], edges[1:], strict=True):
        if count:
            r = radius * math.sqrt(count / counts.max())
            box = (centre - r, centre - r, centre + r, centre + r)
            draw.pieslice(box, math.degrees(start) - 90, math.degrees(stop) - 90, fill=BLUE)
    x, y = centre + radius * math.sin(true_angle), centre - radius * math.cos(true_angle)
    draw.line((centre, centre, x, y), fill=INK, width=FINE)
    dot = 2.5 * FINE
    draw.ellipse((x - dot, y - dot, x + dot, y + dot), fill=INK)
    return np.asarray(image.resize((ROSE, ROSE), Image.Resampling.LANCZOS))
