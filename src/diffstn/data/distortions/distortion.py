"""What every random distortion can do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from diffstn.errors import UserError
from diffstn.spatial import Inverse, Transformation, warp


class Distortion(ABC):
    """A distribution over transformations A of an image's content.

    A maps points of the upright image to where they lie in the distorted one, so an image is
    distorted by warping with A⁻¹ and corrected by warping with A. The distorted image lies on
    `canvas`, (height, width) in pixels, or on one of the image's size where that is None; both
    sides have normalised coordinates of their own, so A carries the ratio of the two sizes.
    """

    transformation: Transformation
    canvas: tuple[int, int] | None = None
    rotations: int | None = None
    """n, if R(360° / n) ∘ A is distributed like A, and R(φ) ∘ A for other φ is not."""

    @property
    def any_rotation(self) -> bool:
        """Whether R(φ) ∘ A is distributed like A for every φ, but for what a translation does."""
        return False

    @abstractmethod
    def draw(
        self,
        n: int,
        image_size: tuple[int, int],
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> Tensor:
        """n independent A for images of `image_size` (h, w): (n, dim) float32 on `device`.

        The numbers come from `generator`, on the device where that lives, so a CPU generator gives
        every device the same A; without one they come from `device`'s global generator.
        """

    def distort(
        self, images: Tensor, theta: Tensor, kernel: str = "bilinear", padding: str = "zeros"
    ) -> Tensor:
        """Apply A = theta (B, dim) to images (B, C, h, w) in [0, 1]: (B, C, H, W) on the canvas."""
        undone, family = self.undone(theta)
        warped = warp(images, undone, family, self.canvas, kernel, padding)
        return warped.clamp(0, 1) if kernel == "bicubic" else warped

    def undone(self, theta: Tensor) -> tuple[Tensor, Transformation]:
        """A⁻¹ of A = theta (B, dim): numbers, and the family that reads them."""
        return theta, Inverse(self.transformation)

    def distort_by(
        self,
        images: Tensor,
        theta: Tensor,
        kernels: Sequence[str],
        which: Tensor,
        padding: str = "zeros",
    ) -> Tensor:
        """The same, each image with its own of the kernels, which (B,)."""
        pieces, order = [], []
        for place, kernel in enumerate(kernels):
            if not len(rows := (which == place).nonzero()[:, 0]):
                continue
            pieces.append(self.distort(images[rows], theta[rows], kernel, padding))
            order.append(rows)
        return torch.cat(pieces)[torch.cat(order).argsort()]


def uniform(
    n: int, numbers: int, generator: torch.Generator | None, device: torch.device | str
) -> Tensor:
    """(numbers, n) independent draws from U(-1, 1), with the generator rules of `draw`."""
    drawn_on = device if generator is None else generator.device
    return torch.rand(numbers, n, generator=generator, device=drawn_on).to(device).mul_(2).sub_(1)


def canvas_size(canvas: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """(height, width) of a canvas given as one side, as two, or not at all.

    Raises:
        UserError: a side is not positive.
    """
    if canvas is None:
        return None
    height, width = (canvas, canvas) if isinstance(canvas, int) else canvas
    if height < 1 or width < 1:
        raise UserError(f"canvas is {canvas}: give one side or (height, width) in pixels, or null")
    return height, width
