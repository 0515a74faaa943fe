"""Image sets from the Hugging Face hub, or as its library keeps them on disk."""

import functools
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diffstn.data.labelled import Labelled
from diffstn.data.sources.fitting import check_background, check_shape, fitted
from diffstn.data.sources.stored import StoredImages
from diffstn.data.splits import SPLITS, check_shares, hold_out_share
from diffstn.errors import UserError

NAMES = {
    "train": ("train",),
    "val": ("validation", "valid", "val", "dev"),
    "test": ("test",),
}
"""How sets call our splits."""


class HuggingFaceImages:
    """An image set of the `datasets` library, as an image source.

    The set is opened, which maps its files into memory and fetches those of the hub that are not in
    the library's cache; images are decoded when they are read. Splits that the set lacks are held
    out of its training images at random; a set with one split, of whatever name, is divided into
    three.

    Args:
        name: on the hub (ylecun/mnist), or a folder that `save_to_disk` wrote or that holds parquet
            files.
        subset: of sets that come in several; None: the set's own choice.
        image: the column that holds the images.
        label: the column that holds the classes: numbers or text; None: all are of one class.
        image_size: (height, width) of the images that come out: scaled until they cover it, cropped
            to it around the centre.
        channels: 3 for colour, 1 for grey.
        background: what transparent places show: a grey level, or [red, green, blue], in 0 … 1.
        val, test: shares that are held out where the set has no such split.
        data_seed: fixes what is held out.

    Raises:
        UserError: the library is not installed, there is no such set, column or class, or a setting
            is out of range; at `load`, an image cannot be decoded.
    """

    def __init__(
        self,
        name: str | None = None,
        subset: str | None = None,
        image: str = "image",
        label: str | None = "label",
        image_size: Sequence[int] = (32, 32),
        channels: int = 3,
        background: float | Sequence[float] = 1.0,
        val: float = 0.1,
        test: float = 0.1,
        data_seed: int = 0,
    ) -> None:
        if name is None:
            raise UserError(
                "data.name=null: pass data.name=ylecun/mnist, or another set of the Hugging Face"
                " hub, or a folder that save_to_disk wrote"
            )
        self.name, self.subset, self.image, self.label = str(name), subset, image, label
        self.size, self.channels = check_shape(image_size, channels), channels
        self.background = check_background(background, channels)
        check_shares(val, test)
        self.val, self.test, self.data_seed = val, test, data_seed

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The names that the set gives its classes, or else its training labels, sorted."""
        training = self._splits["train"]
        if self.label is None:
            return (".",)
        feature = training.features[self.label]
        names = getattr(feature, "names", None) or sorted(training.unique(self.label))
        return tuple(str(name) for name in names)

    def load(self) -> dict[str, Labelled]:
        """The splits; images that the set has in order stay in that order."""
        return {split: images.all(split) for split, images in self.index().items()}

    def index(self) -> dict[str, StoredImages]:
        """The splits with no image read."""
        own = self._splits
        parts = {split: (opened, torch.arange(len(opened))) for split, opened in own.items()}
        for purpose, (split, share) in enumerate((("test", self.test), ("val", self.val))):
            if split not in parts:
                left, out = hold_out_share(parts["train"][1], share, self.data_seed, purpose)
                parts["train"], parts[split] = (own["train"], left), (own["train"], out)
        stored = {split: self._stored(*parts[split]) for split in SPLITS}
        for split, images in stored.items():
            if not len(images):
                raise UserError(f"data.name={self.name} is too small: no {split} image is left")
        return stored

    @cached_property
    def _splits(self) -> dict[str, Any]:
        """The library's tables by our names of the splits; those that the set lacks are absent."""
        opened = self._opened()
        tables = dict(opened) if isinstance(opened, Mapping) else {"train": opened}
        if len(tables) == 1:
            tables = {"train": next(iter(tables.values()))}
        found = {
            split: next((tables[name] for name in names if name in tables), None)
            for split, names in NAMES.items()
        }
        if found["train"] is None:
            raise UserError(
                f"data.name={self.name} has no split called train but {', '.join(tables)}; save the"
                " splits under the names train, validation and test"
            )
        columns = found["train"].column_names
        for word, column in (("image", self.image), ("label", self.label)):
            if column is not None and column not in columns:
                raise UserError(
                    f"data.{word}={column}: the set has the columns {', '.join(columns)}"
                )
        return {split: table for split, table in found.items() if table is not None}

    def _opened(self) -> Any:
        try:
            import datasets
        except ImportError:
            raise UserError(
                "data=hugging_face needs the datasets library: pip install 'diffstn[hugging_face]'"
            ) from None
        folder = Path(self.name)
        saved = any((folder / file).exists() for file in ("dataset_dict.json", "state.json"))
        try:
            return (
                datasets.load_from_disk(self.name)
                if saved
                else datasets.load_dataset(self.name, self.subset)
            )
        except Exception as error:  # whatever the hub and damaged files make the library raise
            reason = " ".join(str(error).split())
            raise UserError(
                f"data.name={self.name} cannot be opened ({reason}); check the name, or pass a"
                " folder"
            ) from error

    def _stored(self, table: Any, rows: Tensor) -> StoredImages:
        labels = self._labels(table)
        about = f"{table._fingerprint} {self.image} {self.label} {self.size} {self.channels}"
        about += f" {self.background}"
        read = functools.partial(
            read_nth, table, self.image, self.size, self.channels, self.background
        )
        return StoredImages(read, rows, labels[rows], about)

    def _labels(self, table: Any) -> Tensor:
        """(N,) int64.

        Raises:
            UserError: one is none of the classes.
        """
        if self.label is None:
            return torch.zeros(len(table), dtype=torch.int64)
        values = list(table[self.label])
        if getattr(table.features[self.label], "names", None):
            known: dict[Any, int] = {number: number for number in range(len(self.classes))}
        else:
            known = {name: number for number, name in enumerate(self.classes)}
            values = [str(value) for value in values]
        if strange := [value for value in values if value not in known]:
            raise UserError(
                f"data.label={self.label}: {strange[0]} is none of the {len(self.classes)} classes"
                " of the training images; mend or remove its rows"
            )
        return torch.tensor([known[value] for value in values], dtype=torch.int64)


def read_nth(
    table: Any,
    column: str,
    size: tuple[int, int],
    channels: int,
    background: Sequence[int],
    row: int,
) -> Tensor:
    """The image in a row of a table, fitted.

    Raises:
        UserError: it cannot be decoded.
    """
    try:
        return fitted(table[row][column], size, channels, background)
    except Exception as error:  # whatever a damaged image makes a decoder raise
        reason = " ".join(str(error).split())
        raise UserError(f"image {row} of the set is unreadable ({reason}); remove it") from None
