"""Writing of any brightness on paper of any brightness, as light ink on black."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

LEAST = 0.1
"""Contrast below which an image is taken to be empty."""
FULL = 0.9
"""Brightness from which ink on black is taken to be full."""
ROUNDS = 10
"""Of weighing the border's pixels anew."""


class Ink(NamedTuple):
    r"""How writing lies between its paper and its darkest stroke.

    A frame from moments weighs pixels by their value, and classifiers of digits learnt strokes of
    full brightness on black. So an image x becomes

    $$\mathrm{clip}\!\left(\frac{\tilde x - s - b}{m - b}, 0, 1\right), \qquad
      \tilde x = x \text{ or } 1 - x,$$

    the latter where ink is darker than its paper: where the third moment of x − s about the median
    of the border is negative, so that few strong strokes outweigh much faint grain, on paper of any
    grey. s is the shade
    of a sheet lit from one side, a plane through the border, zero in its middle; b is the paper,
    the median of the border less s and three of its (robust) standard deviations, so that the
    grain of a photograph weighs nothing; m is the brightest pixel of x̃ − s. Where most of the
    border is one value there is no shade. An image with black borders and a pixel above `FULL`
    stays as it is, to the bit. One with less contrast than `LEAST` holds no writing, and s = 0,
    b = 0, m = 1.

    All are (B, 1, 1, 1), but for the shade.
    """

    dark: Tensor
    """Whether the ink is darker than the paper."""
    shade: Tensor
    """s, (B, 1, H, W)."""
    paper: Tensor
    """b."""
    span: Tensor
    """m − b."""

    def as_light(self, images: Tensor) -> Tensor:
        """Images (B, 1, H, W) in [0, 1] as light ink on black."""
        light = torch.where(self.dark, 1 - images, images)
        return ((light - self.shade - self.paper) / self.span).clamp(0, 1)

    def as_given(self, images: Tensor) -> Tensor:
        """The way back of images (B, 1, h, w) in evenly lit paper, but for what was darker."""
        light = images * self.span + self.paper
        return torch.where(self.dark, 1 - light, light)


def ink_of(images: Tensor) -> Ink:
    """The ink of grey images (B, 1, H, W) in [0, 1]."""
    shade = shade_of(images)
    even = images - shade
    middle, grain = middle_and_grain(border(even)[:, 0])
    off = even.flatten(1) - middle[:, None]
    blank = off.abs().amax(1) < LEAST
    dark = torch.where(blank, middle > 0.5, off.pow(3).sum(1) < 0)
    sign = torch.where(dark, -1.0, 1.0)
    paper = torch.where(dark, 1 - middle, middle) + 3 * grain
    brightest = torch.where(dark, 1 - even.flatten(1).amin(1), even.flatten(1).amax(1))
    span = brightest - paper
    empty = span < LEAST
    span = span.masked_fill(empty | ((paper == 0) & (brightest > FULL)), 1)
    paper = paper.masked_fill(empty, 0)
    sign = sign.masked_fill(empty, 0)
    dark, paper, span, sign = (v[:, None, None, None] for v in (dark, paper, span, sign))
    return Ink(dark, sign * shade, paper, span)


def border(images: Tensor) -> Tensor:
    """The outermost pixels of images (B, C, H, W): (B, C, 2W + 2H − 4)."""
    around = images[..., [0, -1], :].flatten(2), images[..., 1:-1, [0, -1]].flatten(2)
    return torch.cat(around, dim=2)


def middle_and_grain(edge: Tensor) -> tuple[Tensor, Tensor]:
    """The median of each row of (B, E), and the standard deviation about it of all but strays."""
    middle = edge.median(dim=1).values
    return middle, 1.4826 * (edge - middle[:, None]).abs().median(dim=1).values


def shade_of(images: Tensor) -> Tensor:
    r"""The plane s(u, v) = g_u u + g_v v, (B, 1, H, W), by which the border of images is brighter
    on one side; u and v run from −1 to 1 across the image.

    $\min_{c,g} \sum_i |e_i - c - g_u u_i - g_v v_i|$ over the border's pixels e, by least squares
    with weights 1 / |residual|: strokes that reach the border do not tilt it.
    """
    across, down = (
        torch.linspace(-1, 1, n, dtype=images.dtype, device=images.device)
        for n in (images.shape[-1], images.shape[-2])
    )
    v, u = torch.meshgrid(down, across, indexing="ij")
    plane = torch.stack([u, v])
    edge = border(images)[:, 0]
    flat = middle_and_grain(edge)[1] == 0
    if flat.all():
        return torch.zeros_like(images)
    of_edge = border(plane[None])[0]
    known = torch.cat([torch.ones_like(of_edge[:1]), of_edge]).T.expand(len(edge), -1, -1)
    weight = torch.ones_like(edge)
    for _ in range(ROUNDS):
        weighed = known.mT * weight[:, None]
        found = torch.linalg.solve(weighed @ known, weighed @ edge[..., None])
        weight = (edge - (known @ found)[..., 0]).abs().clamp_min(1 / 255).reciprocal()
    slope = found[:, 1:, 0].masked_fill(flat[:, None], 0)
    return torch.einsum("bs,shw->bhw", slope, plane)[:, None]
