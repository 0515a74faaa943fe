"""A page of images in named rows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from diffstn.figures.sheet import Sheet, text_width
from diffstn.figures.style import MUTED
from diffstn.figures.tiles import check_images, check_positive, tiles


def rows_page(
    rows: Mapping[str, Tensor],
    path: str | os.PathLike[str],
    titles: Sequence[str] = (),
    scale: int = 2,
) -> Path:
    """Plot rows of images, each with its name on the left.

    Args:
        rows: (N, C, H, W) in [0, 1], C = 1 or 3, by name; an empty name goes with the row above.
        path: The PNG to write.
        titles: One for each column, or none; one that is the same as the last is left out.
        scale: Side in pixels of an image's pixel.

    Returns:
        ``path``.

    Raises:
        ValueError: If the rows differ in number or size, or the titles in number.
    """
    check_positive(scale=scale)
    first = next(iter(rows.values()))
    for name, images in rows.items():
        check_images(images, name or "a row", "N,C,H,W")
        if len(images) != len(first) or images.shape[2:] != first.shape[2:]:
            raise ValueError(f"rows must be alike: {tuple(images.shape)}, {tuple(first.shape)}")
    if titles and len(titles) != len(first):
        raise ValueError(f"{len(first)} columns need as many titles, got {len(titles)}")
    gap, margin, letters = scale, 6 * scale, 7 * scale
    height, width = (side * scale for side in first.shape[2:])
    left = margin + max(text_width(name.strip(), letters) for name in rows) + 3 * scale
    top = margin + (letters + 2 * scale if titles else 0)
    breaks = [sum(bool(name.strip()) for name in list(rows)[1 : i + 1]) for i in range(len(rows))]
    sheet = Sheet(
        left + len(first) * (width + gap) + margin,
        top + len(rows) * (height + gap) + breaks[-1] * 2 * scale + margin,
    )
    for column, title in enumerate(titles):
        if not column or title != titles[column - 1]:
            sheet.text(title, left + column * (width + gap), margin + letters // 2, letters)
    for row, ((name, images), extra) in enumerate(zip(rows.items(), breaks, strict=True)):
        y = top + row * (height + gap) + extra * 2 * scale
        sheet.text(name.strip(), left - 3 * scale, y + height // 2, letters, MUTED, "rm")
        for column, pixels in enumerate(tiles(images, scale)):
            sheet.tile(pixels, left + column * (width + gap), y)
    return sheet.save(path)
