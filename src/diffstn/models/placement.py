"""Where an image lies on the canvas that a model reads."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

Side = tuple[float, float] | Tensor
"""(H, W) of all images alike, or (B, 2) of each."""


@dataclass(frozen=True)
class Placement:
    """Where images of `given` (H, W) lie on a `canvas` (h, w): scaled to `inner`, their upper left
    corner at `corner`, (row, column), all in pixels. Of an image that is looked at from nearer a
    part lies beyond the canvas, and of one that `covers` it. Points are (x, y); normalised ones
    span their image by [-1, 1].
    """

    given: tuple[int, int]
    canvas: tuple[int, int]
    inner: Side
    corner: Side = (0, 0)
    covers: bool = False

    @property
    def scale(self) -> float:
        """Pixels of the canvas for each of the given image if it just fits, or just covers it."""
        scales = self.canvas[0] / self.given[0], self.canvas[1] / self.given[1]
        return max(scales) if self.covers else min(scales)

    def pixels(self, xy: Tensor) -> Tensor:
        """Normalised points of the canvas (*, 2) → pixels of the given image."""
        given, *_ = self._flipped(xy)
        return (self.points(xy) + 1) / 2 * given

    def points(self, xy: Tensor) -> Tensor:
        """Normalised points of the canvas (*, 2) → normalised points of the given image."""
        _, canvas, inner, corner = self._flipped(xy)
        return 2 * ((xy + 1) / 2 * canvas - corner) / inner - 1

    def normalised(self, xy: Tensor) -> Tensor:
        """Normalised points of the given image (*, 2) → normalised points of the canvas."""
        _, canvas, inner, corner = self._flipped(xy)
        return 2 * ((xy + 1) / 2 * inner + corner) / canvas - 1

    def _flipped(self, like: Tensor) -> list[Tensor]:
        """given, canvas, inner and corner as (x, y), so that they broadcast to points (*, 2)."""
        found = []
        for side in (self.given, self.canvas, self.inner, self.corner):
            value = torch.as_tensor(side, device=like.device, dtype=like.dtype).flip(-1)
            found.append(value.view(-1, *[1] * (like.ndim - 2), 2) if value.ndim == 2 else value)
        return found


def placed(given: tuple[int, int], canvas: tuple[int, int]) -> Placement:
    """An image in the middle of a canvas, scaled until it fits."""
    scale = min(canvas[0] / given[0], canvas[1] / given[1])
    inner = (max(1, round(given[0] * scale)), max(1, round(given[1] * scale)))
    corner = ((canvas[0] - inner[0]) // 2, (canvas[1] - inner[1]) // 2)
    return Placement(given, (canvas[0], canvas[1]), inner, corner)
