"""The convolutional image encoder shared by every pose model and by the end-to-end baseline."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def normalised_convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Module:
    """Convolution, batch norm, ReLU; sides shrink by the stride alone, rounded up."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class ConvEncoder(nn.Module):
    """3×3 convolutions, a 1×1 neck, then one linear layer: image → embedding.

    The head flattens instead of pooling: where a stroke lies is what tells the pose. The neck keeps
    the flattened vector, and with it three quarters of all weights, small.

    Args:
        channels: of the image.
        size: (height, width) of the image in pixels.
        widths: output channels of each 3×3 convolution.
        strides: of each, as many as widths.
        neck: channels that are flattened.
        features: length of the embedding.

    Shapes: (B, channels, H, W) → (B, features).

    Raises:
        ValueError: widths and strides of different lengths.
    """

    def __init__(
        self,
        channels: int,
        size: tuple[int, int],
        widths: Sequence[int] = (32, 64, 64, 128, 128, 128),
        strides: Sequence[int] = (1, 2, 1, 2, 1, 1),
        neck: int = 32,
        features: int = 256,
    ) -> None:
        super().__init__()
        if len(widths) != len(strides):
            raise ValueError(f"{len(widths)} widths need as many strides, got {len(strides)}")
        self.features = features
        layers: list[nn.Module] = []
        previous, (height, width) = channels, size
        for out, stride in zip(widths, strides, strict=True):
            layers.append(normalised_convolution(previous, out, 3, stride))
            previous, height, width = out, -(-height // stride), -(-width // stride)
        layers.append(normalised_convolution(previous, neck, 1))
        self.body = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(neck * height * width, features, bias=False),
            nn.BatchNorm1d(features),
            nn.ReLU(inplace=True),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.body(image.contiguous(memory_format=torch.channels_last)))
