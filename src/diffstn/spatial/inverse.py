"""Any transformation, the other way round."""

from __future__ import annotations

from torch import Tensor

from diffstn.spatial.affine import as_matrix, invert
from diffstn.spatial.transformation import Transformation


class Inverse(Transformation):
    """p ↦ T_θ⁻¹(p), point by point, with the parameters of T.

    `warp(upright, A, Inverse(T))` distorts an image so that `warp(distorted, A, T)` corrects it,
    also where T_θ⁻¹ is not in T's family and `T.inverse` only comes near it.
    """

    def __init__(self, transformation: Transformation) -> None:
        self.transformation = transformation
        self.dim = transformation.dim

    def identity(self) -> Tensor:
        return self.transformation.identity()

    def points(self, theta: Tensor, xy: Tensor) -> Tensor:
        return self.transformation.preimages(theta, xy)

    def preimages(self, theta: Tensor, xy: Tensor) -> Tensor:
        return self.transformation.points(theta, xy)

    def inverse(self, theta: Tensor) -> Tensor:
        return self.transformation.inverse(theta)

    def compose(self, a: Tensor, b: Tensor) -> Tensor:
        return self.transformation.compose(b, a)

    def from_affine(self, theta: Tensor) -> Tensor:
        return self.transformation.from_affine(invert(as_matrix(theta)).flatten(-2))
