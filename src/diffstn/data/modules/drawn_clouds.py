"""Sets of point clouds that are drawn, not read."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Generator, Tensor

from diffstn.data.labelled import Labelled
from diffstn.data.modules.clouds import CloudData
from diffstn.data.modules.drawn import DrawnData
from diffstn.errors import UserError


def between(bounds: tuple[float, float], n: int, generator: Generator | None) -> Tensor:
    """(n,) independent draws from the uniform distribution on [bounds]."""
    return torch.empty(n).uniform_(*bounds, generator=generator)


class DrawnClouds(DrawnData, CloudData):
    """Clouds of random shapes.

    Args:
        points: of each cloud.
        train, val, test: how many clouds of each split.
        options: as for `DrawnData` and `CloudData`.

    Raises:
        UserError: a number is not positive.
    """

    def __init__(
        self,
        points: int = 1024,
        train: int = 1024,
        val: int = 128,
        test: int = 256,
        **options: Any,
    ) -> None:
        super().__init__(train=train, val=val, test=test, **options)
        if points < 1:
            raise UserError(f"data.points is {points}: it must be at least 1")
        self.points = points

    @abstractmethod
    def draw(self, n: int, points: int, generator: Generator | None = None) -> Labelled:
        """n independent clouds of so many points: items (n, points, dim)."""

    def fresh(self, n: int, generator: Generator) -> Labelled:
        return self.draw(n, self.points, generator)
