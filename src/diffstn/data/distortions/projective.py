"""Random perspective on top of an affine distortion."""

import torch
from torch import Tensor

from diffstn.data.distortions.affine import AffineDistortion
from diffstn.data.distortions.distortion import Distortion, uniform
from diffstn.errors import UserError
from diffstn.spatial import Projective


class ProjectiveDistortion(Distortion):
    """A = H_affine P with P = [[1, 0, 0], [0, 1, 0], [h₃₁, h₃₂, 1]]: perspective, then affine.

    Args:
        affine: the affine part; the canvas is its.
        perspective: h₃₁ and h₃₂ are uniform in ±perspective. Below 0.5 the horizon stays off the
            image.

    Raises:
        UserError: `perspective` is not in [0, 0.5).
    """

    transformation: Projective

    def __init__(self, affine: AffineDistortion, perspective: float = 0.2) -> None:
        if not 0 <= perspective < 0.5:
            raise UserError(f"perspective is {perspective}: it must be in [0, 0.5)")
        self.transformation = Projective()
        self.affine, self.perspective = affine, perspective
        self.canvas = affine.canvas

    def draw(
        self,
        n: int,
        image_size: tuple[int, int],
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> Tensor:
        affine = Projective().from_affine(self.affine.draw(n, image_size, generator, device))
        perspective = self.transformation.identity().to(device).repeat(n, 1)
        perspective[:, 6:] = self.perspective * uniform(n, 2, generator, device).T
        return self.transformation.compose(affine, perspective)
