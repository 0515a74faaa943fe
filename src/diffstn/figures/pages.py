"""Pages that show what a corrector does to images of every class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from diffstn.figures.sheet import Sheet, text_width
from diffstn.figures.style import MUTED, RULE
from diffstn.figures.tiles import check_images, check_positive, tiles


def check_labels(labels: Tensor, name: str, shape: tuple[int, ...], classes: int) -> None:
    """Refuse labels that are not integers in 0, ..., ``classes`` - 1 of the given shape."""
    if tuple(labels.shape) != shape:
        raise ValueError(f"{name} must have shape {shape}, got {tuple(labels.shape)}")
    if labels.is_floating_point() or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"{name} must be integers from 0 to {classes - 1}: one class name each")


def correction_page(
    distorted: Tensor,
    corrected: Tensor,
    upright: Tensor,
    labels: Tensor,
    predictions: Tensor,
    path: str | os.PathLike[str],
    *,
    classes: Sequence[str] = tuple("0123456789"),
    examples: int = 4,
    blocks_per_row: int = 5,
    scale: int = 3,
) -> Path:
    """Plot a block for every class: examples side by side, distorted above corrected above upright.

    The first ``examples`` images of each class are shown, in the order given; classes of which
    there is none are left out. A corrected image that the judge takes for another class is
    outlined in vermillion with the name of that class below it. Rows may differ in size (a
    distorted image on a larger canvas): all are shown at the same scale, centred.

    Args:
        distorted, corrected, upright: Images (N, C, H, W) in [0, 1] with C = 1 or 3; the sizes
            may differ.
        labels: The true classes, integers (N,).
        predictions: What the judge takes the *corrected* images for, integers (N,).
        path: The PNG to write.
        classes: The name of every class.
        examples: Images per class, at most.
        blocks_per_row: Blocks side by side.
        scale: Side in pixels of an image's pixel; everything else grows along.

    Returns:
        ``path``.

    Raises:
        ValueError: If shapes, channels, labels or counts do not fit.
    """
    rows = {"distorted": distorted, "corrected": corrected, "upright": upright}
    for name, images in rows.items():
        check_images(images, name, "N,C,H,W")
        if len(images) != len(distorted):
            raise ValueError(
                f"{name} must hold as many images as distorted ({len(distorted)}), "
                f"got {len(images)}"
            )
    check_positive(examples=examples, blocks_per_row=blocks_per_row, scale=scale)
    check_labels(labels, "labels", (len(distorted),), len(classes))
    check_labels(predictions, "predictions", (len(distorted),), len(classes))

    labels, predictions = labels.cpu(), predictions.cpu()
    blocks = [torch.nonzero(labels == c).flatten()[:examples].tolist() for c in range(len(classes))]
    shown = [(name, block) for name, block in zip(classes, blocks, strict=True) if block]
    across = min(blocks_per_row, len(shown))
    down = -(-len(shown) // across)

    # All lengths are in image pixels times the scale.
    gap, margin, line = 2 * scale, 8 * scale, max(1, scale * 2 // 3)
    title, small = 12 * scale, 8 * scale
    cell = max(p.shape[-1] for p in rows.values()) * scale
    heights = [p.shape[-2] * scale for p in rows.values()]
    left = margin + max(text_width(name, small) for name in rows) + 2 * gap
    block_width = max(
        examples * (cell + gap) - gap, *(text_width(name, title) for name, _ in shown)
    )
    heading = title + 2 * gap
    indices = [index for _, block in shown for index in block]
    right = int((predictions[indices] == labels[indices]).sum())
    strip = small + scale if right < len(indices) else 0
    block_height = heading + sum(heights) + strip + 2 * gap
    score = f"{right} of {len(indices)} read correctly by the judge"
    legend = "misread, with the class it was taken for" if strip else ""
    words = small + gap + text_width(legend, small) + margin + text_width(score, small)
    width = left + max(across * (block_width + margin), words + margin)
    sheet = Sheet(width, margin + down * (block_height + margin) + small + margin)

    for number, (class_name, block) in enumerate(shown):
        x = left + number % across * (block_width + margin)
        y = margin + number // across * (block_height + margin)
        sheet.text(class_name, x, y + title // 2, title)
        sheet.bar(x, y + title + gap // 2, block_width, max(1, scale // 2), RULE)
        y += heading
        for (row, images), height in zip(rows.items(), heights, strict=True):
            if number % across == 0:
                sheet.text(row, left - 2 * gap, y + height // 2, small, MUTED, "rm")
            for column, (index, pixels) in enumerate(
                zip(block, tiles(images[block], scale), strict=True)
            ):
                at = x + column * (cell + gap) + (cell - pixels.shape[1]) // 2
                sheet.tile(pixels, at, y)
                if row == "corrected" and predictions[index] != labels[index]:
                    said = classes[int(predictions[index])]
                    sheet.mark_wrong(at, y, pixels.shape[1], height, line, said, strip)
            y += height + gap + (strip if row == "corrected" else 0)

    y = sheet.image.height - margin - small // 2
    if legend:
        swatch = small - 2 * line
        sheet.mark_wrong(left + line, y - swatch // 2, swatch, swatch, line)
        sheet.text(legend, left + small + gap, y, small, MUTED)
    sheet.text(score, width - margin, y, small, MUTED, "rm")
    return sheet.save(path)
