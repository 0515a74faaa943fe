"""The first layer of networks that read points."""

import torch
from torch import Tensor, nn

from diffstn.networks.blocks.coordinate_embedding import CoordinateEmbedding


class PointInput(nn.Module):
    """Sinusoidal embedding of coordinates, then a linear layer, in float32 whatever autocast says.

    bfloat16 tells 0.500 from 0.504 and nothing between: enough for features, too coarse for the
    coordinates themselves.

    Args:
        dim: coordinates of a point.
        width: of the output.
        octaves: see `CoordinateEmbedding`.

    Shapes: (*, dim) → (*, width).
    """

    def __init__(self, dim: int, width: int, octaves: int) -> None:
        super().__init__()
        self.embedding = CoordinateEmbedding(dim, octaves)
        self.linear = nn.Linear(self.embedding.features, width)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return self.linear(self.embedding(x.float()))
