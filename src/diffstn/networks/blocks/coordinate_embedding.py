"""Sinusoidal embedding of coordinates."""

import math

import torch
from torch import Tensor, nn


class CoordinateEmbedding(nn.Module):
    r"""Each coordinate, its sines and cosines at frequencies that double, side by side.

    $$x \mapsto (x,\ \sin 2^k \pi x / 2,\ \cos 2^k \pi x / 2),\quad 0 \le k < \text{octaves}$$

    A network of smooth units learns low frequencies first; these let it draw corners and teeth
    ("Fourier Features Let Networks Learn High Frequency Functions", Tancik et al., 2020). The
    embedding of a point is bounded, so the coordinate itself comes along for points far outside.

    Shapes: (*, dim) → (*, dim · (1 + 2 · octaves)). With `octaves=0` the coordinates pass alone.

    Raises:
        ValueError: octaves is negative.
    """

    def __init__(self, dim: int, octaves: int = 5) -> None:
        super().__init__()
        if octaves < 0:
            raise ValueError(f"octaves must be at least 0, not {octaves}")
        self.features = dim * (1 + 2 * octaves)
        self.register_buffer("frequencies", 2.0 ** torch.arange(octaves) * math.pi / 2, False)

    def forward(self, x: Tensor) -> Tensor:
        angles = (x[..., None] * self.get_buffer("frequencies")).flatten(-2)
        return torch.cat([x, angles.sin(), angles.cos()], dim=-1)
