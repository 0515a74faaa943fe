"""Rotations by a few angles alone."""

import torch
from torch import Tensor

from diffstn.data.distortions.affine import AffineDistortion
from diffstn.data.distortions.distortion import Distortion
from diffstn.errors import UserError


class DiscreteRotation(Distortion):
    """A = R(360° k / n), k uniform in 0, …, n − 1: the cyclic group C_n.

    The content is turned about the middle of the canvas, rigidly in pixels, and nothing else.
    R(φ) ∘ A is distributed like A for these φ only, which `rotations` says; `any_rotation` does not
    hold: an encoder that has seen n angles knows nothing of those between.

    Args:
        rotations: n; 4 are quarter turns, 8 multiples of 45 degrees.
        canvas: as for `AffineDistortion`.

    Raises:
        UserError: there are fewer than two rotations, or `canvas` is not positive.
    """

    def __init__(self, rotations: int = 8, canvas: int | tuple[int, int] | None = None) -> None:
        if rotations < 2:
            raise UserError(f"rotations is {rotations}: give 2 or more, or use distortion=none")
        self.affine = AffineDistortion(180, (1.0, 1.0), True, translation=0.0, canvas=canvas)
        self.transformation, self.canvas = self.affine.transformation, self.affine.canvas
        self.rotations: int = rotations

    def draw(
        self,
        n: int,
        image_size: tuple[int, int],
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> Tensor:
        drawn_on = device if generator is None else generator.device
        k = torch.randint(self.rotations, (n,), generator=generator, device=drawn_on).to(device)
        u = torch.zeros(6, n, device=device)
        u[0] = 2 * (k - self.rotations // 2) / self.rotations
        return self.affine.poses(u, image_size)
