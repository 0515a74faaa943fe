"""A residual block that hears no condition."""

import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.modulated_group_norm import ModulatedGroupNorm


class PlainBlock(nn.Module):
    r"""$h \leftarrow P h + W_2 * \mathrm{SiLU}(\mathrm{GN}(W_1 * \mathrm{SiLU}(\mathrm{GN}(h))))$,
    with 3×3 convolutions and P a 1×1 convolution where widths differ.

    It starts as its shortcut.

    Args:
        inputs, outputs: channels before and after.
        groups: of the normalisations.

    Shapes: h (B, inputs, H, W) → (B, outputs, H, W).

    Raises:
        ValueError: groups do not divide the channels.
    """

    def __init__(self, inputs: int, outputs: int, groups: int = 8) -> None:
        super().__init__()
        self.first_norm = ModulatedGroupNorm(groups, inputs)
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second_norm = ModulatedGroupNorm(groups, outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, h: Tensor) -> Tensor:
        inner = self.first(F.silu(self.first_norm(h)))
        return self.shortcut(h) + self.second(F.silu(self.second_norm(inner)))
