"""Affine poses as an angle and standardised numbers."""

import torch
from torch import Tensor

from diffstn.codecs.standardised_pose import StandardisedPose
from diffstn.spatial import affine_matrix, as_matrix, decompose


class AngleAndRest(StandardisedPose):
    """A = [R(φ) S K | t] ↔ (φ, k_x, k_y, s, t_x, t_y), all but φ standardised; see `affine_matrix`.

    φ is in radians, as it is: a circle has no mean of its own.
    """

    def __init__(self) -> None:
        super().__init__(6)

    @torch.no_grad()
    def fit(self, poses: Tensor) -> None:
        super().fit(parts(poses))
        self.mean[0], self.std[0] = 0, 1

    def encode(self, A: Tensor) -> Tensor:
        return super().encode(parts(A))

    def decode(self, x: Tensor) -> Tensor:
        phi, k_x, k_y, s, t_x, t_y = super().decode(x).unbind(-1)
        return affine_matrix(phi, k_x, k_y, t_x, t_y, s).flatten(-2)


def parts(A: Tensor) -> Tensor:
    """(φ, k_x, k_y, s, t_x, t_y) of affine poses (*, 6)."""
    found = decompose(as_matrix(A))
    return torch.cat([torch.stack(found[:4], dim=-1), found.translation], dim=-1)
