"""A page of images, each under its title."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from diffstn.figures.sheet import Sheet, text_width
from diffstn.figures.style import MUTED
from diffstn.figures.tiles import check_images, check_positive, tiles


def panel_page(
    images: Tensor,
    path: str | os.PathLike[str],
    titles: Sequence[str] = (),
    columns: int = 6,
    letters: int = 15,
    scale: int = 1,
    least: int = 480,
) -> Path:
    """Plot images row by row.

    Args:
        images: (N, C, H, W) in [0, 1], C = 1 or 3.
        path: The PNG to write.
        titles: One for each image, or none; if one is too wide for its image, all shrink.
        columns: Images side by side, at most.
        letters: Height of the titles in pixels.
        scale: Side in pixels of an image's pixel.
        least: Width of the page in pixels that few small images are enlarged to, roughly, as every
            pixel of an image stays a square of whole pixels; 0 leaves them as they are.

    Returns:
        ``path``.

    Raises:
        ValueError: If shapes or the number of titles do not fit.
    """
    check_images(images, "images", "N,C,H,W")
    check_positive(columns=columns, scale=scale, letters=letters)
    number, _, height, width = images.shape
    if titles and len(titles) != number:
        raise ValueError(f"{number} images need as many titles, got {len(titles)}")
    gap, line = 8, letters * 3 // 2 if titles else 0
    across = min(columns, number)
    scale = max(scale, round((least - gap * (across + 1)) / (across * width)))
    cell_x, cell_y = width * scale + gap, height * scale + line + gap
    sheet = Sheet(gap + across * cell_x, gap + -(-number // columns) * cell_y)
    while letters > 7 and any(text_width(title, letters) > width * scale for title in titles):
        letters -= 1
    for index, pixels in enumerate(tiles(images, scale)):
        x, y = gap + index % columns * cell_x, gap + index // columns * cell_y
        if titles:
            sheet.text(titles[index], x, y + line // 2, letters, MUTED)
        sheet.tile(pixels, x, y + line)
    return sheet.save(path)
