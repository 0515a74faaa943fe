"""Writing that is small in its image, seen from nearer."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from diffstn.models.placement import Placement, placed

SMALL = 0.45
"""Share of the canvas below which content is looked at from nearer. Models of digits were shown
content of half the canvas and more."""
USUAL = 20 / 28
"""The share that it has then: that of MNIST's digits."""
TAIL = 0.005
"""Share of the ink on each side that does not count as content: grain and stray marks."""


def content_boxes(images: Tensor) -> Tensor:
    """Left, top, right and bottom, in pixels, of what images (B, 1, H, W) hold, light on black.

    Each side leaves `TAIL` of the squared brightness outside. Of empty images all is content.
    (B, 4), whole numbers.
    """
    ink = images[:, 0].square()
    ends = []
    for mass in (ink.sum(dim=1), ink.sum(dim=2)):  # by columns, by rows
        share = mass.cumsum(dim=1) / mass.sum(dim=1, keepdim=True)
        ends.append([(share < TAIL).sum(dim=1), 1 + (share < 1 - TAIL).sum(dim=1)])
    found = torch.stack([ends[0][0], ends[1][0], ends[0][1], ends[1][1]], dim=1)
    whole = found.new_tensor([0, 0, images.shape[3], images.shape[2]])
    return torch.where((ink.flatten(1).sum(dim=1) > 0)[:, None], found, whole)


def fitted(images: Tensor, canvas: tuple[int, int], nearer: bool) -> tuple[Tensor, Placement]:
    """Images (B, C, H, W) scaled until they fit onto the canvas, (B, C, h, w), the rest black; and
    where they lie there.

    With `nearer`, images whose content would have less than `SMALL` of the canvas's sides are
    looked at from so near that it has `USUAL` of one of them.
    """
    size = images.shape[2], images.shape[3]
    place = placed(size, canvas)
    top, left = map(int, place.corner)
    height, width = map(int, place.inner)
    below, right = canvas[0] - top - height, canvas[1] - left - width
    whole = F.pad(_scaled(images, (height, width)), (left, right, top, below))
    if not nearer:
        return whole, place
    boxes = content_boxes(images)
    sides = (boxes[:, 2:] - boxes[:, :2]).flip(1)
    share = (sides * place.scale / torch.tensor(canvas, device=boxes.device)).amax(dim=1)
    if not bool((share < SMALL).any()):
        return whole, place
    inner = torch.tensor(place.inner).repeat(len(images), 1).float()
    corner = torch.tensor(place.corner).repeat(len(images), 1).float()
    for i in (share < SMALL).nonzero()[:, 0].tolist():
        # a window of the canvas's shape around the middle of the content
        unit = float(share[i]) / USUAL / place.scale
        window = max(1, round(canvas[0] * unit)), max(1, round(canvas[1] * unit))
        middle = (boxes[i, :2] + boxes[i, 2:]).flip(0) / 2
        row, column = (round(float(m) - w / 2) for m, w in zip(middle, window, strict=True))
        whole[i] = _scaled(_window(images[i : i + 1], (row, column), window), canvas)[0]
        factor = torch.tensor(canvas) / torch.tensor(window)
        inner[i] = torch.tensor(size) * factor
        corner[i] = -torch.tensor([row, column]) * factor
    return whole, Placement(size, canvas, inner, corner)


def covering(images: Tensor, canvas: tuple[int, int]) -> tuple[Tensor, Placement]:
    """The middle of images (B, C, H, W), as much of it as has the canvas's proportions, scaled onto
    the canvas, (B, C, h, w); and where the images lie there.
    """
    size = images.shape[2], images.shape[3]
    place = Placement(size, (canvas[0], canvas[1]), size, covers=True)
    height, width = (min(a, round(b / place.scale)) for a, b in zip(size, canvas, strict=True))
    start = (size[0] - height) // 2, (size[1] - width) // 2
    factor = canvas[0] / height, canvas[1] / width
    inner = size[0] * factor[0], size[1] * factor[1]
    corner = -start[0] * factor[0], -start[1] * factor[1]
    seen = _scaled(_window(images, start, (height, width)), canvas)
    return seen, replace(place, inner=inner, corner=corner)


def _scaled(images: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)


def _window(images: Tensor, start: tuple[int, int], window: tuple[int, int]) -> Tensor:
    """A part of images, from the row and column where it starts; black beyond their edges."""
    (top, left), (height, width) = start, window
    below, right = top + height - images.shape[2], left + width - images.shape[3]
    return F.pad(images, (-left, right, -top, below))
