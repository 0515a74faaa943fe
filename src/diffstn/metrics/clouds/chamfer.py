"""The Chamfer distance."""

from __future__ import annotations

import torch
from torch import Tensor


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

    Source: Fan et al., A Point Set Generation Network, 2017, eq. 1 (there with sums).
    """

    def __init__(self, squared: bool = True) -> None:
        self.squared = squared

    @property
    def name(self) -> str:
        return "Chamfer, squared" if self.squared else "Chamfer, unsquared"

    def block(self, xs: Tensor, ys: Tensor) -> Tensor:
        """(A, N, D) and (B, M, D) to (A, B) float64."""
        apart = squared_distances(xs[:, None], ys[None])
        there, back = (apart.amin(dim=dim).clamp_min(0) for dim in (-1, -2))
        if not self.squared:
            there, back = there.sqrt(), back.sqrt()
        return there.mean(dim=-1) + back.mean(dim=-1)


def chamfer(x: Tensor, y: Tensor, squared: bool = True) -> Tensor:
    """The Chamfer distance of each pair of clouds, (B, N, D) and (B, M, D) to (B,) float64."""
    distance = Chamfer(squared)
    return torch.stack([distance.block(a[None], b[None])[0, 0] for a, b in zip(x, y, strict=True)])
