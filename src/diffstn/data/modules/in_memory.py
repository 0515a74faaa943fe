"""Data that stay in memory, on the device that trains on them."""

import hashlib
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from diffstn.data.labelled import Labelled
from diffstn.data.modules.indexed import IndexedData
from diffstn.data.splits import SPLITS


class InMemoryData(IndexedData):
    """Batches gathered by index from labelled tensors, which move to the training device once.

    Args:
        options: as for `IndexedData`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._splits: dict[str, Labelled] = {}
        self._complete: dict[str, int] = {}  # items per split before the limits

    @abstractmethod
    def load(self) -> Mapping[str, Labelled]:
        """The items of every split, read or drawn."""

    def setup(self, stage: str | None = None) -> None:
        """Read the items, once."""
        if not self._splits:
            splits = self.load()
            self._complete = {split: len(splits[split].labels) for split in SPLITS}
            self._splits = {split: splits[split].first(self.limits[split]) for split in SPLITS}

    @property
    def is_loaded(self) -> bool:
        return bool(self._splits)

    def split(self, split: str, device: torch.device | str | None = "cpu") -> Labelled:
        """The items of one split, kept on the device that last asked for them; None: any."""
        self.setup()
        items = self._splits[split]
        if device is not None and items.labels.device != torch.device(device):
            with torch.inference_mode(False):  # evaluation may ask first, training needs them too
                items = self._splits[split] = items.to(device)
        return items

    def count(self, split: str) -> int:
        return len(self.split(split, None).labels)

    def labels(self, split: str) -> Tensor:
        return self.split(split, None).labels.cpu()

    def digest(self, split: str) -> str:
        """SHA-256 of the items' bytes, its first 24 hex digits."""
        items = self.split(split, None).items
        return hashlib.sha256(items.cpu().numpy().tobytes()).hexdigest()[:24]
