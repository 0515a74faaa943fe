"""Images that workers read while a model trains."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from diffstn.data.batches import IndexLoader
from diffstn.data.sources.stored import ReadByRow
from diffstn.errors import UserError

AHEAD = 4
"""Batches that a worker keeps ready: a slow one does not stop the training."""


class _Rows(Dataset):
    """Whole batches of stored images, read where they are asked for.

    What cannot be read is handed over as the exception: a worker's would arrive with its traceback
    in the message.
    """

    def __init__(self, images: ReadByRow) -> None:
        self.images = images

    def __getitem__(self, rows: Tensor) -> Any:
        try:
            return self.images.at(rows)
        except UserError as error:
            return error


class _Order(Sampler):
    """The rows of every batch of the pass that comes."""

    def __init__(self) -> None:
        self.batches: list[Tensor] = []

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class StreamedLoader(IndexLoader):
    """The batches of an `IndexLoader` with the images read, by processes of their own.

    The workers start with the first pass and stay for the next ones.

    Args:
        images: one split.
        workers: processes that read ahead; 0 reads between the steps.
        batch_size, options: as for `IndexLoader`.

    Yields:
        `Labelled` with items (B, C, H, W) uint8 and labels (B,), on the CPU; in pinned memory where
        there is a GPU to copy them to meanwhile.

    Raises:
        UserError: while it yields, if an image cannot be read.
    """

    def __init__(
        self, images: ReadByRow, batch_size: int, *, workers: int = 0, **options: Any
    ) -> None:
        super().__init__(len(images), batch_size, **options)
        self.images, self.workers, self._order = images, workers, _Order()
        self._reader: DataLoader | None = None

    def __iter__(self) -> Iterator[Any]:
        self._order.batches = list(super().__iter__())
        if self._reader is None:
            self._reader = DataLoader(
                _Rows(self.images),
                batch_size=None,
                sampler=self._order,
                num_workers=self.workers,
                prefetch_factor=AHEAD if self.workers else None,
                persistent_workers=self.workers > 0,
                pin_memory=torch.cuda.is_available(),
                generator=torch.Generator(),  # the global one is for the training
            )
        for batch in self._reader:
            if isinstance(batch, UserError):
                raise batch
            yield batch
