"""A growing warp, as a cold process."""

import torch
from torch import Tensor

from diffstn.data.distortions.affine import AffineDistortion
from diffstn.spatial import as_matrix, geodesic, invert, warp


class Turn:
    r"""$x_t = \mathrm{warp}(x_0, \exp(-\tfrac tT \log A))$: images carried along by a random map.

    Each image has a map A of its own, the process's noise, drawn like that of a distortion; at T
    the image is fully distorted. However far it has come, the image was interpolated once, for D
    warps x_0 and never a warped image. Outside, an image is -1, which is black.

    The walk back has to know A, as that of a blur knows its strength; where nobody knows it, see
    `ColdSTN`. There is no prior: distorted images are images.

    Args:
        size: (H, W) of the images.
        steps: T.
        rotation, scale, isotropic, shear, translation: ranges of A, see `AffineDistortion`.

    Raises:
        UserError: a range is out of order.
    """

    def __init__(
        self,
        size: tuple[int, int],
        steps: int = 20,
        rotation: float = 45.0,
        scale: tuple[float, float] = (0.7, 1.2),
        isotropic: bool = False,
        shear: float = 0.0,
        translation: float | str = 0.25,
    ) -> None:
        if steps < 1:
            raise ValueError(f"steps must be at least 1, not {steps}")
        self.size, self.steps = size, steps
        self.distortion = AffineDistortion(rotation, scale, isotropic, shear, translation)

    def noise(self, z: Tensor) -> Tensor:
        """A (B, 6) of z ~ N(0, I) (B, C, H, W), whose first six numbers decide."""
        u = torch.special.ndtr(z.flatten(1)[:, :6].float()).mT * 2 - 1
        return self.distortion.poses(u, self.size)

    def corrupt(self, x_0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """x_t of x_0 (B, C, H, W) in [−1, 1] and A = noise (B, 6) at t (B,)."""
        return warp(x_0 + 1, invert(as_matrix(geodesic(noise, t / self.steps)))) - 1
