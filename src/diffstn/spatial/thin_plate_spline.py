"""Thin-plate splines: the smoothest warp through a lattice of control points."""

from __future__ import annotations

import torch
from torch import Tensor

from diffstn.spatial.affine import Affine
from diffstn.spatial.transformation import Transformation

PREIMAGE_STEPS = 10


class ThinPlateSpline(Transformation):
    """p ↦ p + f(p), where f bends least among all fields that move control point c_k by θ_k.

    The n × n control points c_k lie evenly on [-1, 1]², row by row from (-1, -1), and θ
    (B, 2n²) lists their displacements (dx, dy) in normalised units. With U(r) = r² log r²,

        f(p) = Σ_k w_k U(‖p − c_k‖) + a₀ + a₁ x + a₂ y,   minimal ∫ ‖∇²f‖²,

    where w and a solve [[K + λI, P], [Pᵀ, 0]] (w, a) = (θ, 0) with K_kl = U(‖c_k − c_l‖) and
    P = (1, c). The system depends on the lattice alone, so it is inverted once, in float64, and f
    is linear in θ. A regularisation λ > 0 trades exactness at the control points, also
    that of `inverse` and `compose`, for smoothness; λ = 0 interpolates. Computed in the dtype of
    the points, whatever autocast says.

    Bookstein, Principal Warps: Thin-Plate Splines and the Decomposition of Deformations, 1989.
    """

    def __init__(self, points_per_side: int = 4, regularisation: float = 0.0) -> None:
        if points_per_side < 2:
            raise ValueError(f"points_per_side must be at least 2, not {points_per_side}")
        if regularisation < 0:
            raise ValueError(f"regularisation must be 0 or more, not {regularisation}")
        self.points_per_side, self.regularisation = points_per_side, regularisation
        self.dim = 2 * points_per_side**2
        side = torch.linspace(-1, 1, points_per_side, dtype=torch.float64)
        self.control_points = torch.cartesian_prod(side, side).flip(-1)
        count = len(self.control_points)
        features = self._features(self.control_points, self.control_points)
        system = torch.zeros(count + 3, count + 3, dtype=torch.float64)
        system[:count] = features
        system[:count, :count] += regularisation * torch.eye(count, dtype=torch.float64)
        system[count:, :count] = features[:, count:].T
        self._solve = torch.linalg.inv(system)[:, :count]

    @property
    def settings(self) -> dict[str, float]:
        return {"points_per_side": self.points_per_side, "regularisation": self.regularisation}

    @staticmethod
    def _features(xy: Tensor, centres: Tensor) -> Tensor:
        """(U(‖p − c_1‖), …, U(‖p − c_K‖), 1, x, y) of points (..., N, 2): (..., N, K + 3)."""
        dx, dy = (xy[..., i, None] - centres[:, i] for i in (0, 1))
        squared = (dx * dx).addcmul(dy, dy)
        squared = squared.clamp_min(torch.finfo(xy.dtype).tiny)  # U and its gradient are 0 at 0
        return torch.cat((squared.log() * squared, torch.ones_like(xy[..., :1]), xy), dim=-1)

    def identity(self) -> Tensor:
        return torch.zeros(self.dim)

    def points(self, theta: Tensor, xy: Tensor) -> Tensor:
        with torch.autocast(xy.device.type, enabled=False):
            weights = self._solve.to(xy) @ theta.unflatten(-1, (-1, 2)).to(xy)
            return xy + self._features(xy, self.control_points.to(xy)) @ weights

    def preimages(self, theta: Tensor, xy: Tensor) -> Tensor:
        """Solve T_θ(q) = p for q by the fixed-point iteration q ← p − f(q), from q = p.

        Each step shrinks the error by the largest stretch ‖∇f‖, so ten steps suffice while f
        stretches by less than a half or so; where f folds the plane there is no solution to find.
        """
        preimages = xy
        for _ in range(PREIMAGE_STEPS):
            preimages = preimages + (xy - self.points(theta, preimages))
        return preimages

    def inverse(self, theta: Tensor) -> Tensor:
        """The spline that sends every moved control point back, T_θ'(T_θ(c_k)) = c_k.

        Splines are no group: between the control points T_θ' ∘ T_θ is the identity only up to the
        second order of the displacements; `preimages` has no such error. Fails where θ folds two
        control points onto each other.
        """
        control_points = self._control_points_for(theta)
        moved = self.points(theta, control_points[None])
        with torch.autocast(theta.device.type, enabled=False):
            basis = self._features(moved, control_points) @ self._solve.to(moved)
            return torch.linalg.solve(basis, control_points - moved).flatten(-2)

    def compose(self, a: Tensor, b: Tensor) -> Tensor:
        """The spline with T_θ(c_k) = T_a(T_b(c_k)) at every control point, nearly so elsewhere."""
        control_points = self._control_points_for(b)
        moved = self.points(a, self.points(b, control_points[None]))
        return (moved - control_points).flatten(-2)

    def from_affine(self, theta: Tensor) -> Tensor:
        """Exact: a spline through the affine images of its control points bends nowhere."""
        control_points = self._control_points_for(theta)
        moved = Affine().points(theta, control_points[None])
        return (moved - control_points).flatten(-2)

    def _control_points_for(self, theta: Tensor) -> Tensor:
        """The control points (n², 2) on θ's device, in θ's dtype but no less than float32."""
        return self.control_points.to(theta.device, torch.promote_types(theta.dtype, torch.float32))
