"""The affine group of the plane.

A map p ↦ M p + t is stored as the matrix θ = [M | t] of shape (..., 2, 3), the layout of
`torch.nn.functional.affine_grid`, or as its six entries row by row. Everything here is written
entry by entry, without matrix products, so that neither autocast nor TF32 ever rounds a pose, and
keeps the dtype it is given.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from diffstn.spatial.lattice import pixel_centres
from diffstn.spatial.transformation import Transformation


class AffineParts(NamedTuple):
    """The factors of an affine map, angles in radians; see `decompose`."""

    rotation: Tensor
    scale_x: Tensor
    scale_y: Tensor
    shear: Tensor
    translation: Tensor


def as_matrix(theta: Tensor) -> Tensor:
    """θ as (..., 2, 3), from (..., 2, 3) or from the flat (..., 6)."""
    if theta.shape[-1:] == (6,):
        return theta.unflatten(-1, (2, 3))
    if theta.shape[-2:] == (2, 3):
        return theta
    raise ValueError(f"an affine θ is (..., 6) or (..., 2, 3), not {tuple(theta.shape)}")


def affine_matrix(
    rotation: Tensor,
    scale_x: Tensor | float = 1.0,
    scale_y: Tensor | float = 1.0,
    translation_x: Tensor | float = 0.0,
    translation_y: Tensor | float = 0.0,
    shear: Tensor | float = 0.0,
) -> Tensor:
    """Build θ = [R(φ) S K | t] of shape (..., 2, 3), with

        R(φ) = [[cos φ, −sin φ], [sin φ, cos φ]],  S = [[1, s], [0, 1]],  K = diag(k_x, k_y).

    Without shear this is [[k_x cos φ, −k_y sin φ, t_x], [k_x sin φ, k_y cos φ, t_y]]. The angle is
    in radians; as y points down, content transformed with φ > 0 turns clockwise. Arguments
    broadcast against each other; `rotation` sets the dtype and the device.
    """
    phi, k_x, k_y, t_x, t_y, s = torch.broadcast_tensors(
        rotation,
        *(
            torch.as_tensor(value, dtype=rotation.dtype, device=rotation.device)
            for value in (scale_x, scale_y, translation_x, translation_y, shear)
        ),
    )
    cos, sin = phi.cos(), phi.sin()
    entries = (k_x * cos, k_y * (s * cos - sin), t_x, k_x * sin, k_y * (s * sin + cos), t_y)
    return torch.stack(entries, dim=-1).unflatten(-1, (2, 3))


def compose(a: Tensor, b: Tensor) -> Tensor:
    """a after b, [M_a M_b | M_a t_b + t_a]: matrices (..., 2, 3), broadcast."""
    product = a[..., :, :1] * b[..., :1, :] + a[..., :, 1:2] * b[..., 1:, :]
    return torch.cat((product[..., :2], product[..., 2:] + a[..., 2:]), dim=-1)


def invert(theta: Tensor) -> Tensor:
    """[M⁻¹ | −M⁻¹ t] of matrices (..., 2, 3); entries are not finite where M is singular."""
    (a, b, t_x), (c, d, t_y) = (row.unbind(-1) for row in theta.unbind(-2))
    adjugate = torch.stack((d, -b, b * t_y - d * t_x, -c, a, c * t_x - a * t_y), dim=-1)
    return (adjugate / (a * d - b * c)[..., None]).unflatten(-1, (2, 3))


def decompose(theta: Tensor) -> AffineParts:
    """The inverse of `affine_matrix`: (..., 2, 3) to φ in (−π, π], k_x > 0, k_y, s and t (..., 2).

    M = R(φ) [[k_x, s k_y], [0, k_y]] is the QR decomposition of M with k_x > 0, hence unique when M
    is regular. A map that mirrors has k_y < 0.
    """
    (a, b, _), (c, d, _) = (row.unbind(-1) for row in theta.unbind(-2))
    scale_x = torch.hypot(a, c)
    scale_y = (a * d - b * c) / scale_x
    shear = (a * b + c * d) / (scale_x * scale_y)
    return AffineParts(torch.atan2(c, a), scale_x, scale_y, shear, theta[..., 2])


class Affine(Transformation):
    """p ↦ M p + t, six parameters: θ = (m₁₁, m₁₂, t_x, m₂₁, m₂₂, t_y).

    A group: `inverse` is exact. Every method also takes θ as (B, 2, 3); what comes back is flat.
    """

    dim = 6

    def identity(self) -> Tensor:
        return torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])

    def points(self, theta: Tensor, xy: Tensor) -> Tensor:
        matrix = as_matrix(theta)
        x, y = xy.mT.unsqueeze(-3).unbind(-2)  # each (B, 1, N): contiguous in what `lattice` gives
        moved = matrix[..., 2:].addcmul(matrix[..., :1], x).addcmul(matrix[..., 1:2], y)
        return moved.mT

    def grid(self, theta: Tensor, size: tuple[int, int]) -> Tensor:
        """An outer sum, M (x, y) + t = [M (x, 0) + t] + M (0, y): one addition per coordinate."""
        matrix = as_matrix(theta)
        y, x = (pixel_centres(side, theta.device, theta.dtype) for side in size)
        columns = matrix[..., 2:] + matrix[..., :1] * x
        rows = matrix[..., 1:2] * y
        return (columns[..., None, :] + rows[..., None]).movedim(-3, -1)

    def inverse(self, theta: Tensor) -> Tensor:
        return invert(as_matrix(theta)).flatten(-2)

    def from_affine(self, theta: Tensor) -> Tensor:
        return as_matrix(theta).flatten(-2)

    def compose(self, a: Tensor, b: Tensor) -> Tensor:
        return compose(as_matrix(a), as_matrix(b)).flatten(-2)
