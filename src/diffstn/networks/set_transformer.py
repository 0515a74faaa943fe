"""A denoising network of whole clouds that attends."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.condition_embedding import ConditionEmbedding
from diffstn.networks.modulated_block import ModulatedBlock
from diffstn.networks.point_input import PointInput
from diffstn.networks.zero_linear import zero_linear


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
        return self.output(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


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


class SetTransformer(nn.Module):
    """Permutation-equivariant, for any number of points, at a cost linear in it.

    Args:
        dim: coordinates of a point.
        classes: number of classes; 0: unconditional.
        width, blocks, heads: of the transformer.
        inducing: inducing points of each block.
        octaves, time_features: of the sinusoidal embeddings.

    Shapes: x_t (B, N, dim), t (B,), label (B,) or None → (B, N, dim).

    Raises:
        ValueError: the heads do not divide the width.
    """

    needs = ("clouds",)

    def __init__(
        self,
        dim: int,
        classes: int = 0,
        width: int = 128,
        blocks: int = 4,
        heads: int = 4,
        inducing: int = 32,
        octaves: int = 3,
        time_features: int = 128,
    ) -> None:
        super().__init__()
        self.input = PointInput(dim, width, octaves)
        self.condition = ConditionEmbedding(width, classes, time_features)
        self.blocks = nn.ModuleList(InducedBlock(width, heads, inducing) for _ in range(blocks))
        self.output = zero_linear(width, dim)

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        h, m = self.input(x_t), self.condition(t, label)[:, None]
        for block in self.blocks:
            h = block(h, m)
        return self.output(h)
