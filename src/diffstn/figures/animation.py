"""Moving images of a reverse process."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from diffstn.figures.pages import check_labels
from diffstn.figures.sheet import Sheet, text_width
from diffstn.figures.style import BLUE, INK, MUTED, PAPER, RGB, RULE, TILE, WRONG, mix
from diffstn.figures.tiles import check_images, check_positive, tiles

if TYPE_CHECKING:
    from PIL.Image import Image


GREYS, COLOURS = (24, 16, 12, 8, 6), (224, 160, 128, 96)
"""How many levels of grey, or colours, to try until the file is small enough."""


def grey_palette(levels: int) -> list[RGB]:
    """Colours enough for grey images: a ramp from tile to ink, ramps for text and marks."""
    steps = [i / (levels - 1) for i in range(levels)]
    text = [mix(PAPER, ink, i / 4) for ink in (MUTED, WRONG) for i in range(1, 5)]
    return [PAPER, RULE, BLUE, *(mix(TILE, INK, s) for s in steps), *text]


def with_palette(pages: list[Image], levels: int, grey: bool) -> list[Image]:
    """The pages in one common palette, so that the GIF stores it once and nothing flickers.

    Grey images get a ramp of ``levels``; colour images as many colours, those that serve the
    first, the middle and the last page best.
    """
    from PIL import Image

    colours = grey_palette(levels if grey else 4)
    if not grey:
        width, height = pages[0].size
        sample = Image.new("RGB", (width, 3 * height))
        for row, page in enumerate((pages[0], pages[len(pages) // 2], pages[-1])):
            sample.paste(page, (0, row * height))
        used = sample.quantize(levels, kmeans=1).getpalette() or []
        colours += [(used[i], used[i + 1], used[i + 2]) for i in range(0, len(used) - 2, 3)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in colours for value in colour])
    return [page.quantize(palette=palette, dither=Image.Dither.NONE) for page in pages]


def animation_gif(
    frames: Tensor,
    path: str | os.PathLike[str],
    *,
    labels: Tensor | None = None,
    predictions: Tensor | None = None,
    symbol: str = "",
    columns: int = 8,
    scale: int = 3,
    unit: int | None = None,
    frame_ms: int = 80,
    hold_ms: int = 2000,
    max_bytes: int = 1_500_000,
) -> Path:
    """Animate a page of images along a reverse process, as a GIF that loops for ever.

    Every frame is one step of the given trajectory, nothing is interpolated: frame 0 is what pure
    noise makes of the images, the last frame is the result, held for ``hold_ms``. Below the
    images stand their symbol, ``step i/n`` and a bar. Given labels and predictions, an image is
    outlined in vermillion for as long as the judge misreads it, and the line counts those read
    correctly.

    Args:
        frames: (steps + 1, N, C, H, W) in [0, 1], C = 1 or 3, from noise to clean.
        path: The GIF to write.
        labels: The true classes, integers (N,); together with ``predictions`` or not at all.
        predictions: What the judge takes each image for at each step, integers (steps + 1, N).
        symbol: What the frames show, such as ``xₜ``.
        columns: Images side by side.
        scale: Side in pixels of an image's pixel.
        unit: A sixth of the height of letters in pixels, to which everything else keeps its
            proportion; by default ``scale``.
        frame_ms: How long a frame is shown; browsers do not go below 20 ms.
        hold_ms: How long the last frame is shown.
        max_bytes: Grey levels are given up (down to 6), or colours (down to 96), until the file is
            no larger; frames and pixels never are, so a long trajectory can exceed it.

    Returns:
        ``path``.

    Raises:
        ValueError: If shapes, channels or labels do not fit, or ``path`` does not end in ``.gif``.
    """
    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise ValueError(f"an animation is written as a GIF: end the path in .gif, not {path.name}")
    check_images(frames, "frames", "steps,N,C,H,W")
    if (labels is None) != (predictions is None):
        raise ValueError("labels and predictions go together: give both, or neither")
    unit = scale if unit is None else unit
    check_positive(columns=columns, scale=scale, unit=unit)
    count, number, channels, height, width = frames.shape
    wrong = None
    if labels is not None and predictions is not None:
        classes = int(max(labels.max(), predictions.max())) + 1
        check_labels(labels, "labels", (number,), classes)
        check_labels(predictions, "predictions", (count, number), classes)
        wrong = predictions.cpu() != labels.cpu()

    gap, line, small = 2 * unit, max(1, unit * 2 // 3), 6 * unit
    across, down = min(columns, number), -(-number // columns)
    cell_x, cell_y = width * scale + gap, height * scale + gap
    page_width = across * cell_x + gap
    footer = down * cell_y + gap
    caption = f"{symbol}, step" if symbol else "step"
    step_width = text_width(f"{caption} {count - 1}/{count - 1}", small)
    read_width = 0 if wrong is None else text_width(f"judge reads {number}/{number}", small)
    bar_x = gap + step_width + 2 * gap
    bar_width = page_width - gap - bar_x - (read_width + 2 * gap if read_width else 0)

    pages = []
    for step, images in enumerate(frames):
        sheet = Sheet(page_width, footer + small + 2 * gap)
        for index, pixels in enumerate(tiles(images, scale)):
            x, y = gap + index % columns * cell_x, gap + index // columns * cell_y
            sheet.tile(pixels, x, y)
            if wrong is not None and wrong[step, index]:
                sheet.mark_wrong(x, y, width * scale, height * scale, line)
        y = footer + small // 2 + gap // 2
        sheet.text(f"{caption} {step}/{count - 1}", gap, y, small, MUTED)
        sheet.bar(bar_x, y - unit // 2, bar_width, unit, RULE)
        done = step / (count - 1) if count > 1 else 1.0
        sheet.bar(bar_x, y - unit // 2, round(bar_width * done), unit, BLUE)
        if wrong is not None:
            right = number - int(wrong[step].sum())
            sheet.text(f"judge reads {right}/{number}", page_width - gap, y, small, MUTED, "rm")
        pages.append(sheet.image)

    durations = [frame_ms] * (count - 1) + [hold_ms]
    for levels in GREYS if channels == 1 else COLOURS:
        file = io.BytesIO()
        first, *rest = with_palette(pages, levels, grey=channels == 1)
        first.save(file, "GIF", save_all=True, append_images=rest, duration=durations, loop=0)
        if file.tell() <= max_bytes:
            break
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.getvalue())
    return path
