"""What every transformation of the plane can do."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from diffstn.spatial.lattice import lattice


class Transformation(ABC):
    """A family of maps T_θ from output points to input points, indexed by a flat vector θ.

    Points are (x, y) in normalised coordinates: [-1, 1] spans the image from edge to edge
    (`align_corners=False`), x to the right and y downwards. Parameters are (B, dim), one row per
    image. A transformation holds no state that depends on θ, so one instance serves every batch,
    device and dtype.
    """

    dim: int

    @property
    def settings(self) -> dict[str, float]:
        """The keywords that make the same transformation again."""
        return {}

    @abstractmethod
    def identity(self) -> Tensor:
        """The θ, (dim,) float32, that leaves every point where it is."""

    @abstractmethod
    def points(self, theta: Tensor, xy: Tensor) -> Tensor:
        """T_θ(xy): θ (B, dim) and points (B, N, 2), or (1, N, 2) shared by all, to (B, N, 2)."""

    @abstractmethod
    def inverse(self, theta: Tensor) -> Tensor:
        """θ' (B, dim) with T_θ'(T_θ(p)) = p; a family that is no group says where this holds."""

    @abstractmethod
    def compose(self, a: Tensor, b: Tensor) -> Tensor:
        """θ (B, dim) of T_a ∘ T_b, b first; a family that is no group says where this holds."""

    @abstractmethod
    def from_affine(self, theta: Tensor) -> Tensor:
        """The θ (B, dim) of an affine map, given as (B, 6); every family contains those."""

    def grid(self, theta: Tensor, size: tuple[int, int]) -> Tensor:
        """T_θ at the pixel centres of an image of `size` (h, w): θ (B, dim) to (B, h, w, 2).

        The same as `points` of the `lattice`; a family that can be quicker there overrides it.
        """
        return self.points(theta, lattice(*size, theta.device, theta.dtype)[None]).unflatten(
            1, size
        )

    def preimages(self, theta: Tensor, xy: Tensor) -> Tensor:
        """T_θ⁻¹(xy): the points q with T_θ(q) = xy, shapes as for `points`.

        For a group this is T_θ' with θ' = `inverse(θ)`; other families solve for every point.
        """
        return self.points(self.inverse(theta), xy)
