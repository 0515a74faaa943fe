"""Accuracy, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


class ClassAccuracy(Metric):
    """The share of each class's images that is recognised, from the matrix of confusions.

    `confusion` (K, K) counts images by true class (row) and predicted class (column); `compute`
    returns {class: diagonal / row sum} as float64 scalars, NaN for a class that never occurred.

    Args:
        classes: their names, in the order of the labels.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    confusion: Tensor

    def __init__(self, classes: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = tuple(classes)
        counts = torch.zeros(len(self.classes), len(self.classes), dtype=torch.long)
        self.add_state("confusion", counts, dist_reduce_fx="sum")

    def update(self, scores: Tensor, labels: Tensor) -> None:
        """Add images with labels (B,), predicted to be the class of the highest score (B, K).

        Raises:
            ValueError: the shapes do not fit, or a label is not in 0 … K − 1.
        """
        count = len(self.classes)
        if scores.shape != (len(labels), count) or labels.ndim != 1:
            raise ValueError(
                f"scores must be (B, {count}) and labels (B,),"
                f" not {tuple(scores.shape)} and {tuple(labels.shape)}"
            )
        if ((labels < 0) | (labels >= count)).any():
            raise ValueError(f"labels must be in 0 … {count - 1}")
        pairs = torch.bincount(labels * count + scores.argmax(dim=1), minlength=count**2)
        self.confusion += pairs.view(count, count)

    def compute(self) -> dict[str, Tensor]:
        shares = self.confusion.diagonal().double() / self.confusion.sum(dim=1)
        return dict(zip(self.classes, shares, strict=True))
