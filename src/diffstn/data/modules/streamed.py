"""Images that do not fit into memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diffstn.data.batches import Batch
from diffstn.data.labelled import Labelled
from diffstn.data.modules.cached import cached, check_cache
from diffstn.data.modules.images import ImageData
from diffstn.data.modules.streamed_loader import StreamedLoader
from diffstn.data.sources.source import ImageSource
from diffstn.data.sources.stored import ReadByRow
from diffstn.data.splits import SPLITS
from diffstn.errors import UserError


class StreamedImages(ImageData):
    """Batches of (image, label) that are read as they are needed.

    The batches, their order and the splits are those of `UprightData` with the same source. An
    image that cannot be read ends the run with its name, for nobody has looked at all of them
    before.

    Args:
        images: a source that can `index` its images: `ImageFolder`, `TorchvisionImages` or
            `HuggingFaceImages`.
        workers: processes that read ahead; 0: none, the training waits for every batch.
        cache: a folder that keeps the images decoded, see `cached`; None: every epoch decodes them.
        options: as for `IndexedData`.

    Raises:
        UserError: the source cannot do that, mirrors are to alternate, `workers` is negative, or
            the cache cannot be written.
    """

    kind = "upright"

    def __init__(
        self, images: ImageSource, workers: int = 2, cache: str | None = None, **options: Any
    ) -> None:
        super().__init__(images, **options)
        if not hasattr(images, "index"):
            raise UserError(
                f"{type(images).__name__} is read as a whole: choose data=streamed_image_folder,"
                " streamed_torchvision or streamed_hugging_face"
            )
        if self.augmentation.flip == "alternate":
            raise UserError(
                "data.flip=alternate is for images in memory, whose rows are known; use a"
                " probability such as data.flip=0.5"
            )
        if workers < 0:
            raise UserError(f"data.workers is {workers}: it must be at least 0")
        self.workers, self.cache = workers, None if cache is None else Path(cache)
        if self.cache is not None:
            check_cache(self.cache)
        self._stored: dict[str, ReadByRow] = {}

    def setup(self, stage: str | None = None) -> None:
        """Find the images, and read none but those that the cache has yet to keep."""
        if not self._stored:
            splits = self.images.index()  # type: ignore[attr-defined]
            stored = {split: splits[split].first(self.limits[split]) for split in SPLITS}
            if self.cache is not None:
                for split in SPLITS:
                    stored[split] = cached(stored[split], self.cache, self.workers, split)
            self._stored = stored

    @property
    def is_loaded(self) -> bool:
        return bool(self._stored)

    def stored(self, split: str) -> ReadByRow:
        """The images of one split, none of them read."""
        self.setup()
        return self._stored[split]

    def count(self, split: str) -> int:
        return len(self.stored(split))

    def labels(self, split: str) -> Tensor:
        return self.stored(split).labels

    def digest(self, split: str) -> str:
        """A hash of what names the images (files with sizes and times, or a set's fingerprint)."""
        digest = self.stored(split).digest
        return digest if self.disc is None else f"{digest}-{self.disc}"

    def batch(self, split: str, indices: Tensor, device: torch.device | str = "cpu") -> Batch:
        """Read the images of `split` at `indices` (B,), as floats on `device`."""
        return as_batch(self.seen(self.stored(split).at(indices.cpu()).to(device)))

    def batches(
        self, split: str, batch_size: int | None = None, device: torch.device | str = "cpu"
    ) -> Iterator[Batch]:
        """Every image of `split` once, in order; the workers read ahead."""
        images, size = self.stored(split), batch_size or self.eval_batch_size
        for items in StreamedLoader(images, size, workers=self.workers):
            yield as_batch(self.seen(items.to(device)))

    def loader(
        self, split: str, batch_size: int, shuffle: bool = False, drop_last: bool = False
    ) -> StreamedLoader:
        return StreamedLoader(
            self.stored(split),
            batch_size,
            workers=self.workers,
            shuffle=shuffle,
            drop_last=drop_last,
            seed=self.seed,
            rank=self.trainer.global_rank if self.trainer else 0,
            world_size=self.trainer.world_size if self.trainer else 1,
        )

    def received(self, split: str, rows: Labelled) -> Batch:
        images = self.seen(rows)
        return as_batch(Labelled(self.augmented(split, images.items), images.labels))


def as_batch(images: Labelled) -> Batch:
    """Bytes as floats in [0, 1]."""
    return Batch(images.items / 255, images.labels)
