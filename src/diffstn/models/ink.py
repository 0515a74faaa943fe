"""Writing of any brightness on paper of any brightness, as light ink on black."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

LEAST = 0.1
"""Contrast below which an image is taken to be empty."""
FULL = 0.9
"""Brightness from which ink on black is taken to be full."""


class Ink(NamedTuple):
    r"""How writing lies between its paper and its darkest stroke.

    A frame from moments weighs pixels by their value, and classifiers of digits learnt strokes of
    full brightness on black. So an image x becomes

    $$\mathrm{clip}\!\left(\frac{\tilde x - b}{m - b}, 0, 1\right), \qquad
      \tilde x = x \text{ or } 1 - x,$$

    the latter where the border is bright in its median: dark ink on light paper. b is the paper,
    the border's median and three of its (robust) standard deviations, so that the grain of a
    photograph weighs nothing; m is the brightest pixel. An image with black borders and a pixel
    above `FULL` stays as it is, to the bit. One with less contrast than `LEAST` holds no writing,
    and b = 0, m = 1.

    All are (B, 1, 1, 1).
    """

    dark: Tensor
    """Whether the ink is darker than the paper."""
    paper: Tensor
    """b."""
    span: Tensor
    """m − b."""

    def as_light(self, images: Tensor) -> Tensor:
        """Images (B, 1, H, W) in [0, 1] as light ink on black."""
        light = torch.where(self.dark, 1 - images, images)
        return ((light - self.paper) / self.span).clamp(0, 1)

    def as_given(self, images: Tensor) -> Tensor:
        """The way back of images (B, 1, h, w), but for what was darker than the paper."""
        light = images * self.span + self.paper
        return torch.where(self.dark, 1 - light, light)


def ink_of(images: Tensor) -> Ink:
    """The ink of grey images (B, 1, H, W) in [0, 1]."""
    edge = torch.cat(
        [images[..., [0, -1], :].flatten(1), images[..., 1:-1, [0, -1]].flatten(1)], dim=1
    )
    middle = edge.median(dim=1).values
    grain = 1.4826 * (edge - middle[:, None]).abs().median(dim=1).values
    dark = middle > 0.5
    brightest = torch.where(dark, 1 - images.flatten(1).amin(1), images.flatten(1).amax(1))
    paper = torch.where(dark, 1 - middle, middle) + 3 * grain
    empty = brightest - paper < LEAST
    span = (brightest - paper).masked_fill(empty | ((paper == 0) & (brightest > FULL)), 1)
    paper = paper.masked_fill(empty, 0)
    dark, paper, span = (value[:, None, None, None] for value in (dark, paper, span))
    return Ink(dark, paper, span)
