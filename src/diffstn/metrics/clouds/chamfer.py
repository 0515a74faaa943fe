"""The Chamfer distance."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_TILE = 1 << 20


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """‖x_i − y_j‖² of points (..., N, D) and (..., M, D): (..., N, M) float64.

    One matrix product, [−2x, ‖x‖², 1] · [y, 1, ‖y‖²]ᵀ, in float64, for its cancellation costs half
    of the digits. What is exactly 0 may come out as about −10⁻¹⁶ times the points' squared norms.
    """
    x, y = x.double(), y.double()
    left = torch.cat([-2 * x, x.square().sum(-1, keepdim=True), torch.ones_like(x[..., :1])], -1)
    right = torch.cat([y, torch.ones_like(y[..., :1]), y.square().sum(-1, keepdim=True)], -1)
    return left @ right.mT


class Chamfer:
    r"""The mean distance to the nearest point of the other cloud, both ways.

        CD(X, Y) = 1/N Σ_x min_y d(x, y) + 1/M Σ_y min_x d(x, y)

    with d = ‖x − y‖² if `squared`, as in most tables of shape generation, or ‖x − y‖.

    Distances are sums of squared differences in the dtype of the points, which loses no digits
    where ‖x‖² − 2x·y + ‖y‖² cancels, and only their means are taken in float64. They are computed
    a tile at a time, small enough for a core's cache, in the same memory: a fresh piece of it for
    each pair of clouds would cost as much as the arithmetic. There is no gradient.

    Source: Fan et al., A Point Set Generation Network, 2017, eq. 1 (there with sums).
    """

    def __init__(self, squared: bool = True) -> None:
        self.squared = squared

    @property
    def name(self) -> str:
        return "Chamfer, squared" if self.squared else "Chamfer, unsquared"

    @torch.no_grad()
    def block(self, xs: Tensor, ys: Tensor) -> Tensor:
        """(A, N, D) and (B, M, D) to (A, B) float64."""
        across = (len(xs), len(ys), ys.shape[1])
        rows = min(xs.shape[1], max(1, _TILE // math.prod(across)))
        memory = xs.new_empty(2, rows * math.prod(across))
        there: list[Tensor] = []
        back = xs.new_full(across, math.inf)
        for some in xs.split(rows, dim=1):
            apart = self._apart(some, ys, memory)
            there.append(apart.amin(dim=-1))
            torch.minimum(back, apart.amin(dim=-2), out=back)
        ways = [torch.cat(there, dim=-1).double(), back.double()]
        if not self.squared:
            ways = [way.sqrt() for way in ways]
        return ways[0].mean(dim=-1) + ways[1].mean(dim=-1)

    @staticmethod
    def _apart(xs: Tensor, ys: Tensor, memory: Tensor) -> Tensor:
        """‖x_i − y_j‖² of (A, N, D) and (B, M, D), (A, B, N, M), in the first half of `memory`."""
        shape = (len(xs), len(ys), xs.shape[1], ys.shape[1])
        total, apart = (half[: math.prod(shape)].view(shape) for half in memory)
        coordinates = zip(
            xs.mT.contiguous()[:, None, :, :, None].unbind(2),
            ys.mT.contiguous()[None, :, :, None, :].unbind(2),
            strict=True,
        )
        for number, (x, y) in enumerate(coordinates):
            if number:
                torch.sub(x, y, out=apart)
                total.addcmul_(apart, apart)
            else:
                torch.sub(x, y, out=total)
                total.mul_(total)
        return total


def chamfer(x: Tensor, y: Tensor, squared: bool = True) -> Tensor:
    """The Chamfer distance of each pair of clouds, (B, N, D) and (B, M, D) to (B,) float64."""
    distance = Chamfer(squared)
    return torch.stack([distance.block(a[None], b[None])[0, 0] for a, b in zip(x, y, strict=True)])
