"""Images that workers read while a model trains."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from diffstn.data.batches import IndexLoader
from diffstn.data.sources.stored import StoredImages
from diffstn.errors import UserError


class _Rows(Dataset):
    """Whole batches of stored images, read where they are asked for.

    What cannot be read is handed over as the exception: a worker's would arrive with its traceback
    in the message.
    """

    def __init__(self, images: StoredImages) -> None:
        self.images = images

    def __getitem__(self, rows: Tensor) -> Any:
        try:
            return self.images.at(rows)
        except UserError as error:
            return error


class StreamedLoader(IndexLoader):
    """The batches of an `IndexLoader` with the images read, by processes of their own.

    Args:
        images: one split.
        workers: processes that read ahead; 0 reads between the steps.
        batch_size, options: as for `IndexLoader`.

    Yields:
        `Labelled` with items (B, C, H, W) uint8 and labels (B,), on the CPU.

    Raises:
        UserError: while it yields, if an image cannot be read.
    """

    def __init__(
        self, images: StoredImages, batch_size: int, *, workers: int = 0, **options: Any
    ) -> None:
        super().__init__(len(images), batch_size, **options)
        self.images, self.workers = images, workers

    def __iter__(self) -> Iterator[Any]:
        reader = DataLoader(
            _Rows(self.images),
            batch_size=None,
            sampler=list(super().__iter__()),
            num_workers=self.workers,
            generator=torch.Generator(),  # the global one is for the training
        )
        for batch in reader:
            if isinstance(batch, UserError):
                raise batch
            yield batch
