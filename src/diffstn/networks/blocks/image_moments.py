"""Mean and variance of each channel of each image, and one factor and one offset for each."""

from typing import Any

import torch
from torch import Tensor


def image_moments(h: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance over the places, (B, C, H, W) → twice (B, C), in float32 or finer.

    The moments are taken about the image's first cell, which keeps them accurate where a channel
    hardly varies. Products and the sums of rows are rounded to h's type.
    """
    pivot = h[:, :, :1, :1].detach()
    about, square = _Moments.apply(h, pivot)
    return pivot[..., 0, 0].to(about.dtype) + about, (square - about.square()).clamp(min=0)


def scaled_and_shifted(h: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
    """factor · h + offset, (B, C) each: (B, C, H, W) → the same."""
    return _Affine.apply(h, factor, offset)


def _summed(rows: Tensor) -> Tensor:
    """Sum over an image, (B, H, W, C) → (B, C) in float32 or finer.

    Rows are summed by a matrix product, which is several times faster on a CPU than a reduction of
    bf16 and accumulates in float32, then the rows' sums.
    """
    ones = rows.new_ones(1, rows.shape[2])
    of_rows = torch.matmul(ones, rows).squeeze(2)
    return of_rows.to(torch.promote_types(rows.dtype, torch.float32)).sum(1)


class _Moments(torch.autograd.Function):
    """Mean and mean square of each channel's distance from its pivot: (B, C, H, W) → twice (B, C).

    The pivot (B, C, 1, 1) passes no gradient: the moments about it change with it, but what is made
    of them, mean and variance, does not.
    """

    @staticmethod
    def forward(ctx: Any, h: Tensor, pivot: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        ctx.save_for_backward(h, pivot)
        rows = (h - pivot).movedim(1, -1)
        count = h.shape[2] * h.shape[3]
        return _summed(rows) / count, _summed(rows.square_()) / count

    @staticmethod
    def backward(ctx: Any, of_mean: Tensor, of_square: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        h, pivot = ctx.saved_tensors
        count = h.shape[2] * h.shape[3]
        slope = 2 * of_square / count
        constant = of_mean / count - slope * pivot[..., 0, 0]
        constant, slope = (g.to(h.dtype)[..., None, None] for g in (constant, slope))
        return torch.addcmul(constant, h, slope), None


class _Affine(torch.autograd.Function):
    """factor · h + offset, (B, C) each: (B, C, H, W) → the same."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, factor: Tensor, offset: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(h, factor)
        factor, offset = (p.to(h.dtype)[..., None, None] for p in (factor, offset))
        return torch.addcmul(offset, h, factor)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # type: ignore[override]
        h, factor = ctx.saved_tensors
        of_h = gradient * factor.to(h.dtype)[..., None, None]
        of_factor = _summed((gradient * h).movedim(1, -1))
        return of_h, of_factor, _summed(gradient.movedim(1, -1))
