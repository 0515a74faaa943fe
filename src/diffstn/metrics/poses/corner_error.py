"""How far a predicted transformation moves the corners from where they belong."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from diffstn.spatial import Affine, Transformation, corner_offsets


class CornerError(Metric):
    """Mean distance between the images of the corners of [-1, 1]² under θ̂ and under θ.

    Works for every family of transformations, for it looks at points, not at parameters.

    `compute` returns a dict of float64 scalars:

    - `corner`: the distance in normalised units (2 is the image's side);
    - `corner_px`: the distance in pixels of the distorted image.

    Sums are kept in float64, a dtype that autocast leaves alone.

    Args:
        size: (height, width) in pixels of the distorted image, into which θ maps.
        transformation: the family that θ̂ and θ are from.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False

    count: Tensor
    corner: Tensor
    corner_px: Tensor

    def __init__(
        self, size: tuple[int, int], transformation: Transformation | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.transformation = Affine() if transformation is None else transformation
        self.add_state("count", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")
        for name in ("corner", "corner_px"):
            self._add_sum(name)

    def _add_sum(self, name: str) -> None:
        self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def _half(self, size: tuple[int, int]) -> Tensor:
        """Pixels per normalised unit along x and along y."""
        return torch.tensor([size[1] / 2, size[0] / 2], dtype=torch.float64, device=self.device)

    def update(self, theta_hat: Tensor, theta: Tensor) -> None:
        """Add predictions and truths, (B, dim) both.

        Raises:
            ValueError: the two shapes differ or are not (B, dim).
        """
        if theta_hat.shape != theta.shape or theta.shape[1:] != (self.transformation.dim,):
            raise ValueError(
                f"θ̂ and θ must both be (B, {self.transformation.dim}),"
                f" not {tuple(theta_hat.shape)} and {tuple(theta.shape)}"
            )
        apart = corner_offsets(theta_hat.double(), theta.double(), self.transformation)
        self.count += len(theta)
        self.corner += apart.norm(dim=-1).mean(dim=-1).sum()
        self.corner_px += (apart * self._half(self.size)).norm(dim=-1).mean(dim=-1).sum()

    def compute(self) -> dict[str, Tensor]:
        return {"corner": self.corner / self.count, "corner_px": self.corner_px / self.count}
