"""Poses as numbers of mean 0 and deviation 1."""

import torch
from torch import Tensor, nn

SMALLEST_STD = 0.1


class StandardisedPose(nn.Module):
    """x = (A − μ) / s, entry by entry, and back; μ and s travel with the weights.

    s is at least 0.1, a twentieth of the image's side: an entry that varies less (the translation
    left in a frame of moments) is known well enough and must not take its share of the network.

    Args:
        dim: length of a pose vector.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("std", torch.ones(dim))

    @torch.no_grad()
    def fit(self, poses: Tensor) -> None:
        """Take μ and s from example poses (N, dim)."""
        self.mean.copy_(poses.double().mean(0))
        self.std.copy_(poses.double().std(0).clamp_min(SMALLEST_STD))

    def encode(self, A: Tensor) -> Tensor:
        """Poses (*, dim) → x_0 (*, dim)."""
        return (A - self.mean) / self.std

    def decode(self, x: Tensor) -> Tensor:
        """x_0 (*, dim) → poses (*, dim)."""
        return x * self.std + self.mean
