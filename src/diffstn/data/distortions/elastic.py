"""Random smooth bending."""

import math

import torch
from torch import Tensor

from diffstn.data.distortions.distortion import Distortion
from diffstn.errors import UserError
from diffstn.spatial import ThinPlateSpline


class ElasticDistortion(Distortion):
    """A is a thin-plate spline whose control points each move by N(0, (displacement px)²).

    Distorting looks up A⁻¹ point by point, so the true A corrects exactly, up to resampling; that
    makes it some hundred times as costly as an affine distortion, which a GPU does not mind.

    Args:
        displacement: standard deviation of the control points' displacement along x and along y,
            in pixels of the image.
        points_per_side: the control points form a lattice of points_per_side² over the image.

    Raises:
        UserError: `displacement` is negative or not finite, or there are fewer than 2 points per
            side.
    """

    transformation: ThinPlateSpline

    def __init__(self, displacement: float = 1.5, points_per_side: int = 4) -> None:
        if not 0 <= displacement < math.inf:
            raise UserError(f"displacement is {displacement}: it must be at least 0 pixels")
        self.transformation = ThinPlateSpline(points_per_side)
        self.displacement = displacement

    def draw(
        self,
        n: int,
        image_size: tuple[int, int],
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> Tensor:
        height, width = image_size
        drawn_on = device if generator is None else generator.device
        steps = torch.randn(
            n, self.transformation.dim // 2, 2, generator=generator, device=drawn_on
        ).to(device)
        pixel = steps.new_tensor([2 / width, 2 / height])
        return (steps * (self.displacement * pixel)).flatten(1)
