"""An encoder for which a rotation of the image is a shift."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from diffstn.networks.blocks.placed import Placed
from diffstn.spatial import Affine, turned, warp_points


class AroundTheCircle(torch.autograd.Function):
    """The last column again before the first and the first after the last: (..., n) → (..., n + 2).

    The gradient that reaches a repeated column is added to its original. Written out because the
    general gradients of slices and of `torch.cat` take a fifth of a training step on a CPU, and the
    circular mode of `F.pad` loses channels-last.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.cat([x[..., -1:], x, x[..., :1]], dim=-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        inner = gradient[..., 1:-1].clone()
        inner[..., -1] += gradient[..., 0]
        inner[..., 0] += gradient[..., -1]
        return inner


class AngularConvolution(nn.Module):
    """3×3 convolution on (radius, angle), around the circle circular and zero-padded in radius;
    batch norm, ReLU. Shifting the input in angle by the stride shifts the output by one.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=(1, 0), bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        around = AroundTheCircle.apply(x)
        return F.relu(self.norm(self.convolution(around)), inplace=True)


class PolarEncoder(nn.Module):
    r"""Resample around the content's centre to (radius, angle), convolve, embed.

    The image is read at $C(r_i \cos\phi_j,\, r_i \sin\phi_j)$, C the image's frame. Turning the
    content by one angular step shifts the samples by one column, so all layers up to the head are
    equivariant to rotations: a stroke learnt at one angle is known at all. The head sees both what
    there is (mean and maximum over the angles, which a rotation leaves alone) and where it is (all
    positions, through a 1×1 neck).

    With `place` the embedding is told where the frame lies on the canvas and how large it is, see
    `Placed`; without, both are forgotten.

    After "Polar Transformer Networks" (Esteves et al., 2018), with the centre from moments.

    Args:
        channels: of the image.
        frame: images (B, C, H, W) → affine maps (B, 6), such as `moment_frame`; None for the
            image itself.
        widths: output channels of each convolution.
        strides: of each, in both directions, as many as widths.
        radii, angles: of the polar lattice; their product is the cost. The strides'
            product should divide the angles.
        reach: largest radius, in units of the frame.
        neck: channels that are flattened.
        features: length of the embedding.
        place: tell it the frame's place and size.

    Shapes: (B, channels, H, W) → (B, features).

    Raises:
        ValueError: widths and strides of different lengths, or there is no frame to tell of.
    """

    def __init__(
        self,
        channels: int,
        frame: Callable[[Tensor], Tensor] | None = None,
        widths: Sequence[int] = (32, 64, 64, 128, 128, 128),
        strides: Sequence[int] = (1, 2, 1, 2, 1, 1),
        radii: int = 14,
        angles: int = 48,
        reach: float = 0.95,
        neck: int = 24,
        features: int = 256,
        place: bool = False,
    ) -> None:
        super().__init__()
        if place and frame is None:
            raise ValueError("encoder.place=true tells of a frame: choose frame=moments")
        if len(widths) != len(strides):
            raise ValueError(f"{len(widths)} widths need as many strides, got {len(strides)}")
        self.frame = frame
        self.features = features
        r = (torch.arange(radii) + 0.5) / radii * reach
        phi = torch.arange(angles) * (2 * torch.pi / angles)
        lattice = torch.stack([r[:, None] * phi.cos(), r[:, None] * phi.sin()], dim=-1)
        self.register_buffer("lattice", lattice, persistent=False)
        layers: list[nn.Module] = []
        previous = channels
        for out, stride in zip(widths, strides, strict=True):
            layers.append(AngularConvolution(previous, out, stride))
            previous, radii, angles = out, -(-radii // stride), -(-angles // stride)
        self.body = nn.Sequential(*layers)
        self.neck = nn.Sequential(
            nn.Conv2d(previous, neck, 1, bias=False), nn.BatchNorm2d(neck), nn.ReLU(inplace=True)
        )
        self.where = nn.Linear(neck * radii * angles, features, bias=False)
        self.what = nn.Linear(2 * previous * radii, features, bias=False)
        self.norm = nn.BatchNorm1d(features)
        self.placed = Placed(features) if place else None

    def polar(self, image: Tensor, frame: Tensor | None) -> Tensor:
        """The image on the polar lattice of its frame (B, 6), (B, channels, radii, angles)."""
        lattice = self.get_buffer("lattice")
        points = lattice.flatten(0, 1)[None].expand(image.shape[0], -1, -1)
        if frame is not None:
            points = Affine().points(frame, points)
        return warp_points(image, points.unflatten(1, lattice.shape[:2]))

    def forward(
        self, image: Tensor, turn: Tensor | None = None, size: Tensor | float = 1.0
    ) -> Tensor:
        """The embedding (B, features) of images (B, C, H, W) in their frames, see `turned`."""
        frame = None if self.frame is None else turned(self.frame, image, turn, size)
        h = self.body(self.polar(image, frame).contiguous(memory_format=torch.channels_last))
        what = torch.cat([h.mean(dim=3).flatten(1), h.amax(dim=3).flatten(1)], dim=1)
        where = self.neck(h).flatten(1)
        embedding = F.relu(self.norm(self.where(where) + self.what(what)))
        if self.placed is None or frame is None:
            return embedding
        return self.placed(embedding, frame)
