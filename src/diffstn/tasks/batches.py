"""A split, batch by batch, under a progress bar."""

from collections.abc import Iterator
from typing import Any

import torch
from tqdm import tqdm


def batches_of(
    data: Any, split: str, total: int, batch_size: int, device: torch.device
) -> Iterator[tuple[slice, Any]]:
    """The first `total` items of a split, with the rows at which they lie."""
    with tqdm(total=total, desc=f"evaluating {split}", unit="image", disable=None) as bar:
        for rows in torch.arange(total).split(batch_size):
            yield slice(int(rows[0]), int(rows[-1]) + 1), data.batch(split, rows, device)
            bar.update(len(rows))


def first_of_each_class(data: Any, split: str, per_class: int) -> torch.Tensor:
    """Rows of the first so many items of every class, class by class."""
    labels = data.labels(split)
    found = [(labels == c).nonzero()[:per_class, 0] for c in range(len(data.facts.classes))]
    return torch.cat(found)
