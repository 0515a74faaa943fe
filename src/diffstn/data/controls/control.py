"""What a diffusion model is led by: something that is seen of an image."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from diffstn.data.facts import Facts
from diffstn.spatial import Frame


class Control(ABC):
    """Images → control images of the size that is to be sampled, in [0, 1].

    Attributes:
        needs: the kinds of data whose images it is made of, see `diffstn.data.kinds`.
        variants: of how many it makes one, such as the half that is hidden.
        frame: through which it looks at the images; None: as they are.
    """

    needs: ClassVar[tuple[str, ...]] = ("upright",)
    variants: int = 1
    frame: Frame | None = None

    def channels(self, facts: Facts) -> int:
        """K of the controls of such images.

        Raises:
            UserError: it cannot be made of them.
        """
        assert facts.channels is not None
        return facts.channels

    @abstractmethod
    def __call__(
        self, images: Tensor, size: tuple[int, int], variant: Tensor | None = None
    ) -> Tensor:
        """Images (B, C, H, W) in [0, 1] → controls (B, K, *size).

        Args:
            variant: which of the variants of each image, (B,) from 0; None: the first.
        """

    def fidelity(self, made: Tensor, control: Tensor) -> dict[str, Tensor]:
        """How well images (B, C, h, w) keep to controls (B, K, h, w): numbers (B,) by name.

        Empty where only the task can tell.
        """
        return {}

    def shown(self, control: Tensor) -> Tensor:
        """Controls as images to look at, (B, 1 or 3, h, w) in [0, 1]."""
        return control


MOST_DB = 60.0
"""Of a PSNR: eight bits tell no more."""


def psnr(one: Tensor, other: Tensor, weight: Tensor | None = None) -> Tensor:
    """PSNR in dB of images (B, C, h, w) in [0, 1], each by itself, (B,), at most 60.

    Args:
        weight: of the pixels, (B, 1, h, w); None: all count alike.
    """
    error = (one.float() - other.float()).square()
    if weight is None:
        mean = error.flatten(1).mean(1)
    else:
        weight = weight.float().expand_as(error)
        mean = (weight * error).flatten(1).sum(1) / weight.flatten(1).sum(1)
    return -10 * mean.clamp_min(10 ** (-MOST_DB / 10)).log10()
