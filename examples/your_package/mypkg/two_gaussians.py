"""Points around two centres."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from diffstn.data.batches import SampleBatch
from diffstn.data.facts import Facts
from diffstn.data.labelled import Labelled
from diffstn.data.modules.in_memory import InMemoryData


class TwoGaussians(InMemoryData):
    """N(±centre, 0.1²) on the line, the sign being the class."""

    kind = "numbers"  # a kind that diffstn has not heard of
    classes = ["left", "right"]  # noqa: RUF012

    def __init__(self, centre: float = 0.5, items: int = 512, **options: Any) -> None:
        super().__init__(**options)
        self.centre, self.items = centre, items

    @property
    def facts(self) -> Facts:
        return Facts(self.kind, tuple(self.classes), dim=1)

    def load(self) -> Mapping[str, Labelled]:
        splits = {}
        for seed, split in enumerate(("train", "val", "test")):
            generator = torch.Generator().manual_seed(seed)
            label = torch.randint(2, (self.items,), generator=generator)
            noise = 0.1 * torch.randn(self.items, 1, generator=generator)
            splits[split] = Labelled((2.0 * label[:, None] - 1) * self.centre + noise, label)
        return splits

    def batch(self, split: str, indices: Tensor, device: torch.device | str = "cpu") -> SampleBatch:
        return SampleBatch(*self.split(split, device).at(indices.to(device)))
