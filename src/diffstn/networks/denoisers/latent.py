"""The three-layer diffusion MLP of the first Diff-in-STN."""

import torch
from torch import Tensor, nn

from diffstn.networks.blocks.time_embedding import TimeEmbedding


class LatentDenoiser(nn.Module):
    """Three fully connected layers on [z_t, image embedding, time embedding], ReLU between.

    Args:
        dim: length of z_t and of every layer's output.
        embedding: length of the image embedding.
        time_features: of the sinusoidal time embedding.
        time_in_every_layer: append the time embedding to the input of every layer, not of the
            first alone.

    Shapes: z_t (B, dim), t (B,), embedding (B, embedding) → (B, dim).
    """

    def __init__(
        self,
        dim: int,
        embedding: int,
        time_features: int = 20,
        time_in_every_layer: bool = False,
    ) -> None:
        super().__init__()
        self.time = TimeEmbedding(time_features)
        self.time_in_every_layer = time_in_every_layer
        later = dim + (time_features if time_in_every_layer else 0)
        self.layers = nn.ModuleList(
            [
                nn.Linear(dim + embedding + time_features, dim),
                nn.Linear(later, dim),
                nn.Linear(later, dim),
            ]
        )

    def forward(self, z_t: Tensor, t: Tensor, embedding: Tensor) -> Tensor:
        time = self.time(t)
        h = self.layers[0](torch.cat([z_t, embedding, time], dim=-1))
        for layer in list(self.layers)[1:]:
            h = h.relu()
            h = layer(torch.cat([h, time], dim=-1) if self.time_in_every_layer else h)
        return h
