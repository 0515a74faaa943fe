"""The projective group of the plane (homographies)."""

from __future__ import annotations

import torch
from torch import Tensor

from diffstn.spatial.affine import as_matrix
from diffstn.spatial.transformation import Transformation

HORIZON = 1e-3


def _away_from_zero(w: Tensor) -> Tensor:
    """w where |w| ≥ HORIZON, else ±HORIZON with w's sign: a divisor that is never too small."""
    least = torch.where(w < 0, -HORIZON, HORIZON).to(w.dtype)
    return torch.where(w.abs() < HORIZON, least, w)


class Projective(Transformation):
    """(x, y) ↦ (X/W, Y/W) with (X, Y, W) = H (x, y, 1); eight parameters, H row by row, h₃₃ = 1.

    W = h₃₁ x + h₃₂ y + 1 vanishes on the horizon, whose points go to infinity. Divisors smaller
    than 10⁻³ are replaced by ±10⁻³, so that any θ, however wild, gives finite points and finite
    gradients; away from the horizon nothing changes and `inverse` and `compose` are exact.

    Hartley & Zisserman, Multiple View Geometry in Computer Vision (2004), section 2.3.
    """

    dim = 8

    def identity(self) -> Tensor:
        return torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])

    def from_affine(self, theta: Tensor) -> Tensor:
        """The same map as a homography: (B, 6) or (B, 2, 3) to (B, 8), with h₃₁ = h₃₂ = 0."""
        flat = as_matrix(theta).flatten(-2)
        return torch.cat((flat, torch.zeros_like(flat[..., :2])), dim=-1)

    @staticmethod
    def homography(theta: Tensor) -> Tensor:
        """H (B, 3, 3) of θ (B, 8)."""
        return torch.cat((theta, torch.ones_like(theta[..., :1])), dim=-1).unflatten(-1, (3, 3))

    @staticmethod
    def _normalised(h: Tensor) -> Tensor:
        """θ (B, 8) of a homography (B, 3, 3) of any scale: H / h₃₃ without its last entry."""
        return h.flatten(-2)[..., :8] / _away_from_zero(h[..., 2, 2])[..., None]

    def points(self, theta: Tensor, xy: Tensor) -> Tensor:
        columns = self.homography(theta).unsqueeze(-3)
        xyw = columns[..., 0] * xy[..., :1] + columns[..., 1] * xy[..., 1:] + columns[..., 2]
        return xyw[..., :2] / _away_from_zero(xyw[..., 2:])

    def inverse(self, theta: Tensor) -> Tensor:
        """The adjugate of H, which is H⁻¹ up to the scale that homographies do not have."""
        r1, r2, r3 = self.homography(theta).unbind(-2)
        columns = (r2.cross(r3, dim=-1), r3.cross(r1, dim=-1), r1.cross(r2, dim=-1))
        return self._normalised(torch.stack(columns, dim=-1))

    def compose(self, a: Tensor, b: Tensor) -> Tensor:
        # H_a H_b entry by entry: neither autocast nor TF32 rounds a sum of products.
        h_a, h_b = self.homography(a), self.homography(b)
        return self._normalised((h_a[..., :, :, None] * h_b[..., None, :, :]).sum(dim=-2))
