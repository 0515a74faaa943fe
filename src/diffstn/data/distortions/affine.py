"""Random rotation, scale, shear and translation."""

import math

import torch
from torch import Tensor

from diffstn.data.distortions.distortion import Distortion, canvas_size, uniform
from diffstn.errors import UserError
from diffstn.spatial import Affine, Transformation, affine_matrix

ANYWHERE = "anywhere"


class AffineDistortion(Distortion):
    """A = [R(φ) S K | t] with every factor uniform in its range; see `affine_matrix`.

    Rotation, scale and shear act on pixels: a canvas of another size does not change them, and
    oblong images rotate rigidly.

    Args:
        rotation: φ is in ±rotation, degrees.
        scale: (smallest, largest) factor of the content's size, for the width k_x and the height
            k_y independently.
        isotropic: k_y = k_x.
        shear: the factor s is in ±shear.
        translation: t_x and t_y are in ±translation, in normalised units of the canvas (1 is half
            its side). "anywhere" is as far as the disc inscribed in the image stays on the
            canvas; the 20 × 20 box that holds an MNIST digit fills just that disc. Content larger
            than the canvas is centred.
        canvas: the distorted image's side or (height, width) in pixels; None: as the image.

    Raises:
        UserError: a range is negative or not finite, scales are not 0 < smallest ≤ largest, or
            `canvas` is not positive.
    """

    def __init__(
        self,
        rotation: float = 45.0,
        scale: tuple[float, float] = (0.7, 1.2),
        isotropic: bool = False,
        shear: float = 0.0,
        translation: float | str = 0.25,
        canvas: int | tuple[int, int] | None = None,
    ) -> None:
        if not (0 <= rotation < math.inf and 0 <= shear < math.inf):
            raise UserError(f"rotation {rotation} and shear {shear} are ranges: give them as ≥ 0")
        if not 0 < scale[0] <= scale[1] < math.inf:
            raise UserError(f"scale is (smallest, largest), both positive, not {tuple(scale)}")
        if translation != ANYWHERE and (
            isinstance(translation, str) or not 0 <= translation < math.inf
        ):
            raise UserError(f"translation is a number ≥ 0 or {ANYWHERE!r}, not {translation!r}")
        self.transformation = Affine()
        self.canvas = canvas_size(canvas)
        self.rotation, self.shear, self.isotropic = rotation, shear, isotropic
        self.scale, self.translation = (scale[0], scale[1]), translation

    @property
    def any_rotation(self) -> bool:
        return self.rotation == 180

    def draw(
        self,
        n: int,
        image_size: tuple[int, int],
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> Tensor:
        return self.poses(uniform(n, 6, generator, device), image_size)

    def poses(self, u: Tensor, image_size: tuple[int, int]) -> Tensor:
        """A (n, 6) of numbers u (6, n) in ±1: angle, scale x and y, shear, translation x and y."""
        angle, x, y, shear, t_x, t_y = u
        smallest, largest = self.scale
        middle, reach = (largest + smallest) / 2, (largest - smallest) / 2
        A = affine_matrix(
            angle * math.radians(self.rotation),
            middle + reach * x,
            middle + reach * (x if self.isotropic else y),
            t_x,
            t_y,
            shear * self.shear,
        )
        A[..., :2] *= self._pixels_to_canvas(image_size, A)
        A[..., 2] *= self._reach(A)
        return A.flatten(1)

    def undone(self, theta: Tensor) -> tuple[Tensor, Transformation]:
        return self.transformation.inverse(theta), self.transformation

    def _pixels_to_canvas(self, image_size: tuple[int, int], like: Tensor) -> Tensor:
        """D_canvas⁻¹ M D_image, D = diag(w, h) / 2, as the factors of the entries of M (2, 2)."""
        canvas = self.canvas or image_size
        return like.new_tensor(
            [[pixels / side for pixels in image_size[::-1]] for side in canvas[::-1]]
        )

    def _reach(self, A: Tensor) -> Tensor | float:
        """The largest |t_x| and |t_y|: a number, or (n, 2) where the pose decides.

        The unit disc's image under M extends by the norms of M's rows from its centre.
        """
        if isinstance(self.translation, str):
            return (1 - A[..., :2].norm(dim=-1)).clamp_min(0)
        return self.translation
