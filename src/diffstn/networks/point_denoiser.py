"""The denoising network of single points."""

from torch import Tensor, nn

from diffstn.networks.condition_embedding import ConditionEmbedding
from diffstn.networks.modulated_block import ModulatedBlock
from diffstn.networks.point_input import PointInput
from diffstn.networks.zero_linear import zero_linear


class PointDenoiser(nn.Module):
    """Residual MLP over points that know nothing of each other.

    Args:
        dim: coordinates of a point.
        classes: number of classes; 0: unconditional.
        width, blocks: of the MLP, two layers to a block.
        octaves: of the sinusoidal embedding of the coordinates; 0: the coordinates alone.
        time_features: of the sinusoidal embedding of the timestep; 0: t / T alone.

    Shapes: x_t (B, dim), t (B,), label (B,) or None → (B, dim). The last layer starts at zero.
    """

    needs = ("points",)

    def __init__(
        self,
        dim: int,
        classes: int = 0,
        width: int = 128,
        blocks: int = 3,
        octaves: int = 5,
        time_features: int = 128,
    ) -> None:
        super().__init__()
        self.input = PointInput(dim, width, octaves)
        self.condition = ConditionEmbedding(width, classes, time_features)
        self.blocks = nn.ModuleList(ModulatedBlock(width) for _ in range(blocks))
        self.output = zero_linear(width, dim)

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        h, m = self.input(x_t), self.condition(t, label)
        for block in self.blocks:
            h = block(h, m)
        return self.output(h)
