"""Labelled images on disk that are read one at a time."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import torch
from torch import Tensor
from tqdm import tqdm

from diffstn.data.labelled import Labelled


class ReadByRow(Protocol):
    """One split of labelled images that are read as they are asked for.

    Attributes:
        decodes: whether reading is work for Python, which only processes can share, and no copy.
    """

    @property
    def decodes(self) -> bool: ...

    @property
    def labels(self) -> Tensor:
        """(N,) int64."""
        ...

    @property
    def digest(self) -> str:
        """24 hex digits that are the same only for the same images in the same order."""
        ...

    def __len__(self) -> int: ...

    def at(self, indices: Tensor) -> Labelled:
        """Read the images at `indices` (B,): items (B, C, H, W) uint8."""
        ...


@dataclass(frozen=True)
class StoredImages:
    """One split of an image set, none of it in memory.

    Args:
        read: the image (C, H, W) uint8 at a row of the set; worker processes get a copy of it.
        rows: (N,) int64, the split's rows of the set.
        labels: (N,) int64, their classes.
        fingerprint: names the set's content, e.g. files with their sizes and times.
    """

    read: Callable[[int], Tensor]
    rows: Tensor
    labels: Tensor
    fingerprint: str
    decodes: ClassVar[bool] = True

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def digest(self) -> str:
        """24 hex digits of a hash of the fingerprint, the rows and their labels."""
        content = hashlib.sha256(self.fingerprint.encode(errors="surrogateescape"))
        content.update(self.rows.numpy().tobytes() + self.labels.numpy().tobytes())
        return content.hexdigest()[:24]

    def first(self, n: int | None) -> "StoredImages":
        """The first `n` images; all of them for None."""
        return replace(self, rows=self.rows[:n], labels=self.labels[:n])

    def relabelled(self, rows: Tensor, labels: Tensor) -> "StoredImages":
        """The images at `rows` (B,) of the split, with other labels (B,)."""
        return replace(self, rows=self.rows[rows], labels=labels)

    def at(self, indices: Tensor) -> Labelled:
        """Read the split's images at `indices` (B,)."""
        images = [self.read(row) for row in self.rows[indices].tolist()]
        return Labelled(torch.stack(images), self.labels[indices])

    def all(self, split: str) -> Labelled:
        """Read all of them, with a progress bar that names the split."""
        first, n = self.read(int(self.rows[0])), len(self)
        images = first.new_empty(n, *first.shape)
        for i, row in enumerate(tqdm(self.rows.tolist(), f"reading {split}", disable=None)):
            images[i] = self.read(row)
        return Labelled(images, self.labels)
