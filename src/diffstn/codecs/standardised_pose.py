"""Poses as numbers of mean 0 and deviation 1."""

from typing import Any

import torch
from torch import Tensor, nn

EXAMPLES = 10_000
SMALLEST_STD = 0.1


class Standardiser(nn.Module):
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

    def fit(self, poses: Tensor) -> None:
        """Take μ and s from example poses (N, dim)."""
        self.mean.copy_(poses.double().mean(0))
        self.std.copy_(poses.double().std(0).clamp_min(SMALLEST_STD))

    def encode(self, A: Tensor) -> Tensor:
        return (A - self.mean) / self.std

    def decode(self, x: Tensor) -> Tensor:
        return x * self.std + self.mean


def fit_to_data(standardiser: Standardiser, model: Any, data: Any) -> None:
    """Fit to the poses, relative to the model's frames, of seeded distortions of training images.

    Args:
        model: a `PoseCorrector`.
        data: with `examples(n)`, batches of distorted training images that are always the same.
    """
    with torch.no_grad():
        relative = [model.to_frame(b.image, b.A) for b in data.examples(EXAMPLES)]
        standardiser.fit(torch.cat(relative))
