"""Images, real or not."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.equalised import EqualisedConv, EqualisedLinear, activated
from diffstn.networks.blocks.halved import halved

GROUP = 4
"""Images of a group whose spread is looked at."""


def spread(h: Tensor) -> Tensor:
    """The standard deviation within groups of four images, averaged: (B, C, H, W) → (B, 1, H, W).

    Images that are too much alike show here ("minibatch standard deviation", Karras et al., 2018).
    Groups are strided, b, b + B/4, …; a batch that four does not divide is one group.
    """
    size = GROUP if len(h) % GROUP == 0 else len(h)
    groups = h.float().unflatten(0, (size, -1))
    variance = (groups - groups.mean(0)).square().mean(0)  # many times as fast as `var` on a CPU
    sd = (variance + 1e-8).sqrt().mean((1, 2, 3))
    return sd.repeat(size)[:, None, None, None].expand(-1, 1, *h.shape[2:]).to(h.dtype)


class HalvingBlock(nn.Module):
    """Two convolutions and a shortcut; the first halves the sides."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = EqualisedConv(inputs, outputs, stride=2)
        self.second = EqualisedConv(outputs, outputs)
        self.shortcut = EqualisedConv(inputs, outputs, kernel=1)

    def forward(self, h: Tensor) -> Tensor:
        around = self.shortcut(F.avg_pool2d(h, 2))
        h = activated(self.second(activated(self.first(h))))
        return (h + around) * 0.5**0.5


class ResidualDiscriminator(nn.Module):
    """Residual blocks down to the smallest size, the spread of the batch, two layers.

    Every halving of the sides is a convolution's stride, the first that of the input's: nothing is
    computed at the image's own size, where most of the time would go.

    What it says of a label is the inner product of its last features with the label's embedding
    ("projection", Miyato and Koyama, 2018).

    Args:
        channels, size: of the images (C, H, W).
        classes: number of labels; 0: none.
        width: channels at half the image's sides; each further halving doubles them.
        most: channels at most.

    Shapes: x (B, C, H, W), of about [−1, 1], label (B,) or None → (B,), float32.

    Raises:
        ValueError: the sides cannot be halved, or a number is not positive.

    Source: Karras et al., Analyzing and Improving the Image Quality of StyleGAN, 2020.
    """

    needs = ("upright",)

    def __init__(
        self,
        channels: int,
        size: tuple[int, int],
        classes: int = 0,
        width: int = 32,
        most: int = 128,
    ) -> None:
        super().__init__()
        if min(width, most) < 1:
            raise ValueError(f"width and most must be at least 1, not {width} and {most}")
        sizes = halved(size)
        widths = [min(most, width * 2**i) for i in range(len(sizes) - 1)]
        self.input = EqualisedConv(channels, widths[0], stride=2)
        self.blocks = nn.ModuleList(HalvingBlock(i, o) for i, o in pairwise(widths))
        last = widths[-1]
        stride = 2 if min(sizes[0]) > 4 else 1
        self.mixed = EqualisedConv(last + 1, last, stride=stride)
        area = -(-sizes[0][0] // stride) * -(-sizes[0][1] // stride)
        self.features = EqualisedLinear(area * last, last)
        self.score = EqualisedLinear(last, 1)
        self.embedding = nn.Embedding(classes, last) if classes else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        h = activated(self.input(x.contiguous(memory_format=torch.channels_last)))
        for block in self.blocks:
            h = block(h)
        h = activated(self.mixed(torch.cat([h, spread(h)], dim=1)))
        h = activated(self.features(h.flatten(1))).float()
        with torch.autocast(h.device.type, enabled=False):
            score = self.score(h)[:, 0]
            if self.embedding is not None:
                assert label is not None
                score = score + (h * self.embedding(label)).sum(1) / h.shape[1] ** 0.5
        return score
