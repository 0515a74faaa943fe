"""Images as they are."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from diffstn.data.batches import Batch, DistortedBatch
from diffstn.data.distortions import Distortion
from diffstn.data.labelled import Labelled
from diffstn.data.modules.in_memory import InMemoryData
from diffstn.data.sources.source import ImageSource
from diffstn.spatial import Transformation


class UprightData(InMemoryData):
    """Batches of (image, label) from an image source.

    The images stay in memory as bytes and are scaled to [0, 1] a batch at a time.

    Args:
        images: where they come from, e.g. `MNIST()`.
        options: as for `InMemoryData`.

    Attributes:
        kind: "upright" or "distorted", what the batches hold.
        channels: C of the images.
        size: (h, w) of the upright images.
        canvas: (H, W) of the images in a batch; here `size`.
        distortion: what distorts them; here None.
        transformation: the family that undoes it; here None.
    """

    kind = "upright"

    def __init__(self, images: ImageSource, **options: Any) -> None:
        super().__init__(**options)
        self.images = images
        self.channels = images.channels
        self.size: tuple[int, int] = images.size
        self.classes = list(images.classes)
        self.distortion: Distortion | None = None

    @property
    def canvas(self) -> tuple[int, int]:
        return (self.distortion and self.distortion.canvas) or self.size

    @property
    def transformation(self) -> Transformation | None:
        return self.distortion.transformation if self.distortion else None

    def load(self) -> Mapping[str, Labelled]:
        return self.images.load()

    def batch(
        self, split: str, indices: Tensor, device: torch.device | str = "cpu"
    ) -> Batch | DistortedBatch:
        """The images of `split` at `indices` (B,), as floats on `device`."""
        images, labels = self.split(split, device).at(indices.to(device))
        return Batch(images / 255, labels)
