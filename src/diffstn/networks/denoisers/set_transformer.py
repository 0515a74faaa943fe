"""A denoising network of whole clouds that attends."""

from typing import Any

import torch
from torch import Tensor, nn

from diffstn.networks.blocks.attended import attended
from diffstn.networks.blocks.modulated_block import ModulatedBlock
from diffstn.networks.denoisers.point_network import PointNetwork


class Attention(nn.Module):
    """Multi-head attention of queries (B, Q, width) to keys (B, K, width): (B, Q, width)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.heads = heads
        self.query, self.output = nn.Linear(width, width), nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)

    def forward(self, queries: Tensor, keys: Tensor) -> Tensor:
        q, k, v = (
            x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for x in (self.query(queries), *self.key_value(keys).chunk(2, dim=-1))
        )
        return self.output(attended(q, k, v).transpose(1, 2).flatten(2))


class InducedBlock(nn.Module):
    """Points attend to a few inducing points that have attended to all of them, then an MLP.

    The cost is linear in the number of points, N · inducing. "Set Transformer", Lee et al., 2019,
    eq. 9 and 10, with the modulation of `ModulatedBlock`.
    """

    def __init__(self, width: int, heads: int, inducing: int) -> None:
        super().__init__()
        self.inducing = nn.Parameter(torch.randn(inducing, width))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = nn.Linear(width, 2 * width)
        self.gather, self.scatter = Attention(width, heads), Attention(width, heads)
        self.summary = nn.LayerNorm(width)
        self.mlp = ModulatedBlock(width)

    def forward(self, h: Tensor, m: Tensor) -> Tensor:
        scale, shift = self.modulation(m).chunk(2, dim=-1)
        seen = self.norm(h) * (1 + scale) + shift
        asked = self.inducing + m
        told = self.summary(asked + self.gather(asked, seen))
        return self.mlp(h + self.scatter(seen, told), m)


class SetTransformer(PointNetwork):
    """Permutation-equivariant, for any number of points, at a cost linear in it.

    Args:
        heads: of the attention.
        inducing: inducing points of each block.
        options: as for `PointNetwork`.

    Shapes: x_t (B, N, dim), t (B,), label (B,) or None → (B, N, dim).

    Raises:
        ValueError: the heads do not divide the width, or a number is not positive.
    """

    needs = ("clouds",)

    def __init__(self, dim: int, heads: int = 4, inducing: int = 32, **options: Any) -> None:
        if min(heads, inducing) < 1:
            raise ValueError(f"heads and inducing must be at least 1, not {heads} and {inducing}")
        self.heads, self.inducing = heads, inducing
        super().__init__(dim, **options)

    def block(self, width: int) -> nn.Module:
        return InducedBlock(width, self.heads, self.inducing)
