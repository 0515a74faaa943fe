"""The small digit classifier's body that spatial transformers are usually shown with."""

import torch
from torch import Tensor, nn


class LeNetEncoder(nn.Module):
    """Convolutions 5×5 → 10 and 5×5 → 20, each with 2×2 max-pool and ReLU, drop-out, one linear.

    After LeNet-5 (LeCun et al., 1998), as in the usual MNIST example of spatial transformers.
    Shapes: (B, channels, H, W) → (B, features).
    """

    def __init__(
        self, channels: int, size: tuple[int, int], features: int = 50, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.features = features
        self.body = nn.Sequential(
            nn.Conv2d(channels, 10, 5),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            nn.Conv2d(10, 20, 5),
            nn.Dropout2d(dropout),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
        )
        height, width = (((side - 4) // 2 - 4) // 2 for side in size)
        if min(height, width) < 1:
            raise ValueError(f"images of {size[0]}x{size[1]} px are too small; use 16 px or more")
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(20 * height * width, features),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.body(image.contiguous(memory_format=torch.channels_last)))
