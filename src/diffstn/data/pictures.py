"""A labelled set of pictures, and where it comes from."""

from typing import ClassVar, NamedTuple, Protocol

from torch import Tensor

from diffstn.errors import UserError

HELD_OUT = 5000
"""How many of the last training pictures are kept for validation."""


class Pictures(NamedTuple):
    """Pictures and their classes.

    Shapes:
        images: (N, C, H, W) uint8.
        labels: (N,) int64, in 0 … number of classes - 1.
    """

    images: Tensor
    labels: Tensor

    def first(self, n: int | None) -> "Pictures":
        """The first `n` pictures; all of them for None."""
        return Pictures(self.images[:n], self.labels[:n])

    def to(self, device) -> "Pictures":
        """The same pictures on another device."""
        return Pictures(self.images.to(device), self.labels.to(device))


class PictureSource(Protocol):
    """A data set that is cheap to name and is read by `load`.

    What a network must know to be built (`channels`, `size` = (height, width), `classes`) is known
    before anything is read.
    """

    channels: ClassVar[int]
    size: ClassVar[tuple[int, int]]
    classes: ClassVar[tuple[str, ...]]

    def load(self) -> dict[str, Pictures]:
        """The splits: train, val, test."""
        ...


def hold_out(training: Pictures, test: Pictures) -> dict[str, Pictures]:
    """Splits with the last `HELD_OUT` training pictures as validation set.

    Raises:
        UserError: there are too few training pictures to keep any.
    """
    kept = len(training.labels) - HELD_OUT
    if kept <= 0:
        raise UserError(
            f"{len(training.labels)} training pictures are too few: the last {HELD_OUT} are the "
            "validation set; point data.pictures at the complete files"
        )
    validation = Pictures(training.images[kept:], training.labels[kept:])
    return {"train": training.first(kept), "val": validation, "test": test}
