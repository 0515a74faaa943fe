"""A denoising network of whole clouds that pools."""

import torch
from torch import Tensor, nn

from diffstn.networks.condition_embedding import ConditionEmbedding
from diffstn.networks.modulated_block import ModulatedBlock
from diffstn.networks.point_input import PointInput
from diffstn.networks.zero_linear import zero_linear


class DeepSets(nn.Module):
    """Each point passes through the same MLP and hears, at every block, a summary of all points.

    The summary is the mean and the maximum over the points, through a linear layer. Both ignore
    the order of the points, so the network is equivariant to permutations; and a cloud in which
    every point occurs twice has the same summary, so any number of points will do.

    "Deep Sets", Zaheer et al., 2017; the pooled context at every layer as in PointNet's
    segmentation network, Qi et al., 2017.

    Args:
        dim: coordinates of a point.
        classes: number of classes; 0: unconditional.
        width, blocks: of the MLP.
        octaves, time_features: of the sinusoidal embeddings.

    Shapes: x_t (B, N, dim), t (B,), label (B,) or None → (B, N, dim).
    """

    needs = ("clouds",)

    def __init__(
        self,
        dim: int,
        classes: int = 0,
        width: int = 128,
        blocks: int = 5,
        octaves: int = 3,
        time_features: int = 128,
    ) -> None:
        super().__init__()
        self.input = PointInput(dim, width, octaves)
        self.condition = ConditionEmbedding(width, classes, time_features)
        self.contexts = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(blocks))
        self.blocks = nn.ModuleList(ModulatedBlock(width) for _ in range(blocks))
        self.output = zero_linear(width, dim)

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        h, m = self.input(x_t), self.condition(t, label)
        for context, block in zip(self.contexts, self.blocks, strict=True):
            summary = torch.cat([h.mean(dim=1), h.amax(dim=1)], dim=-1)
            h = block(h, (m + context(summary))[:, None])
        return self.output(h)
