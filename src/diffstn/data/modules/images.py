"""What all data modules of images know of them."""

from typing import Any

from diffstn.data.distortions import Distortion
from diffstn.data.facts import Facts
from diffstn.data.modules.indexed import IndexedData
from diffstn.data.sources.source import ImageSource
from diffstn.spatial import Transformation


class ImageData(IndexedData):
    """Images from a source.

    Args:
        images: where they come from, e.g. `MNIST()`.
        options: as for `IndexedData`.

    Attributes:
        kind: "upright" or "distorted", what the batches hold.
        channels: C of the images.
        size: (h, w) of the upright images.
        canvas: (H, W) of the images in a batch: `size`, unless a distortion has a canvas.
        distortion: what distorts them, if anything does.
        transformation: the family that undoes it.
    """

    distortion: Distortion | None = None

    def __init__(self, images: ImageSource, **options: Any) -> None:
        super().__init__(**options)
        self.images = images
        self.channels = images.channels
        self.size: tuple[int, int] = images.size
        self.classes = list(images.classes)

    @property
    def canvas(self) -> tuple[int, int]:
        return (self.distortion and self.distortion.canvas) or self.size

    @property
    def transformation(self) -> Transformation | None:
        return self.distortion.transformation if self.distortion else None

    @property
    def facts(self) -> Facts:
        return Facts(
            kind=self.kind,
            classes=tuple(self.classes),
            channels=self.channels,
            size=self.size,
            canvas=self.canvas,
            transformation=self.transformation,
            any_rotation=bool(self.distortion and self.distortion.any_rotation),
        )
