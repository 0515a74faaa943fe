"""Data that are drawn, not read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Generator

from diffstn.data.batches import keyed_generator
from diffstn.data.labelled import Labelled
from diffstn.data.modules.in_memory import InMemoryData
from diffstn.data.splits import SPLITS
from diffstn.errors import UserError


class DrawnData(InMemoryData):
    """Independent draws; the same for the same `data_seed`.

    Args:
        train, val, test: how many items of each split.
        data_seed: fixes them.
        options: as for `InMemoryData`.

    Raises:
        UserError: a number is not positive.
    """

    def __init__(self, train: int, val: int, test: int, data_seed: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.sizes = dict(zip(SPLITS, (train, val, test), strict=True))
        for name, value in self.sizes.items():
            if value < 1:
                raise UserError(f"data.{name} is {value}: it must be at least 1")
        self.data_seed = data_seed

    @abstractmethod
    def fresh(self, n: int, generator: Generator) -> Labelled:
        """n new items of the kind that the splits hold."""

    def load(self) -> Mapping[str, Labelled]:
        return {
            split: self.fresh(size, keyed_generator(self.data_seed, SPLITS.index(split)))
            for split, size in self.sizes.items()
        }
