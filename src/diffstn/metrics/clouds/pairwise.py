"""All distances between two sets of point clouds, a piece at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor


class CloudDistance(Protocol):
    """A distance between point clouds."""

    def block(self, xs: Tensor, ys: Tensor) -> Tensor:
        """All distances between clouds xs (A, N, D) and ys (B, M, D): (A, B) float64.

        Both are small enough for the block of distances between all their points to be held.
        """


T = TypeVar("T")


class Progress(Protocol):
    """Wraps an iterable of the given length, as `tqdm` does."""

    def __call__(self, items: Iterable[T], /, *, total: int) -> Iterable[T]: ...


class Spread(Protocol):
    """Works on the parts, in order."""

    def __call__(
        self, parts: Iterable[Any], work: Callable[[Any], list[Tensor]], /
    ) -> Iterable[list[Tensor]]: ...


def map_in_order(
    parts: Iterable[Any], work: Callable[[Any], list[Tensor]], /
) -> Iterable[list[Tensor]]:
    """In this process alone."""
    return map(work, parts)


ROWS_AT_ONCE = 64


def pairwise(
    xs: Tensor,
    ys: Tensor,
    distance: CloudDistance,
    budget: int = 1 << 23,
    progress: Progress | None = None,
    spread: Spread = map_in_order,
) -> Tensor:
    """Distances of all pairs of clouds (A, N, D) and (B, M, D): (A, B) float64.

    The work is cut into blocks of at most `budget` distances between points, or one pair of clouds
    if that is more: memory stays constant. On a CPU the rows are shared out among threads, of which
    each works on its own: the pieces are too small to be worth splitting. Passing the same tensor
    twice computes each pair once; the diagonal is then zero.

    Args:
        spread: parts, work → what work answers, in order; `diffstn.ranks.in_order` shares the rows
            among processes that all ask for the same.

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

    def row(i: int) -> Tensor:
        """Distances of cloud i to all those that it has not met yet."""
        first = i + 1 if same else 0
        blocks = ys[first:].split(columns) if first < len(ys) else ()
        return torch.cat([found[i, :0], *(distance.block(xs[i : i + 1], b)[0] for b in blocks)])

    with _single_threads(xs.device) as pool:

        def some(of: Sequence[int]) -> list[Tensor]:
            return list(pool.map(torch.no_grad()(row), of))

        parts = torch.arange(len(xs)).split(ROWS_AT_ONCE)
        rows = (one for found in spread([part.tolist() for part in parts], some) for one in found)
        for i, values in enumerate(progress(rows, total=len(xs)) if progress else rows):
            found[i, len(ys) - len(values) :] = values
    return found + found.T if same else found


@contextmanager
def _single_threads(device: torch.device) -> Iterator[Executor]:
    """A pool of as many threads as torch has on a CPU, in each of which it uses one."""
    threads = torch.get_num_threads()
    if device.type != "cpu":
        with ThreadPoolExecutor(1) as pool:
            yield pool
        return
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)  # some libraries have but one number for all threads
