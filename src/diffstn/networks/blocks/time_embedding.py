"""Sinusoidal embedding of the timestep."""

import math

import torch
from torch import Tensor, nn


class TimeEmbedding(nn.Module):
    r"""Sines and cosines of t at geometrically spaced frequencies.

    $$e_{i}(t) = \sin(t\,\omega_i),\quad e_{i+d/2}(t) = \cos(t\,\omega_i),\quad
    \omega_i = 10000^{-2i/d}$$

    with d = `features`, as in "Attention Is All You Need" (Vaswani et al., 2017, section 3.5) and
    DDPM (Ho et al., 2020). Maps t of any shape (*) to (*, features), float32.
    """

    def __init__(self, features: int = 64) -> None:
        super().__init__()
        if features < 2 or features % 2:
            raise ValueError(f"time embedding needs an even number of features, got {features}")
        self.features = features
        half = features // 2
        frequencies = torch.exp(torch.arange(half) * (-math.log(10_000.0) / half))
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, t: Tensor) -> Tensor:
        angles = t.to(torch.float32)[..., None] * self.get_buffer("frequencies")
        return torch.cat([angles.sin(), angles.cos()], dim=-1)
