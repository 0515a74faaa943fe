"""Images as they are."""

from collections.abc import Mapping

import torch
from torch import Tensor

from diffstn.data.batches import Batch, DistortedBatch
from diffstn.data.labelled import Labelled
from diffstn.data.modules.images import ImageData
from diffstn.data.modules.in_memory import InMemoryData


class UprightData(ImageData, InMemoryData):
    """Batches of (image, label) from an image source.

    The images stay in memory as bytes and are scaled to [0, 1] a batch at a time. Arguments and
    attributes are those of `ImageData`.
    """

    kind = "upright"

    def load(self) -> Mapping[str, Labelled]:
        return {split: self.seen(images) for split, images in self.images.load().items()}

    def batch(
        self, split: str, indices: Tensor, device: torch.device | str = "cpu"
    ) -> Batch | DistortedBatch:
        """The images of `split` at `indices` (B,), as floats on `device`."""
        images, labels = self.split(split, device).at(indices.to(device))
        return Batch(images / 255, labels)

    def received(self, split: str, rows: Tensor) -> Batch | DistortedBatch:
        batch = self.batch(split, rows, rows.device)
        return batch._replace(image=self.augmented(split, batch.image, rows))
