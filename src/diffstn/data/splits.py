"""The parts that a data set is divided into."""

import os
import zlib
from collections.abc import Sequence

import torch
from torch import Tensor

from diffstn.data.batches import keyed_generator
from diffstn.errors import UserError

SPLITS = ("train", "val", "test")


def check_shares(val: float, test: float) -> None:
    """Refuse shares that leave a split without items.

    Raises:
        UserError: `val` and `test` are not above 0 with a sum below 1.
    """
    numbers = all(isinstance(share, int | float) for share in (val, test))
    if not numbers or not (val > 0 and test > 0 and val + test < 1):
        raise UserError(
            "data.val and data.test are shares above 0 that leave something to train on; not"
            f" {val} and {test}"
        )


def split_by_name(names: Sequence[str], val: float, test: float, seed: int) -> dict[str, Tensor]:
    """Rows of each split, in an order that is random and always the same.

    An item's split follows from its name and the seed alone, so items that come or go move no
    other.

    Args:
        names: of the items.
        val, test: shares that are held out, on average.
        seed: fixes the splits and the order.
    """
    keys = (zlib.crc32(os.fsencode(name)) for name in names)  # a file's name is bytes
    generators = (keyed_generator(seed, 1, key) for key in keys)
    u = torch.tensor([float(torch.rand((), generator=generator)) for generator in generators])
    rows = {"val": u < val, "test": (u >= val) & (u < val + test), "train": u >= val + test}
    order = torch.randperm(len(u), generator=keyed_generator(seed, len(SPLITS)))
    return {split: order[rows[split][order]] for split in SPLITS}


def hold_out_share(rows: Tensor, share: float, seed: int, purpose: int) -> tuple[Tensor, Tensor]:
    """Rows (N,) in two parts at random, each in the order in which they came.

    Args:
        rows: what is divided.
        share: of the second part, which has one row at least.
        seed: fixes who goes.
        purpose: tells apart divisions by the same seed.
    """
    order = torch.randperm(len(rows), generator=keyed_generator(seed, len(SPLITS), purpose))
    kept = len(rows) - max(1, round(share * len(rows)))
    return rows[order[:kept].sort().values], rows[order[kept:].sort().values]
