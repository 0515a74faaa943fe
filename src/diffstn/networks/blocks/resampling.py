"""Halving and doubling the sides of a feature map without weights."""

import torch.nn.functional as F
from torch import Tensor, nn

RESAMPLINGS = ("none", "down", "up")


class Resampling(nn.Module):
    """Nothing, the mean of 2×2 cells, or every cell as 2×2: (B, C, H, W) → (B, C, H', W').

    Raises:
        ValueError: another word than `none`, `down` or `up`.
    """

    def __init__(self, how: str = "none") -> None:
        super().__init__()
        if how not in RESAMPLINGS:
            raise ValueError(f"unknown resampling {how!r}; choose one of {', '.join(RESAMPLINGS)}")
        self.how = how

    def forward(self, h: Tensor) -> Tensor:
        if self.how == "down":
            return F.avg_pool2d(h, 2)
        return F.interpolate(h, scale_factor=2.0, mode="nearest") if self.how == "up" else h
