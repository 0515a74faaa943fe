"""How the estimate of the clean image forms along the reverse process."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor

from diffstn.figures.sheet import Sheet, text_width
from diffstn.figures.style import MUTED
from diffstn.figures.tiles import check_images, check_positive, tiles

CAPTION = "x̂₀ (the estimate of clean data)"


def reverse_strip(
    estimates: Tensor,
    path: str | os.PathLike[str],
    *,
    timesteps: Tensor | None = None,
    columns: int = 10,
    scale: int = 3,
    unit: int | None = None,
) -> Path:
    """Plot the estimates of x_0 made at successive timesteps, one row per image, noise at left.

    A line below says what is shown.

    Of a long trajectory ``columns`` evenly spaced steps are shown, always the first and the last.

    Args:
        estimates: (steps, N, C, H, W) in [0, 1], C = 1 or 3, in sampling order (t falling).
        path: The PNG to write.
        timesteps: The t of every estimate, integers (steps,), as column headings; without them
            the columns are numbered by step, from 0.
        columns: Columns, at most.
        scale: Side in pixels of an image's pixel.
        unit: A seventh of the height of letters in pixels, to which everything else keeps its
            proportion; by default ``scale``.

    Returns:
        ``path``.

    Raises:
        ValueError: If shapes or channels do not fit, or ``columns`` is less than 1.
    """
    check_images(estimates, "estimates", "steps,N,C,H,W")
    steps, number, _, height, width = estimates.shape
    if timesteps is not None and tuple(timesteps.shape) != (steps,):
        raise ValueError(f"timesteps must have shape ({steps},), got {tuple(timesteps.shape)}")
    unit = scale if unit is None else unit
    check_positive(columns=columns, scale=scale, unit=unit)
    chosen = torch.linspace(0, steps - 1, min(columns, steps)).round().long()
    if columns == 1:
        chosen = torch.tensor([steps - 1])
    headings = chosen if timesteps is None else timesteps.cpu()[chosen]
    symbol = "step" if timesteps is None else "t ="

    gap, small, letters = 2 * unit, 7 * unit, 6 * unit
    cell_x, cell_y = width * scale + gap, height * scale + gap
    top = small + 3 * gap
    left = text_width(symbol, small) + 3 * gap
    page_width = left + len(chosen) * cell_x
    foot = top + number * cell_y
    while letters > 7 and text_width(CAPTION, letters) > page_width - 2 * gap:
        letters -= 1
    page_width = max(page_width, text_width(CAPTION, letters) + 2 * gap)
    sheet = Sheet(page_width, foot + letters + 2 * gap)
    sheet.text(symbol, gap, top // 2, small, MUTED)
    for column, (step, heading) in enumerate(zip(chosen, headings.tolist(), strict=True)):
        x = left + column * cell_x
        sheet.text(str(heading), x + width * scale // 2, top // 2, small, MUTED, "mm")
        for row, pixels in enumerate(tiles(estimates[step], scale)):
            sheet.tile(pixels, x, top + row * cell_y)
    sheet.text(CAPTION, gap, foot + letters // 2 + gap // 2, letters, MUTED)
    return sheet.save(path)
