"""The localisation network of the original spatial transformer."""

import torch
from torch import Tensor, nn


class LocalisationEncoder(nn.Module):
    """Two rounds of convolution, 2×2 max-pool and ReLU (7×7 → 8, 5×5 → 10 channels), one linear.

    The down-sampling CNN of "Spatial Transformer Networks" (Jaderberg et al., 2015) as it is
    usually built for MNIST. Shapes: (B, channels, H, W) → (B, features).
    """

    def __init__(self, channels: int, size: tuple[int, int], features: int = 32) -> None:
        super().__init__()
        self.features = features
        self.body = nn.Sequential(
            nn.Conv2d(channels, 8, 7),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 10, 5),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
        )
        height, width = (((side - 6) // 2 - 4) // 2 for side in size)
        if min(height, width) < 1:
            raise ValueError(f"images of {size[0]}x{size[1]} px are too small; use 18 px or more")
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(10 * height * width, features), nn.ReLU(inplace=True)
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.body(image.contiguous(memory_format=torch.channels_last)))
