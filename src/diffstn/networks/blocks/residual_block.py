"""The residual block of the UNet."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.modulated_group_norm import ModulatedGroupNorm
from diffstn.networks.blocks.resampling import Resampling
from diffstn.networks.blocks.told import Told


class ResidualBlock(nn.Module):
    r"""$h \leftarrow P h + W_2 * \mathrm{SiLU}(\mathrm{mod}(\mathrm{GN}(W_1 * \mathrm{SiLU}(
    \mathrm{GN}(h))), m))$, with 3×3 convolutions and P a 1×1 convolution where widths differ.

    The condition m (time, label, image) modulates in between: either scales and shifts,
    $(1 + s(m))\,h + b(m)$, or is added before the norm, $\mathrm{GN}(h + b(m))$.

    Args:
        inputs, outputs: channels before and after.
        condition: length of m.
        groups: of the normalisations.
        dropout: probability, before the last convolution.
        scale_shift: scale and shift, or add only.
        resampling: what to do to both branches on the way, see `Resampling`.
        zero_init: let the block start as its shortcut.
        norm: makes the normalisations, called with groups and channels; they are called with
            h, with s(m) and b(m) where those modulate, and with what they are told, see `Told`.

    Shapes: h (B, inputs, H, W), m (B, condition) → (B, outputs, H', W').

    Source: Ho et al., 2020, appendix B; scale and shift, resampling within: Dhariwal and Nichol,
    Diffusion Models Beat GANs on Image Synthesis, 2021, section 3.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        condition: int,
        groups: int = 8,
        dropout: float = 0.0,
        scale_shift: bool = True,
        resampling: str = "none",
        zero_init: bool = True,
        norm: Callable[[int, int], nn.Module] = ModulatedGroupNorm,
    ) -> None:
        super().__init__()
        self.scale_shift = scale_shift
        self.first_norm = norm(groups, inputs)
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.modulation = nn.Linear(condition, 2 * outputs if scale_shift else outputs)
        self.second_norm = norm(groups, outputs)
        self.dropout = nn.Dropout(dropout)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.resampling = Resampling(resampling)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        if zero_init:
            nn.init.zeros_(self.second.weight)
            nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, h: Tensor, m: Tensor, told: Told | None = None) -> Tensor:
        inner = self.first(self.resampling(F.silu(self.first_norm(h, told=told))))
        modulation = self.modulation(m)
        if self.scale_shift:
            inner = self.second_norm(inner, *modulation.chunk(2, dim=1), told)
        else:
            inner = self.second_norm(inner + modulation[..., None, None], told=told)
        inner = self.second(self.dropout(F.silu(inner)))
        return self.shortcut(self.resampling(h)) + inner
