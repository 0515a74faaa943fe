"""Data that stay in memory, on the device that trains on them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor

from diffstn.data.batches import IndexLoader
from diffstn.data.labelled import Labelled
from diffstn.errors import UserError

SPLITS = ("train", "val", "test")


class InMemoryData(LightningDataModule, ABC):
    """Batches gathered by index from labelled tensors.

    The tensors move to the training device once. Loaders yield indices, and
    `on_after_batch_transfer` gathers the items there. Nothing is read before `setup`, and `batch`
    and `batches` serve without any trainer.

    Args:
        batch_size: training items per step and rank.
        eval_batch_size: items per step in validation and test.
        limit_train, limit_val, limit_test: use only the first so many items; None: all.
        seed: with the epoch, fixes the order of the training items.

    Attributes:
        kind: what the batches hold, see `diffstn.runs.checks.KINDS`.
        classes: their names, in the order of the labels.

    Raises:
        UserError: a batch size or a limit is not positive.
    """

    kind: str
    classes: list[str]

    def __init__(
        self,
        batch_size: int = 256,
        eval_batch_size: int = 1000,
        limit_train: int | None = None,
        limit_val: int | None = None,
        limit_test: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        limits = {"train": limit_train, "val": limit_val, "test": limit_test}
        for name, value in {
            "batch_size": batch_size,
            "eval_batch_size": eval_batch_size,
            **{f"limit_{split}": limit for split, limit in limits.items()},
        }.items():
            if value is not None and value < 1:
                raise UserError(f"data.{name} is {value}: it must be at least 1")
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size
        self.limits, self.seed = limits, seed
        self._splits: dict[str, Labelled] = {}
        self._complete: dict[str, int] = {}  # items per split before the limits

    @abstractmethod
    def load(self) -> Mapping[str, Labelled]:
        """The items of every split, read or drawn."""

    @abstractmethod
    def batch(self, split: str, indices: Tensor, device: torch.device | str = "cpu") -> Any:
        """What a training step receives of the items of `split` at `indices` (B,), on `device`."""

    def prepare_data(self) -> None:
        """Read on one process of each machine first: only that one may download."""
        self.setup()

    def setup(self, stage: str | None = None) -> None:
        """Read the items, once."""
        if not self._splits:
            splits = self.load()
            self._complete = {split: len(splits[split].labels) for split in SPLITS}
            self._splits = {split: splits[split].first(self.limits[split]) for split in SPLITS}

    @property
    def is_loaded(self) -> bool:
        """Whether the items have been read."""
        return bool(self._splits)

    def split(self, split: str, device: torch.device | str = "cpu") -> Labelled:
        """The items of one split, kept on the device that last asked for them."""
        self.setup()
        items = self._splits[split]
        if items.labels.device != torch.device(device):
            with torch.inference_mode(False):  # evaluation may ask first, training needs them too
                items = self._splits[split] = items.to(device)
        return items

    def batches(
        self, split: str, batch_size: int | None = None, device: torch.device | str = "cpu"
    ) -> Iterator[Any]:
        """Every item of `split` once, in order."""
        size = len(self.split(split).labels)
        for indices in IndexLoader(size, batch_size or self.eval_batch_size):
            yield self.batch(split, indices, device)

    def train_dataloader(self) -> IndexLoader:
        return self._loader("train", self.batch_size, shuffle=True, drop_last=True)

    def val_dataloader(self) -> IndexLoader:
        return self._loader("val", self.eval_batch_size)

    def test_dataloader(self) -> IndexLoader:
        return self._loader("test", self.eval_batch_size)

    def on_after_batch_transfer(self, batch: Tensor, dataloader_idx: int) -> Any:
        trainer = self.trainer
        if trainer is None:
            raise RuntimeError("this hook is the trainer's: call batch(split, indices) instead")
        evaluated = "val" if trainer.validating or trainer.sanity_checking else "test"
        return self.batch("train" if trainer.training else evaluated, batch, batch.device)

    def _loader(
        self, split: str, batch_size: int, shuffle: bool = False, drop_last: bool = False
    ) -> IndexLoader:
        self.setup()
        return IndexLoader(
            len(self._splits[split].labels),
            batch_size,
            shuffle=shuffle,
            drop_last=drop_last,
            seed=self.seed,
            rank=self.trainer.global_rank if self.trainer else 0,
            world_size=self.trainer.world_size if self.trainer else 1,
        )
