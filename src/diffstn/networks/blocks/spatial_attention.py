"""Self-attention among the places of a feature map."""

from torch import Tensor, nn

from diffstn.networks.blocks.attended import attended
from diffstn.networks.blocks.modulated_group_norm import ModulatedGroupNorm
from diffstn.networks.blocks.zero_linear import zero_linear


class SpatialAttention(nn.Module):
    r"""$h \leftarrow h + W_o\,\mathrm{softmax}(QK^\top/\sqrt{d})\,V$, all places of h at once.

    The output layer starts at zero, unless chosen otherwise, and the block as the identity.

    Args:
        width: channels of h.
        head_features: d, channels of a head; it must divide `width`.
        groups: of the normalisation.
        zero_init: whether the last layer starts at zero.

    Shapes: h (B, width, H, W) → the same.

    Raises:
        ValueError: head_features does not divide width.

    Source: Vaswani et al., Attention Is All You Need, 2017; in a UNet: Ho et al., 2020.
    """

    def __init__(
        self,
        width: int,
        head_features: int = 32,
        groups: int = 8,
        zero_init: bool = True,
    ) -> None:
        super().__init__()
        if width % head_features:
            raise ValueError(f"head_features={head_features} must divide the {width} channels")
        self.heads = width // head_features
        self.norm = ModulatedGroupNorm(groups, width)
        self.inner = nn.Linear(width, 3 * width)
        self.outer = zero_linear(width, width) if zero_init else nn.Linear(width, width)

    def forward(self, h: Tensor) -> Tensor:
        cells = self.norm(h).movedim(1, -1).flatten(1, 2)  # (B, HW, C), free when channels are last
        q, k, v = self.inner(cells).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        seen = attended(q, k, v)
        answer = self.outer(seen.transpose(1, 2).flatten(2))
        return h + answer.unflatten(1, h.shape[2:]).movedim(-1, 1)
