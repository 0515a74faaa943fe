"""Point clouds of one size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from diffstn.data.batches import SampleBatch
from diffstn.data.facts import Facts
from diffstn.data.modules.in_memory import InMemoryData
from diffstn.errors import UserError
from diffstn.ranks import of_all


class CloudData(InMemoryData):
    """Batches of whole clouds, all of one size.

    Args:
        points_per_step: train on so many points of each cloud, drawn anew at every step; None: all.
            Networks that take any number of points learn the same from fewer, and faster.
        options: as for `InMemoryData`.

    Attributes:
        dim: coordinates of a point.
        points: of each cloud.
    """

    kind = "clouds"
    dim: int
    points: int

    def __init__(self, points_per_step: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        if points_per_step is not None and points_per_step < 1:
            raise UserError(f"data.points_per_step is {points_per_step}: it must be at least 1")
        self.points_per_step = points_per_step

    @property
    def facts(self) -> Facts:
        return Facts(kind=self.kind, classes=tuple(self.classes), dim=self.dim, points=self.points)

    def batch(self, split: str, indices: Tensor, device: torch.device | str = "cpu") -> SampleBatch:
        """The clouds of `split` at `indices` (B,), those of training thinned if so chosen."""
        clouds, labels = self.split(split, device).at(indices.to(device))
        total = clouds.shape[1]
        if split == "train" and self.points_per_step and self.points_per_step < total:
            order = of_all(
                lambda n, generator: torch.rand(
                    n, total, generator=generator, device=clouds.device
                ),
                len(clouds),
                clouds.device,
            )
            chosen = order.topk(self.points_per_step, dim=1).indices
            clouds = clouds.gather(1, chosen[..., None].expand(-1, -1, clouds.shape[2]))
        return SampleBatch(clouds, labels)
