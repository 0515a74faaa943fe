"""A compact StyleGAN2."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffstn.networks.blocks.equalised import activated
from diffstn.networks.blocks.halved import halved
from diffstn.networks.blocks.modulated_conv import ModulatedConv
from diffstn.networks.generators.mapping import Mapping


class StyledLayer(nn.Module):
    """Modulated convolution, maybe the sides doubled, noise of a learned strength, activation.

    Doubled after the convolution, which costs a quarter of doubling before.

    Shapes: h (B, inputs, H, W), w (B, style), noise (B, 1, H', W') → (B, outputs, H', W').
    """

    def __init__(self, inputs: int, outputs: int, style: int, doubles: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, style)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.doubles = doubles

    def forward(self, h: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        h = self.conv(h, w)
        h = doubled(h) if self.doubles else h
        shift = self.strength * noise + self.bias[:, None, None]
        return activated(h + shift.to(h.dtype))


class StyleGAN(nn.Module):
    r"""Images from noise: a constant, convolutions that styles modulate, images that add up.

    From the smallest size to the image's, each size has two layers (the smallest one) and an image
    of its own, a 1 × 1 modulated convolution without demodulation; that of the size before is
    doubled and added. All that is random is one vector: z, then a plane of noise for each layer.

    Args:
        channels, size: of the images (C, H, W).
        classes: number of labels; 0: none.
        latent: features of z.
        style: features of w.
        layers: of the mapping.
        pace: learning rate of the mapping, relative to that of all else.
        width: channels at the largest size; each halving of the sides doubles them.
        most: channels at most.
        bounded: whether images keep within the bound b of the data, as b tanh(image / b). Where
            many pixels of the data lie at the bound, as in a black background, images without one
            show what they are by these pixels alone; a discriminator then asks for little else,
            and samples collapse.
        bound: b; None: the data have none.

    Attributes:
        noise: numbers that an image is made of.

    Shapes: `styles`: noise (B, noise), label (B,) or None → w (B, style).
        `synthesis`: w, noise → images (B, C, H, W).

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
        latent: int = 64,
        style: int = 128,
        layers: int = 2,
        pace: float = 0.01,
        width: int = 16,
        most: int = 128,
        bounded: bool = True,
        bound: float | None = None,
    ) -> None:
        super().__init__()
        if pace <= 0:
            raise ValueError(f"pace must be positive, not {pace}")
        if min(latent, style, layers, width, most) < 1:
            raise ValueError(
                "latent, style, layers, width and most must be at least 1, not"
                f" {latent}, {style}, {layers}, {width} and {most}"
            )
        self.latent, sizes = latent, halved(size)
        self.bound = bound if bounded else None
        widths = [min(most, width * 2**i) for i in reversed(range(len(sizes)))]
        self.mapping = Mapping(latent, style, layers, classes, pace)
        self.constant = nn.Parameter(torch.randn(1, widths[0], *sizes[0]))
        self.layers = nn.ModuleList([StyledLayer(widths[0], widths[0], style)])
        self.planes = [sizes[0]]
        for before, after, sides in zip(widths, widths[1:], sizes[1:], strict=False):
            self.layers.append(StyledLayer(before, after, style, doubles=True))
            self.layers.append(StyledLayer(after, after, style))
            self.planes += [sides, sides]
        self.images = nn.ModuleList(
            ModulatedConv(w, channels, style, kernel=1, demodulate=False) for w in widths
        )
        self.bias = nn.Parameter(torch.zeros(channels))
        self.noise = latent + sum(h * w for h, w in self.planes)

    def styles(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        """w of z, the first numbers of the noise."""
        return self.mapping(noise[:, : self.latent], label)

    def observe(self, w: Tensor, label: Tensor | None = None) -> None:
        """Take note of styles that training makes, for their mean."""
        self.mapping.observe(w, label)

    def truncated(self, w: Tensor, truncation: float, label: Tensor | None = None) -> Tensor:
        """Styles nearer to their mean."""
        return self.mapping.truncated(w, truncation, label)

    def synthesis(self, w: Tensor, noise: Tensor) -> Tensor:
        """Images of styles and of the noise behind z."""
        areas = [h * w for h, w in self.planes]
        planes = [
            plane.unflatten(1, (1, *sides))
            for plane, sides in zip(
                noise[:, self.latent :].split(areas, dim=1), self.planes, strict=True
            )
        ]
        constant = self.constant.expand(len(w), -1, -1, -1)
        h = self.layers[0](constant.contiguous(memory_format=torch.channels_last), w, planes[0])
        image = self.images[0](h, w).float()
        for i, to_image in enumerate(list(self.images)[1:]):
            for j in (2 * i + 1, 2 * i + 2):
                h = self.layers[j](h, w, planes[j])
            image = doubled(image) + to_image(h, w).float()
        image = image + self.bias[:, None, None]
        return image if self.bound is None else self.bound * torch.tanh(image / self.bound)


def doubled(h: Tensor) -> Tensor:
    """The sides of (B, C, H, W) doubled, smoothly."""
    return F.interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False)
