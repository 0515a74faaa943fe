"""The denoising network for poses: a residual MLP modulated by time and picture."""

import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.time_embedding import TimeEmbedding


class ModulatedBlock(nn.Module):
    r"""$h \leftarrow h + W_2\,\mathrm{SiLU}(W_1\,[(1 + s(m))\,\mathrm{LN}(h) + b(m)])$.

    Feature-wise modulation (FiLM, Perez et al., 2018) by m, the sum of time and picture; W_2 starts
    at its default, the block as a residual.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = nn.Linear(width, 2 * width)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)

    def forward(self, h: Tensor, m: Tensor) -> Tensor:
        scale, shift = self.modulation(m).chunk(2, dim=-1)
        return h + self.outer(F.silu(self.inner(self.norm(h) * (1 + scale) + shift)))


class PoseDenoiser(nn.Module):
    """Residual MLP over pose vectors, conditioned on the timestep and an image embedding.

    Args:
        dim: length of a pose vector (6 for an affine matrix).
        embedding: length of the image embedding.
        width: of the hidden layers.
        blocks: number of residual blocks.
        time_features: of the sinusoidal timestep embedding.

    Shapes: x_t (B, dim), t (B,), embedding (B, embedding) → (B, dim). The last layer starts at
    zero, so an untrained network predicts the mean of standardised poses.
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
        self.output = nn.Linear(width, dim)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, x_t: Tensor, t: Tensor, embedding: Tensor) -> Tensor:
        h = self.input(x_t)
        m = F.silu(self.time(t) + self.picture(embedding))
        for block in self.blocks:
            h = block(h, m)
        return self.output(h)
