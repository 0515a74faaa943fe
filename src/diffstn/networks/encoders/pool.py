"""The small pooled CNN behind the frozen judge."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from diffstn.networks.encoders.conv import normalised_convolution


class PoolEncoder(nn.Module):
    """Stages of two 3×3 convolutions and a 2×2 max-pool, a last convolution, a 3×3 average pool.

    The pooled head looks at any image size, so one classifier serves every canvas.

    Args:
        channels: of the image.
        size: accepted for symmetry with the other encoders; any size of at least 4 px works.
        widths: channels of the stages; the last one has a single convolution and no pool.
        features: length of the embedding, the penultimate layer of a classifier.
        dropout: probability, before and after the linear layer.

    Shapes: (B, channels, H, W) → (B, features).
    """

    def __init__(
        self,
        channels: int,
        size: tuple[int, int] | None = None,
        widths: Sequence[int] = (32, 64, 128),
        features: int = 128,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.features = features

        layers: list[nn.Module] = []
        previous = channels
        for width in widths[:-1]:
            layers.append(normalised_convolution(previous, width, 3))
            layers.append(normalised_convolution(width, width, 3))
            layers.append(nn.MaxPool2d(2))
            previous = width
        layers.append(normalised_convolution(previous, widths[-1], 3))
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(3))
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(9 * widths[-1], features),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.body(image.contiguous(memory_format=torch.channels_last)))
