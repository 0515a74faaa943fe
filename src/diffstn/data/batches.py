"""What a training step receives, and the order in which images come."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Batch(NamedTuple):
    """Images as they are.

    Shapes:
        image: (B, C, H, W) float32 in [0, 1].
        label: (B,) int64.
    """

    image: Tensor
    label: Tensor

    @property
    def items(self) -> Tensor:
        """The images: what a generative model learns to sample."""
        return self.image


class DistortedBatch(NamedTuple):
    """Distorted images, and what undoes the distortion.

    Shapes:
        image: (B, C, H, W) float32 in [0, 1], the distorted images on their canvas.
        label: (B,) int64.
        A: (B, dim) parameters of the transformation that was applied to the content: it maps
            points of the upright image to where they lie in the distorted one, so
            `warp(image, A)` corrects.
        upright: (B, C, h, w) the images before the distortion.
    """

    image: Tensor
    label: Tensor
    A: Tensor
    upright: Tensor

    @property
    def items(self) -> Tensor:
        """The distorted images."""
        return self.image


class SampleBatch(NamedTuple):
    """Items without a pose: what a generative model learns to sample.

    Shapes:
        items: (B, D) points, or (B, N, D) clouds, float32.
        label: (B,) int64.
    """

    items: Tensor
    label: Tensor


def keyed_generator(*key: int) -> torch.Generator:
    """A CPU generator that depends on all the numbers in `key`, none of them negative.

    Neighbouring keys give unrelated streams: the numbers are hashed, not added.
    """
    return torch.Generator().manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))


class IndexLoader:
    """Batches of indices 0 … size - 1: a data loader for images that are already in memory.

    The order is a function of (seed, epoch) alone. Rank r of w takes every w-th index of it,
    starting at r: the shards are disjoint and together cover everything.

    Args:
        size: number of images.
        batch_size: indices per batch on each rank.
        shuffle: a new random order each epoch, or the order of the files.
        drop_last: only full batches, equally many on every rank, as training wants. A shard that
            does not fill one batch is one batch, so that a tiny set still trains.
        seed: with the epoch, fixes the random order.
        rank, world_size: this process among those that train together.

    Yields:
        (B,) int64 tensors on the CPU.
    """

    def __init__(
        self,
        size: int,
        batch_size: int,
        *,
        shuffle: bool = False,
        drop_last: bool = False,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}: it must be at least 1")
        if not 0 <= rank < world_size:
            raise ValueError(f"rank {rank} is not in 0 … {world_size - 1}")
        shard = size // world_size if drop_last else len(range(rank, size, world_size))
        self.batch_size = max(1, min(batch_size, shard))
        self.shard = shard - shard % self.batch_size if drop_last else shard
        self.size, self.shuffle, self.seed = size, shuffle, seed
        self.rank, self.world_size = rank, world_size
        self.epoch = self.start = 0

    batch_sampler = None  # Lightning looks for one wherever there is a sampler

    @property
    def sampler(self) -> "IndexLoader":
        """Itself: Lightning calls `set_epoch` on a loader's sampler."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next pass."""
        self.epoch = epoch

    def skip(self, batches: int) -> None:
        """Leave out the first so many batches of the next pass, and of that one alone."""
        self.start = batches

    def __len__(self) -> int:
        return -(-self.shard // self.batch_size)

    def __iter__(self) -> Iterator[Tensor]:
        # a generator: a trainer that resumes makes its iterator first and calls `set_epoch` after
        if self.shuffle:
            order = torch.randperm(self.size, generator=keyed_generator(self.seed, self.epoch))
        else:
            order = torch.arange(self.size)
        shard = order[self.rank :: self.world_size][: self.shard]
        start, self.start = self.start, 0
        yield from shard.split(self.batch_size)[start:] if self.shard else ()
