"""The localisation head of a spatial transformer that corrects what a frame leaves."""

import torch
from torch import Tensor, nn

from diffstn.networks.blocks.zero_linear import zero_linear
from diffstn.spatial import Affine


class Aligner(nn.Module):
    """Embedding → affine map near the identity, which is where it starts: identity + tanh(W e + b).

    Every entry stays within 1 of the identity's, so that no map leads far outside the image.

    Shapes: (B, features) → (B, 6), float32.

    Source: Jaderberg et al., Spatial Transformer Networks, 2015, section 3.1.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.head = zero_linear(features, Affine().dim)

    def forward(self, embedding: Tensor) -> Tensor:
        with torch.autocast(embedding.device.type, enabled=False):
            return Affine().identity().to(embedding.device) + self.head(embedding.float()).tanh()
