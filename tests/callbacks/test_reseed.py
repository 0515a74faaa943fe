from types import SimpleNamespace
from typing import Any

import torch

from diffstn.callbacks.reseed import ReseedEachEpoch


def test_a_lone_process_draws_what_its_seed_and_epoch_say():
    def draw(seed: int, epoch: int) -> float:
        trainer: Any = SimpleNamespace(global_rank=0, current_epoch=epoch)
        ReseedEachEpoch(seed).on_train_epoch_start(trainer, None)  # type: ignore[arg-type]
        return float(torch.rand(()))

    keys = [(seed, epoch) for seed in (1, 2) for epoch in (0, 1)]
    first = [draw(*key) for key in keys]
    assert len(set(first)) == len(keys)
    assert [draw(*key) for key in keys] == first


def test_every_generator_of_every_epoch_has_a_number_of_its_own():
    keys = {ReseedEachEpoch(s).key(w, e) for s in (1, 2) for w in (0, 1, 2) for e in (0, 1)}
    assert len(keys) == 12
