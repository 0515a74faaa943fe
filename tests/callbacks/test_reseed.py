from types import SimpleNamespace
from typing import Any

import torch

from diffstn.callbacks.reseed import ReseedEachEpoch


def draw(seed: int, rank: int, epoch: int) -> float:
    trainer: Any = SimpleNamespace(global_rank=rank, current_epoch=epoch)
    ReseedEachEpoch(seed).on_train_epoch_start(trainer, None)  # type: ignore[arg-type]
    return float(torch.rand(()))


def test_is_a_function_of_seed_rank_and_epoch():
    keys = [(seed, rank, epoch) for seed in (1, 2) for rank in (0, 1) for epoch in (0, 1)]
    first = [draw(*key) for key in keys]
    assert len(set(first)) == len(keys)
    assert [draw(*key) for key in keys] == first
