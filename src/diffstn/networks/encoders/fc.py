"""The fully connected image encoder that the ablation ladder starts from."""

from torch import Tensor, nn


class FCEncoder(nn.Module):
    """Flatten, two fully connected layers with ReLU: (B, channels, H, W) → (B, features)."""

    def __init__(
        self, channels: int, size: tuple[int, int], hidden: int = 128, features: int = 20
    ) -> None:
        super().__init__()
        self.features = features
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * size[0] * size[1], hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, features),
            nn.ReLU(inplace=True),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)
