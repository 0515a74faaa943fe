"""A split, batch by batch, under a progress bar."""

import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Generator, Tensor
from tqdm import tqdm

from diffstn.data.batches import keyed_generator
from diffstn.ranks import group, in_order

Answer = TypeVar("Answer")
MINUTE = 60.0
LINE = "{desc}: {n_fmt} of {total_fmt} [{elapsed}<{remaining}]\n"


def progress(total: int, description: str, unit: str) -> tqdm:
    """A bar on the terminal of the first process; where that is a log, a line a minute."""
    log = {"bar_format": LINE, "mininterval": MINUTE, "maxinterval": MINUTE, "delay": MINUTE}
    shown = {} if sys.stderr.isatty() else log
    return tqdm(total=total, desc=description, unit=unit, disable=group()[0] > 0, **shown)


def batch_noise(seed: int, first: int) -> Generator:
    """Of what is random about the batch that begins with item `first`, whoever works on it."""
    return keyed_generator(seed, 9, first)


def answers(
    data: Any,
    split: str,
    total: int,
    batch_size: int,
    device: torch.device,
    work: Callable[[slice, Any], Answer],
) -> Iterator[Answer]:
    """What `work` answers to the batches of the first `total` items of a split, one after another.

    Processes share the batches, and each hears of all answers, see `in_order`.

    Args:
        work: the rows at which the items lie, the batch → tensors on the CPU.
    """

    def one(rows: Tensor) -> Answer:
        return work(slice(int(rows[0]), int(rows[-1]) + 1), data.batch(split, rows, device))

    parts = torch.arange(total).split(batch_size)
    with progress(total, f"evaluating {split}", "image") as bar:
        for rows, answer in zip(parts, in_order(parts, one), strict=True):
            yield answer
            bar.update(len(rows))


def first_of_each_class(data: Any, split: str, per_class: int) -> torch.Tensor:
    """Rows of the first so many items of every class, class by class."""
    labels = data.labels(split)
    found = [(labels == c).nonzero()[:per_class, 0] for c in range(len(data.facts.classes))]
    return torch.cat(found)
