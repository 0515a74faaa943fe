"""Group normalisation that scales and shifts by a condition in the same pass."""

from typing import Any

import torch
from torch import Tensor, nn


class ModulatedGroupNorm(nn.Module):
    r"""$y = (1 + s)\,(\gamma\,\frac{h - \mu}{\sqrt{v + \epsilon}} + \beta) + b$ for each channel.

    μ and v are the mean and the variance of the image's group of channels. All of it is one
    factor and one offset for each image and channel, whatever the number of groups, and the
    condition costs nothing. The moments are those of the differences from the image's first cell,
    which keeps them accurate where a channel hardly varies. They are accumulated in float32, or in
    h's type if that is finer; products and the sums of rows are rounded to h's type, bf16 under
    autocast.

    Args:
        groups: they must divide the channels.
        channels: C.
        eps: ε.

    Shapes: h (B, C, H, W), best with channels last; s and b (B, C) or neither → (B, C, H, W).

    Raises:
        ValueError: groups do not divide channels.

    Source: Wu and He, Group Normalization, 2018, eq. 1 and 7; the modulation: Dhariwal and
    Nichol, 2021, section 3.
    """

    def __init__(self, groups: int, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        if groups < 1 or channels % groups:
            raise ValueError(f"groups={groups} must divide the {channels} channels")
        self.groups, self.eps = groups, eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, h: Tensor, s: Tensor | None = None, b: Tensor | None = None) -> Tensor:
        with torch.autocast(h.device.type, enabled=False):
            pivot = h[:, :, :1, :1].detach()
            about, square = _Moments.apply(h, pivot)
            own = pivot[..., 0, 0].to(about.dtype) + about  # each channel's mean
            size = h.shape[1] // self.groups
            mean = own.unflatten(1, (self.groups, -1)).mean(-1).repeat_interleave(size, dim=1)
            within = (square - about.square()).clamp(min=0) + (own - mean).square()
            variance = within.unflatten(1, (self.groups, -1)).mean(-1)
            spread = (variance + self.eps).rsqrt().repeat_interleave(size, dim=1)
            factor = spread * self.weight
            offset = self.bias - mean * factor
            if s is not None and b is not None:
                factor, offset = factor * (1 + s), offset * (1 + s) + b
            return _Affine.apply(h, factor, offset)

    def extra_repr(self) -> str:
        return f"{self.groups}, {len(self.weight)}"


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
