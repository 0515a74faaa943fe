"""Batches of labelled items by their rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor

from diffstn.data.batches import IndexLoader
from diffstn.data.facts import Facts
from diffstn.errors import UserError


class IndexedData(LightningDataModule, ABC):
    """Batches of what a split has at given rows.

    Loaders yield rows, or what was read there, and `on_after_batch_transfer` makes batches of it on
    the training device. Nothing is read before `setup`, and `batch` and `batches` serve without any
    trainer.

    Args:
        batch_size: training items per step and rank.
        eval_batch_size: items per step in validation and test.
        limit_train, limit_val, limit_test: use only the first so many items; None: all.
        seed: with the epoch, fixes the order of the training items.

    Attributes:
        kind: what the batches hold, see `diffstn.data.kinds`.
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

    @property
    @abstractmethod
    def facts(self) -> Facts:
        """What a model must know of the data to be built."""

    @property
    @abstractmethod
    def is_loaded(self) -> bool:
        """Whether `setup` has been called, so that labels and items are at hand."""

    @abstractmethod
    def setup(self, stage: str | None = None) -> None:
        """Read what must be read before the first batch, once."""

    @abstractmethod
    def labels(self, split: str) -> Tensor:
        """(N,) int64 on the CPU: the classes of all items of `split`."""

    @abstractmethod
    def digest(self, split: str) -> str:
        """24 hex digits that are the same only for the same items in the same order."""

    @abstractmethod
    def batch(self, split: str, indices: Tensor, device: torch.device | str = "cpu") -> Any:
        """What a training step receives of the items of `split` at `indices` (B,), on `device`."""

    def count(self, split: str) -> int:
        """How many items `split` has, N."""
        return len(self.labels(split))

    def prepare_data(self) -> None:
        """Read on one process of each machine first: only that one may download."""
        self.setup()

    def batches(
        self, split: str, batch_size: int | None = None, device: torch.device | str = "cpu"
    ) -> Iterator[Any]:
        """Every item of `split` once, in order."""
        for indices in IndexLoader(self.count(split), batch_size or self.eval_batch_size):
            yield self.batch(split, indices, device)

    def train_dataloader(self) -> IndexLoader:
        """Full batches in an order of the seed and the epoch."""
        return self.loader("train", self.batch_size, shuffle=True, drop_last=True)

    def val_dataloader(self) -> IndexLoader:
        """Validation items in order."""
        return self.loader("val", self.eval_batch_size)

    def test_dataloader(self) -> IndexLoader:
        """Test items in order."""
        return self.loader("test", self.eval_batch_size)

    def loader(
        self, split: str, batch_size: int, shuffle: bool = False, drop_last: bool = False
    ) -> IndexLoader:
        """This process's share of `split`, see `IndexLoader`."""
        return IndexLoader(
            self.count(split),
            batch_size,
            shuffle=shuffle,
            drop_last=drop_last,
            seed=self.seed,
            rank=self.trainer.global_rank if self.trainer else 0,
            world_size=self.trainer.world_size if self.trainer else 1,
        )

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """What a loader yielded as the batch that a step receives."""
        trainer = self.trainer
        if trainer is None:
            raise RuntimeError("this hook is the trainer's: call batch(split, indices) instead")
        evaluated = "val" if trainer.validating or trainer.sanity_checking else "test"
        return self.received("train" if trainer.training else evaluated, batch)

    def received(self, split: str, rows: Any) -> Any:
        """The batch of what the loader of `split` yielded, on the device where that is now."""
        return self.batch(split, rows, rows.device)
