"""What all data modules of images know of them."""

from collections.abc import Sequence
from typing import Annotated, Any

import torch
from torch import Tensor

from diffstn.annotations import AtLeast, Share
from diffstn.data.augmentation import Alternate, Augmentation, Beyond
from diffstn.data.disc import Disc, in_disc
from diffstn.data.distortions import Distortion
from diffstn.data.facts import Facts
from diffstn.data.labelled import Labelled
from diffstn.data.modules.indexed import IndexedData
from diffstn.data.sources.chosen import ChosenClasses
from diffstn.data.sources.source import ImageSource
from diffstn.errors import UserError
from diffstn.spatial import Transformation

Pixels = Annotated[int, AtLeast(0)]


class ImageData(IndexedData):
    """Images from a source.

    Args:
        images: where they come from, e.g. `MNIST()`.
        classes: the classes to keep, by their names or numbers, in the order of their new labels;
            None: all.
        flip, crop, crop_fill: of the training images, see `Augmentation`.
        disc: `black` or `mirrored` outside the disc that fits into an image, so that its corners do
            not tell how it was turned, see `in_disc`; None or False: images as they are. True is
            black.
        options: as for `IndexedData`.

    Attributes:
        kind: "upright" or "distorted", what the batches hold.
        channels: C of the images.
        size: (h, w) of the upright images.
        canvas: (H, W) of the images in a batch: `size`, unless a distortion has a canvas.
        distortion: what distorts them, if anything does.
        transformation: the family that undoes it.

    Raises:
        UserError: there are no such classes, or such an augmentation or disc cannot be.
    """

    distortion: Distortion | None = None

    def __init__(
        self,
        images: ImageSource,
        classes: Sequence[str | int] | None = None,
        flip: Share | Alternate = 0.0,
        crop: Pixels = 0,
        crop_fill: Beyond = "reflection",
        disc: Disc | bool | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.images = images if classes is None else ChosenClasses(images, classes)
        images = self.images
        self.channels = images.channels
        self.size: tuple[int, int] = images.size
        self.classes = list(images.classes)
        self.augmentation = Augmentation(flip, crop, crop_fill)
        self.augmentation.check(self.size)
        self.disc: str | None = "black" if disc is True else disc or None
        try:
            self.seen(Labelled(torch.zeros(1, 1, *self.size), torch.zeros(1)))
        except ValueError as error:
            raise UserError(f"data.{error}") from None

    def seen(self, images: Labelled) -> Labelled:
        """What is left of the source's images (N, C, h, w): all, or their discs."""
        if self.disc is None:
            return images
        return Labelled(in_disc(images.items, self.disc), images.labels)

    def augmented(self, split: str, images: Tensor, rows: Tensor | None = None) -> Tensor:
        """Images (B, C, H, W) as a training step sees them: those of other splits as they are.

        Args:
            rows: (B,), where the images stand in their split; None: not known, so that mirrors
                cannot alternate.
        """
        if split != "train":
            return images
        epoch = self.trainer.current_epoch if self.trainer else 0
        return self.augmentation(images, None if rows is None else rows.to(images.device) + epoch)

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
            rotations=self.distortion.rotations if self.distortion else None,
            disc=self.disc,
        )
