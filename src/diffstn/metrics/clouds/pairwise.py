"""All distances between two sets of point clouds, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import torch
from torch import Tensor


class CloudDistance(Protocol):
    """A distance between point clouds."""

    def block(self, xs: Tensor, ys: Tensor) -> Tensor:
        """All distances between clouds xs (A, N, D) and ys (B, M, D): (A, B) float64.

        Both are small enough for the block of distances between all their points to be held.
        """


class Progress(Protocol):
    """Wraps an iterable of the given length, as `tqdm` does."""

    def __call__(self, items: Iterable[int], /, *, total: int) -> Iterable[int]: ...


def pairwise(
    xs: Tensor,
    ys: Tensor,
    distance: CloudDistance,
    budget: int = 1 << 18,
    progress: Progress | None = None,
) -> Tensor:
    """Distances of all pairs of clouds (A, N, D) and (B, M, D): (A, B) float64.

    The work is cut into blocks of at most `budget` distances between points, or one pair of clouds
    if that is more: memory stays constant and a block fits into a core's cache. Passing the same
    tensor twice computes each pair once; the diagonal is then zero.

    Raises:
        ValueError: the sets are not (A, N, D) and (B, M, D) of one D, or hold empty clouds.
    """
    if xs.ndim != 3 or ys.ndim != 3 or xs.shape[2] != ys.shape[2]:
        raise ValueError(
            "sets of clouds are (A, N, D) and (B, M, D),"
            f" not {tuple(xs.shape)} and {tuple(ys.shape)}"
        )
    if not xs.shape[1] or not ys.shape[1]:
        raise ValueError("a cloud needs at least one point")
    same = xs is ys
    found = torch.zeros(len(xs), len(ys), dtype=torch.float64, device=xs.device)
    columns = max(1, budget // (xs.shape[1] * ys.shape[1]))
    rows: Iterable[int] = range(len(xs))
    for i in progress(rows, total=len(xs)) if progress else rows:
        for j in range(i + 1 if same else 0, len(ys), columns):
            found[i, j : j + columns] = distance.block(xs[i : i + 1], ys[j : j + columns])[0]
    return found + found.T if same else found
