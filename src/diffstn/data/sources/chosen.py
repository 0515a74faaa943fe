"""Some of the classes of an image source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from diffstn.data.labelled import Labelled
from diffstn.data.sources.source import ImageSource
from diffstn.data.sources.stored import StoredImages
from diffstn.errors import UserError
from diffstn.words import closest


class ChosenClasses:
    """The images of some classes, as an image source.

    The labels become 0 … k − 1 in the order in which the classes were chosen; every split keeps the
    order of its images.

    Args:
        images: the whole.
        classes: two or more, by their names, or by their numbers where no class has such a name.

    Raises:
        UserError: a class is unknown or chosen twice, there are fewer than two, or, when the images
            are read, a split has none of them.
    """

    def __init__(self, images: ImageSource, classes: Sequence[str | int]) -> None:
        names = tuple(str(name) for name in images.classes)
        self.labels = [_label(one, names) for one in classes]
        said = f"data.classes=[{','.join(map(str, classes))}]"
        if twice := [one for one in self.labels if self.labels.count(one) > 1]:
            raise UserError(f"{said}: {names[twice[0]]} is named twice")
        if len(self.labels) < 2:
            raise UserError(f"{said}: name two classes or more; null keeps all {len(names)}")
        self.images, self.classes = images, tuple(names[label] for label in self.labels)
        self.channels, self.size, self.all = images.channels, images.size, len(names)

    def load(self) -> dict[str, Labelled]:
        """The splits of the whole, with fewer images."""
        return self._kept(self.images.load())

    def index(self) -> dict[str, StoredImages]:
        """The same with no image read, of a source that can do so."""
        return self._kept(self.images.index())  # type: ignore[attr-defined]

    def _kept(self, splits: Mapping[str, Any]) -> dict[str, Any]:
        """Those that are chosen of every split of `Labelled` or `StoredImages`."""
        new = torch.full((self.all,), -1)
        new[self.labels] = torch.arange(len(self.labels))
        kept = {}
        for split, images in splits.items():
            labels = new[images.labels]
            rows = torch.nonzero(labels >= 0).flatten()
            if not len(rows):
                raise UserError(
                    f"data.classes: no {split} image is of {' or '.join(self.classes)}; hold out"
                    " more, or choose other classes"
                )
            kept[split] = images.relabelled(rows, labels[rows])
        return kept


def _label(one: str | int, names: tuple[str, ...]) -> int:
    """The number of a class by its name or number.

    Raises:
        UserError: there is none.
    """
    said = str(one)
    if said in names:
        return names.index(said)
    if said.isdecimal() and int(said) < len(names):
        return int(said)
    raise UserError(
        f"data.classes: there is no class {said}; {closest(said, list(names))} (or 0 to"
        f" {len(names) - 1})"
    )
