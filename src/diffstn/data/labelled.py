"""Labelled tensors of one shape, as one unit."""

from typing import NamedTuple

import torch
from torch import Tensor


class Labelled(NamedTuple):
    """Items and their classes.

    Shapes:
        items: (N, *), all of one shape.
        labels: (N,) int64, in 0 … number of classes - 1.
    """

    items: Tensor
    labels: Tensor

    def first(self, n: int | None) -> "Labelled":
        """The first `n` items; all of them for None."""
        return Labelled(self.items[:n], self.labels[:n])

    def at(self, rows: Tensor) -> "Labelled":
        """The items at `rows` (B,)."""
        return Labelled(self.items.index_select(0, rows), self.labels.index_select(0, rows))

    def relabelled(self, rows: Tensor, labels: Tensor) -> "Labelled":
        """The items at `rows` (B,), with other labels (B,)."""
        return Labelled(self.items.index_select(0, rows), labels)

    def to(self, device: torch.device | str) -> "Labelled":
        """The same items on another device."""
        return Labelled(self.items.to(device), self.labels.to(device))
