"""The denoising network of single points."""

from torch import nn

from diffstn.networks.blocks.modulated_block import ModulatedBlock
from diffstn.networks.denoisers.point_network import PointNetwork


class PointDenoiser(PointNetwork):
    """Residual MLP over points that know nothing of each other, two layers to a block.

    Shapes: x_t (B, dim), t (B,), label (B,) or None → (B, dim).
    """

    needs = ("points",)

    def block(self, width: int) -> nn.Module:
        return ModulatedBlock(width)
