"""A denoising network of whole clouds that pools."""

import torch
from torch import Tensor, nn

from diffstn.networks.blocks.modulated_block import ModulatedBlock
from diffstn.networks.denoisers.point_network import PointNetwork


class PooledBlock(nn.Module):
    """A `ModulatedBlock` on every point, which hears the mean and the maximum over all of them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.context = nn.Linear(2 * width, width)
        self.mlp = ModulatedBlock(width)

    def forward(self, h: Tensor, m: Tensor) -> Tensor:
        pooled = [h.mean(dim=1, keepdim=True), h.amax(dim=1, keepdim=True)]
        return self.mlp(h, m + self.context(torch.cat(pooled, dim=-1)))


class DeepSets(PointNetwork):
    """Each point passes through the same MLP and hears, at every block, a summary of all points.

    The summary is the mean and the maximum over the points, through a linear layer. Both ignore
    the order of the points, so the network is equivariant to permutations; and a cloud in which
    every point occurs twice has the same summary, so any number of points will do.

    "Deep Sets", Zaheer et al., 2017; the pooled context at every layer as in PointNet's
    segmentation network, Qi et al., 2017.

    Shapes: x_t (B, N, dim), t (B,), label (B,) or None → (B, N, dim).
    """

    needs = ("clouds",)

    def block(self, width: int) -> nn.Module:
        return PooledBlock(width)
