"""A normalisation whose scale and shift come from the class."""

import torch
from torch import Tensor, nn

from diffstn.networks.blocks.told import Told


class ConditionalNorm(nn.Module):
    r"""$y = (1 + s)\,(\gamma_y\,\mathrm{N}(h) + \beta_y) + b$ for whatever norm N.

    γ_y and β_y are embeddings of the class y, one pair for each channel, and another pair stands
    for no class. They start as γ = 1 and β = 0.

    Args:
        norm: N, called with h, s, b and what it is told, see `Told`.
        channels: C.
        classes: number of labels; label `classes` stands for none, as does no label.

    Shapes: h (B, C, H, W); s and b (B, C) or neither → (B, C, H, W).

    Source: de Vries et al., Modulating Early Visual Processing by Language, 2017, section 3; a pair
    for each class: Dumoulin et al., A Learned Representation for Artistic Style, 2017, eq. 5.
    """

    def __init__(self, norm: nn.Module, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = norm
        self.affine = nn.Embedding(classes + 1, 2 * channels)
        nn.init.zeros_(self.affine.weight)

    def forward(
        self,
        h: Tensor,
        s: Tensor | None = None,
        b: Tensor | None = None,
        told: Told | None = None,
    ) -> Tensor:
        label = None if told is None else told.label
        if label is None:
            none = self.affine.num_embeddings - 1
            label = torch.full((len(h),), none, device=h.device)
        more, shift = self.affine(label).chunk(2, dim=1)
        if s is not None and b is not None:
            more, shift = more + s + s * more, shift * (1 + s) + b
        return self.norm(h, more, shift, told)
