"""Any encoder, for which left and right are alike."""

import torch
from torch import Tensor, nn


class MirroredEncoder(nn.Module):
    r"""$\tfrac12(f(x) + f(\bar x))$ in evaluation, x̄ the mirror image from left to right; f(x) in
    training, which mirrors at random.

    Behind it a linear layer answers the mean of its logits of both. It takes twice the time of f.

    Args:
        encoder: f, of images (B, C, H, W), with `.features`.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.features = int(encoder.features)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """The embedding (B, features)."""
        embedding: Tensor = self.encoder(image)
        if self.training:
            return embedding
        return torch.lerp(embedding, self.encoder(image.flip(3)), 0.5)
