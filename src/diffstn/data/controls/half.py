"""Half of an image, the other half hidden."""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from diffstn.annotations import OneOf
from diffstn.data.controls.control import Control, psnr
from diffstn.data.facts import Facts
from diffstn.errors import UserError

SIDES = ("top", "bottom", "left", "right")


@dataclass(frozen=True)
class Half(Control):
    """The image, black where hidden, and a channel that is 1 where it is seen; (B, C + 1, h, w).

    Args:
        hidden: which half; `any`: one of the four, drawn for every image while training.

    Raises:
        UserError: there is no such half.
    """

    hidden: Annotated[str, OneOf((*SIDES, "any"))] = "any"

    def __post_init__(self) -> None:
        if self.hidden not in (*SIDES, "any"):
            raise UserError(f"control.hidden={self.hidden}: choose {', '.join(SIDES)} or any")

    @property
    def variants(self) -> int:  # type: ignore[override]
        return len(SIDES) if self.hidden == "any" else 1

    def channels(self, facts: Facts) -> int:
        return super().channels(facts) + 1

    def __call__(
        self, images: Tensor, size: tuple[int, int], variant: Tensor | None = None
    ) -> Tensor:
        height, width = images.shape[2:]
        seen = images.new_ones(len(SIDES), 1, height, width)
        seen[0, :, : height // 2] = 0
        seen[1, :, height // 2 :] = 0
        seen[2, :, :, : width // 2] = 0
        seen[3, :, :, width // 2 :] = 0
        which = torch.zeros(len(images), dtype=torch.long) if variant is None else variant
        if self.variants == 1:
            which = torch.full_like(which, SIDES.index(self.hidden))
        mask = seen[which.to(images.device)]
        return torch.cat([mask * images, mask], dim=1)

    def fidelity(self, made: Tensor, control: Tensor) -> dict[str, Tensor]:
        """PSNR of the half that was seen."""
        return {"seen half PSNR dB": psnr(made, control[:, :-1], control[:, -1:])}

    def shown(self, control: Tensor) -> Tensor:
        """Grey where it is hidden."""
        return control[:, :-1] + 0.5 * (1 - control[:, -1:])
