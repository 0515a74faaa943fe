"""An image with fewer pixels."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from diffstn.annotations import Count
from diffstn.data.controls.control import Control, psnr
from diffstn.data.facts import Facts
from diffstn.errors import UserError


@dataclass(frozen=True)
class LowResolution(Control):
    """The means of squares of pixels, each as large as its square was; (B, C, h, w).

    Args:
        factor: the squares' sides; the image's sides are divisible by it.
    """

    factor: Count = 4

    def channels(self, facts: Facts) -> int:
        if self.factor < 2 or (facts.size and any(side % self.factor for side in facts.size)):
            sides = " x ".join(map(str, facts.size or ()))
            raise UserError(
                f"control.factor={self.factor}: it must be above 1 and divide the sides, {sides}"
            )
        return super().channels(facts)

    def __call__(
        self, images: Tensor, size: tuple[int, int], variant: Tensor | None = None
    ) -> Tensor:
        return F.interpolate(F.avg_pool2d(images.float(), self.factor), scale_factor=self.factor)

    def fidelity(self, made: Tensor, control: Tensor) -> dict[str, Tensor]:
        """PSNR at the low resolution."""
        return {"low resolution PSNR dB": psnr(self(made, made.shape[2:]), control)}  # type: ignore[arg-type]
