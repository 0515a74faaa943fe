"""The Chamfer distance."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_TILE = 1 << 19


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
    a tile at a time in memory that stays: small enough for a core's cache, and a fresh piece of
    memory for each pair of clouds would cost as much as the arithmetic. There is no gradient.

    Source: Fan et al., A Point Set Generation Network, 2017, eq. 1 (there with sums).
    """

    def __init__(self, squared: bool = True) -> None:
        self.squared = squared
        self._memory = torch.empty(2, 0)

    @property
    def name(self) -> str:
        return "Chamfer, squared" if self.squared else "Chamfer, unsquared"

    @torch.no_grad()
    def block(self, xs: Tensor, ys: Tensor) -> Tensor:
        """(A, N, D) and (B, M, D) to (A, B) float64."""
        there: list[Tensor] = []
        back: Tensor | None = None
        across = len(xs) * len(ys) * ys.shape[1]
        for rows in xs.split(max(1, _TILE // across), dim=1):
            apart = self._apart(rows, ys)
            there.append(apart.amin(dim=-1))
            nearest = apart.amin(dim=-2)
            back = nearest if back is None else torch.minimum(back, nearest)
        assert back is not None
        ways = [torch.cat(there, dim=-1).double(), back.double()]
        if not self.squared:
            ways = [way.sqrt() for way in ways]
        return ways[0].mean(dim=-1) + ways[1].mean(dim=-1)

    def _apart(self, xs: Tensor, ys: Tensor) -> Tensor:
        """‖x_i − y_j‖² of (A, N, D) and (B, M, D): (A, B, N, M), until the next call."""
        shape = (len(xs), len(ys), xs.shape[1], ys.shape[1])
        size = math.prod(shape)
        memory = self._memory
        if memory.shape[1] < size or (memory.device, memory.dtype) != (xs.device, xs.dtype):
            self._memory = torch.empty(2, size, device=xs.device, dtype=xs.dtype)
        total, apart = (row[:size].view(shape) for row in self._memory)
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
