"""Embedding and timestep → vector."""

import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.modulated_block import ModulatedBlock
from diffstn.networks.blocks.time_embedding import TimeEmbedding
from diffstn.networks.blocks.zero_linear import zero_linear


class TimedRegressor(nn.Module):
    """A layer, a residual block that the timestep modulates, and a linear answer that starts at 0.

    Args:
        inputs: length of the embedding.
        outputs: length of the answer.
        hidden: width.
        time_features: of the sinusoidal timestep embedding.

    Shapes: embedding (B, inputs), t (B,) → (B, outputs).
    """

    def __init__(
        self, inputs: int, outputs: int, hidden: int = 256, time_features: int = 64
    ) -> None:
        super().__init__()
        self.input = nn.Linear(inputs, hidden)
        self.time = nn.Sequential(TimeEmbedding(time_features), nn.Linear(time_features, hidden))
        self.block = ModulatedBlock(hidden)
        self.output = zero_linear(hidden, outputs)

    def forward(self, embedding: Tensor, t: Tensor) -> Tensor:
        return self.output(self.block(F.silu(self.input(embedding)), F.silu(self.time(t))))
