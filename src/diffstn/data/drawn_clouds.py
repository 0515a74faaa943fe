"""Sets of point clouds that are drawn, not read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Generator, Tensor

from diffstn.data.batches import keyed_generator
from diffstn.data.clouds import CloudData
from diffstn.data.in_memory import SPLITS
from diffstn.data.labelled import Labelled
from diffstn.errors import UserError


def between(bounds: tuple[float, float], n: int, generator: Generator | None) -> Tensor:
    """(n,) independent draws from the uniform distribution on [bounds]."""
    return torch.empty(n).uniform_(*bounds, generator=generator)


class DrawnClouds(CloudData):
    """Clouds of random shapes; the same for the same `data_seed`.

    Args:
        points: of each cloud.
        train, val, test: how many clouds of each split.
        data_seed: fixes the clouds.
        options: as for `CloudData`.

    Raises:
        UserError: a number is not positive.
    """

    def __init__(
        self,
        points: int = 1024,
        train: int = 1024,
        val: int = 128,
        test: int = 256,
        data_seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.sizes = {"train": train, "val": val, "test": test}
        for name, value in {**self.sizes, "points": points}.items():
            if value < 1:
                raise UserError(f"data.{name} is {value}: it must be at least 1")
        self.points, self.data_seed = points, data_seed

    @abstractmethod
    def draw(self, n: int, points: int, generator: Generator | None = None) -> Labelled:
        """n independent clouds of so many points: items (n, points, dim)."""

    def load(self) -> Mapping[str, Labelled]:
        return {
            split: self.draw(
                self.sizes[split],
                self.points,
                keyed_generator(self.data_seed, SPLITS.index(split)),
            )
            for split in SPLITS
        }
