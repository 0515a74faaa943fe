"""Where an image's brightness jumps."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from diffstn.data.controls.control import Control
from diffstn.data.facts import Facts
from diffstn.errors import UserError

SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


@dataclass(frozen=True)
class Edges(Control):
    r"""1 where Sobel's gradient of the channels' mean is steep, 0 elsewhere; (B, 1, h, w).

    With g the gradient, a quarter of Sobel's sums, so that a step of height 1 has |g| = 1 on both
    of its sides, edges are |g| > threshold. One convolution on the device, a batch at a time.

    Args:
        threshold: between 0 and √2, the steepest there is.

    Raises:
        UserError: it is not.

    Source of the filter: Sobel and Feldman, 1968, as in Duda and Hart, Pattern Classification and
    Scene Analysis, 1973, p. 271.
    """

    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 2**0.5:
            raise UserError(
                f"control.threshold={self.threshold}: a gradient lies between 0 and 1.41"
            )

    def channels(self, facts: Facts) -> int:
        return 1

    def __call__(
        self, images: Tensor, size: tuple[int, int], variant: Tensor | None = None
    ) -> Tensor:
        grey = F.pad(images.float().mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
        across = torch.tensor(SOBEL, device=grey.device)[None] / 4
        with torch.autocast(grey.device.type, enabled=False):
            g = F.conv2d(grey, torch.stack([across, across.mT]))
        return (g.square().sum(dim=1, keepdim=True) > self.threshold**2).float()

    def fidelity(self, made: Tensor, control: Tensor) -> dict[str, Tensor]:
        """F1 of the made images' edges against those that were asked for, in percent."""
        found = self(made, (made.shape[-2], made.shape[-1])).flatten(1)
        asked = control.float().flatten(1)
        hits, both = (found * asked).sum(1), found.sum(1) + asked.sum(1)
        return {"edges F1 %": 100 * torch.where(both > 0, 2 * hits / both.clamp_min(1), 1.0)}
