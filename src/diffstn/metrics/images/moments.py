"""Mean and covariance of a stream of vectors."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


class Moments(Metric):
    """Count, sum and sum of outer products in float64: memory does not grow with the stream.

    Args:
        size: D of the vectors.
    """

    full_state_update = False
    count: Tensor
    total: Tensor
    outer: Tensor

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("count", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("total", torch.zeros(size, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("outer", torch.zeros(size, size, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, vectors: Tensor) -> None:
        """Take in vectors (B, D)."""
        vectors = vectors.double()
        self.count += len(vectors)
        self.total += vectors.sum(0)
        self.outer += vectors.T @ vectors

    def compute(self) -> tuple[Tensor, Tensor]:
        """Mean (D,) and unbiased covariance (D, D).

        Raises:
            ValueError: fewer than two vectors.
        """
        if self.count < 2:
            raise ValueError("a covariance needs two vectors or more")
        mean = self.total / self.count
        scatter = self.outer - self.count * torch.outer(mean, mean)
        return mean, scatter / (self.count - 1)

    def set_dtype(self, dst_type: object) -> "Moments":
        """Stay in float64, whatever the model around it is cast to."""
        return self
