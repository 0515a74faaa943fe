"""The denoising network for poses: a residual MLP modulated by time and image."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.modulated_block import ModulatedBlock
from diffstn.networks.blocks.time_embedding import TimeEmbedding
from diffstn.networks.blocks.zero_linear import zero_linear


class PoseDenoiser(nn.Module):
    """Residual MLP over pose vectors, conditioned on the timestep and an image embedding.

    Args:
        dim: length of a pose vector (6 for an affine matrix).
        embedding: length of the image embedding.
        width: of the hidden layers.
        blocks: number of residual blocks.
        time_features: of the sinusoidal timestep embedding.

    Shapes: x_t (*, dim), t of its first dimensions, embedding (*, embedding) of as many dimensions
    as x_t, of which any but the last may be 1 → (*, dim): what does not depend on all dimensions is
    not computed for all. The last layer starts at zero, so an untrained network predicts the mean
    of standardised poses.
    """

    def __init__(
        self,
        dim: int,
        embedding: int,
        width: int = 256,
        blocks: int = 4,
        time_features: int = 64,
    ) -> None:
        super().__init__()
        self.input = nn.Linear(dim, width)
        self.time = nn.Sequential(
            TimeEmbedding(time_features),
            nn.Linear(time_features, width),
            nn.SiLU(),
            nn.Linear(width, width),
        )
        self.picture = nn.Linear(embedding, width)
        self.blocks = nn.ModuleList(ModulatedBlock(width) for _ in range(blocks))
        self.output = zero_linear(width, dim)

    def ahead(self, t: Tensor, embedding: Tensor) -> Tensor:
        """All that does not depend on x_t, the modulations of the blocks: t of the first dimensions
        of the embedding (*, embedding) → (*, blocks, 2 width).
        """
        return torch.stack(self.modulations(t, embedding), dim=-2)

    def modulations(self, t: Tensor, embedding: Tensor) -> list[Tensor]:
        """Of each block (*, 2 width)."""
        time = self.time(t)
        time = time.reshape(*t.shape, *(1,) * (embedding.ndim - time.ndim), -1)
        m = F.silu(time + self.picture(embedding))
        return [block.modulation(m) for block in self.blocks]  # type: ignore[operator, union-attr]

    def forward(
        self, x_t: Tensor, t: Tensor, embedding: Tensor, ahead: Tensor | None = None
    ) -> Tensor:
        told = self.modulations(t, embedding) if ahead is None else ahead.unbind(-2)
        h = self.input(x_t)
        for block, one in zip(self.blocks, told, strict=True):
            h = block.modulated(h, one)  # type: ignore[operator]
        return self.output(h)
