"""A network that says by its parameters what it must know."""

import torch
from torch import Tensor, nn


class TinyNetwork(nn.Module):
    """Three layers over (x_t, t / T): (B, dim), (B,) → (B, dim)."""

    def __init__(self, dim: int, steps: int, width: int = 32) -> None:
        super().__init__()
        self.steps = steps
        self.layers = nn.Sequential(
            *(nn.Linear(dim + 1, width), nn.SiLU()),
            *(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, dim)),
        )

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        return self.layers(torch.cat([x_t, t[:, None] / self.steps], dim=1))
