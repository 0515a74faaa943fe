"""The way down of a UNet with a head: noisy image and timestep → class logits."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.condition_embedding import ConditionEmbedding
from diffstn.networks.blocks.modulated_group_norm import ModulatedGroupNorm
from diffstn.networks.blocks.residual_block import ResidualBlock


class NoisyImageNetwork(nn.Module):
    """Residual blocks that hear the timestep, the sides halved between levels, mean, linear layer.

    Args:
        channels: C of the images.
        classes: number of logits.
        steps: T, see `ConditionEmbedding`.
        width: channels of the first level.
        multipliers: of `width`, one for each level.
        blocks: residual blocks of a level.
        groups: of the group normalisations.
        dropout: probability within the blocks and before the last layer.
        time_features: of the sinusoidal timestep embedding.

    Shapes: x_t (B, C, H, W), t (B,) → (B, classes).
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        steps: int = 1000,
        width: int = 32,
        multipliers: Sequence[int] = (1, 2, 2),
        blocks: int = 1,
        groups: int = 8,
        dropout: float = 0.1,
        time_features: int = 128,
    ) -> None:
        super().__init__()
        condition = 4 * width
        self.condition = ConditionEmbedding(condition, 0, time_features, steps)
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        layers: list[nn.Module] = []
        now = width
        for level, multiplier in enumerate(multipliers):
            for block in range(blocks):
                how = "down" if level and not block else "none"
                layers.append(
                    ResidualBlock(
                        now, width * multiplier, condition, groups, dropout, resampling=how
                    )
                )
                now = width * multiplier
        self.blocks = nn.ModuleList(layers)
        self.norm = ModulatedGroupNorm(groups, now)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(now, classes))

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        m = self.condition(t)
        h = self.first(x_t.contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            h = block(h, m)
        return self.head(F.silu(self.norm(h)).mean(dim=(2, 3)))
