"""Images that workers read while a model trains."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler
from torch.utils.data._utils.pin_memory import pin_memory

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
    """The batches of an `IndexLoader` with the images read, by workers of their own.

    They are processes, which start with the first pass and stay for the next ones, or, for images
    that are only copied, threads: a batch takes longer from one process to another than a copy.

    Args:
        images: one split.
        workers: who reads ahead; 0 reads between the steps.
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
        found = self._by_processes() if self.images.decodes else self._by_threads()
        for batch in found:
            if isinstance(batch, UserError):
                raise batch
            yield batch

    def _by_processes(self) -> Iterator[Any]:
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
        yield from self._reader

    def _by_threads(self) -> Iterator[Any]:
        rows, pinned = _Rows(self.images), torch.cuda.is_available()

        def read(batch: Tensor) -> Any:
            found = rows[batch]
            return pin_memory(found) if pinned else found

        if not self.workers:
            yield from map(read, self._order.batches)
            return
        with ThreadPoolExecutor(self.workers) as threads:
            waiting: deque[Future] = deque()
            try:
                for batch in self._order.batches:
                    waiting.append(threads.submit(read, batch))
                    if len(waiting) > AHEAD * self.workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:  # a pass may end early
                threads.shutdown(cancel_futures=True)
