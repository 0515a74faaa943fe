"""The distorted image, from which the upright one is to be redrawn."""

from dataclasses import dataclass
from typing import Annotated

from torch import Tensor

from diffstn.annotations import OneOf
from diffstn.data.controls.control import Control
from diffstn.spatial import FRAMES, Affine, Frame, named_frame, warp


@dataclass(frozen=True)
class Distorted(Control):
    """A distorted image (B, C, H, W) at the upright one's size, as it is or through a frame.

    Args:
        through: name of the map through which it is seen, see `FRAMES`: `none`, the whole canvas,
            or `moments`, the content centred and of standard size.

    Raises:
        ValueError: there is no such frame.
    """

    through: Annotated[str, OneOf(tuple(FRAMES))] = "moments"

    needs = ("distorted",)

    def __post_init__(self) -> None:
        named_frame(self.through)

    @property
    def frame(self) -> Frame | None:  # type: ignore[override]
        return named_frame(self.through)

    def __call__(
        self, images: Tensor, size: tuple[int, int], variant: Tensor | None = None
    ) -> Tensor:
        return self.turned(images, size, Affine().identity().expand(len(images), -1))

    def turned(self, images: Tensor, size: tuple[int, int], A: Tensor) -> Tensor:
        """The control after A (B, 6) within the frame, in one warp."""
        A = A.to(images.device)
        return warp(
            images, A if self.frame is None else Affine().compose(self.frame(images), A), size=size
        )
