"""An encoder that sees a stroke at any place and at any angle as the same stroke."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.group_convolution import GroupConvolution


class SteerableEncoder(nn.Module):
    """Group convolutions over the plane and N turns, embed.

    The head sees both what there is (means and maxima over places and turns, which shifts and
    turns leave alone) and where it is (all places and turns, through a 1×1 neck).

    Args:
        channels: of the image.
        size: (height, width) of the image.
        turns: N; equivariance is exact for those by 90° if N is a multiple of 4.
        widths: features after each convolution, each at all turns.
        kernels: sizes, odd, as many as widths.
        strides: of the maximum over places behind each convolution, as many as widths.
        neck: channels of which every place is seen.
        features: length of the embedding.

    Shapes: (B, channels, H, W) → (B, features).

    Raises:
        ValueError: widths, kernels and strides of different lengths, an even kernel, or an image
            too small for the strides.
    """

    def __init__(
        self,
        channels: int,
        size: tuple[int, int],
        turns: int = 8,
        widths: Sequence[int] = (8, 8, 12, 16, 24),
        kernels: Sequence[int] = (7, 5, 5, 5, 3),
        strides: Sequence[int] = (2, 1, 2, 1, 1),
        neck: int = 24,
        features: int = 256,
    ) -> None:
        super().__init__()
        if not len(widths) == len(kernels) == len(strides) > 0:
            raise ValueError(
                f"encoder.widths={list(widths)} needs as many kernels and strides,"
                f" not {len(kernels)} and {len(strides)}"
            )
        self.turns, self.features = turns, features
        layers: list[nn.Module] = []
        previous, (height, width) = channels, size
        for outputs, kernel, stride in zip(widths, kernels, strides, strict=True):
            layers.append(GroupConvolution(previous, outputs, kernel, turns, lifts=not layers))
            if stride > 1:
                layers.append(nn.MaxPool2d(stride))
            previous, height, width = outputs, height // stride, width // stride
        if min(height, width) < 1:
            raise ValueError(
                f"images of {size[0]}x{size[1]} px are too small for"
                f" encoder.strides={list(strides)}"
            )
        self.body = nn.Sequential(*layers)
        self.neck = nn.Sequential(
            nn.Conv2d(previous * turns, neck, 1, bias=False), nn.BatchNorm2d(neck), nn.ReLU()
        )
        self.where = nn.Linear(neck * height * width, features, bias=False)
        self.what = nn.Linear(4 * previous, features, bias=False)
        self.norm = nn.BatchNorm1d(features)

    def forward(self, image: Tensor) -> Tensor:
        h = self.body(image.contiguous(memory_format=torch.channels_last))
        over_places = torch.cat([h.mean((2, 3)), h.amax((2, 3))], dim=1)
        over_turns = over_places.unflatten(1, (-1, self.turns))
        what = torch.cat([over_turns.mean(2), over_turns.amax(2)], dim=1)
        return F.relu(self.norm(self.where(self.neck(h).flatten(1)) + self.what(what)))
