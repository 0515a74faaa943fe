"""Where labelled images come from."""

from typing import Protocol

from diffstn.data.labelled import Labelled
from diffstn.errors import UserError

HELD_OUT = 5000
"""How many of the last training images are kept for validation."""


class ImageSource(Protocol):
    """A data set that is cheap to name and is read by `load`.

    What a network must know to be built (`channels`, `size` = (height, width), `classes`) is known
    before anything is read. A source whose images can be read one at a time has a method `index`
    too, of the splits as `StoredImages`.
    """

    @property
    def channels(self) -> int:
        """C of the images."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the images."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, in the order of the labels."""
        ...

    def load(self) -> dict[str, Labelled]:
        """The splits train, val and test; images are (N, C, H, W) uint8."""
        ...


def hold_out(training: Labelled, test: Labelled) -> dict[str, Labelled]:
    """Splits with the last `HELD_OUT` training images as validation set.

    Raises:
        UserError: there are too few training images to keep any.
    """
    kept = len(training.labels) - HELD_OUT
    if kept <= 0:
        raise UserError(
            f"{len(training.labels)} training images are too few: the last {HELD_OUT} are the "
            "validation set; put the complete files there"
        )
    validation = Labelled(training.items[kept:], training.labels[kept:])
    return {"train": training.first(kept), "val": validation, "test": test}
