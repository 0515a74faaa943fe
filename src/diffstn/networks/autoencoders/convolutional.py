"""Images to small feature maps and back, by convolutions."""

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.modulated_group_norm import ModulatedGroupNorm
from diffstn.networks.blocks.plain_block import PlainBlock
from diffstn.networks.blocks.resampling import Resampling


class ConvAutoencoder(nn.Module):
    """An encoder that halves the sides from level to level, and a decoder that doubles them.

    The first level sees squares of `patch` × `patch` pixels as one cell of so many more channels:
    most of the work of convolutions with the sides of the image is saved. f, the factor between
    the sides of image and latent, is patch · 2^(levels − 1). The encoder runs in every step of a
    diffusion model's training, so it has its blocks below the first level only, where they are
    cheap; the decoder has them on all levels.

    Images whose sides f · `multiple` does not divide are continued by their last row and column
    until it does, and decoded images are cut to size. So the sides of the latent suit a UNet that
    halves them, as often as `multiple` is divisible by 2, whatever the images.

    Args:
        channels: C of the images.
        size: (H, W) of the images.
        moments: feature maps that the encoder answers for every channel of the latent.
        latent_channels: c.
        patch: side of the squares that the first level sees as one.
        width: channels of the first level.
        multipliers: of `width`, one for each level.
        blocks: residual blocks of a level of the decoder, and of the encoder's.
        groups: of the group normalisations.
        multiple: what the sides of the latent are multiples of.

    Attributes:
        latent: (c, h, w), the shape of a latent.

    Shapes: `encode`, (B, C, H, W) → (B, moments · c, h, w); `decode`, (B, c, h, w) → (B, C, H, W).

    Raises:
        ValueError: a width does not suit the groups, or a number is not positive.

    Source: Rombach et al., High-Resolution Image Synthesis with Latent Diffusion Models, 2022,
    appendix G, without attention and with fewer blocks.
    """

    needs = ("upright",)

    def __init__(
        self,
        channels: int,
        size: tuple[int, int],
        moments: int,
        latent_channels: int = 4,
        patch: int = 2,
        width: int = 48,
        multipliers: Sequence[int] = (1, 2),
        blocks: int = 1,
        groups: int = 8,
        multiple: int = 4,
    ) -> None:
        super().__init__()
        widths = [width * multiplier for multiplier in multipliers]
        if not widths or min(*widths, latent_channels, patch, blocks, multiple) < 1:
            raise ValueError(
                "an autoencoder needs a level, and positive widths, blocks, latent_channels,"
                " patch and multiple"
            )
        if bad := [w for w in widths if w % groups]:
            raise ValueError(f"groups={groups} must divide the channels of every level, {bad[0]}")
        factor = patch * 2 ** (len(widths) - 1)
        self.size = tuple(size)
        height, across = (-(-side // (factor * multiple)) * multiple for side in size)
        self.latent = (latent_channels, height, across)
        self.padded = (0, factor * across - size[1], 0, factor * height - size[0])

        cell = channels * patch**2
        down: list[nn.Module] = [nn.PixelUnshuffle(patch), nn.Conv2d(cell, widths[0], 3, padding=1)]
        for inputs, outputs in pairwise(widths):
            down.append(nn.Conv2d(inputs, outputs, 3, stride=2, padding=1))
            down += [PlainBlock(outputs, outputs, groups) for _ in range(blocks)]
        down += [ModulatedGroupNorm(groups, widths[-1]), nn.SiLU()]
        down.append(nn.Conv2d(widths[-1], moments * latent_channels, 3, padding=1))
        self.encoder = nn.Sequential(*down)

        up: list[nn.Module] = [nn.Conv2d(latent_channels, widths[-1], 3, padding=1)]
        for level in reversed(range(len(widths))):
            up += [PlainBlock(widths[level], widths[level], groups) for _ in range(blocks)]
            if level:
                up += [nn.Conv2d(widths[level], widths[level - 1], 1), Resampling("up")]
        up += [ModulatedGroupNorm(groups, widths[0]), nn.SiLU()]
        up += [nn.Conv2d(widths[0], cell, 3, padding=1), nn.PixelShuffle(patch)]
        self.decoder = nn.Sequential(*up)

    def encode(self, images: Tensor) -> Tensor:
        if any(self.padded):
            images = F.pad(images, self.padded, mode="replicate")
        return self.encoder(images)

    def decode(self, latent: Tensor) -> Tensor:
        return self.decoder(latent)[..., : self.size[0], : self.size[1]]
