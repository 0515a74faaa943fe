import random
from pathlib import Path

import numpy as np
import torch

from diffstn.callbacks.generators import generators, restore_generators

CPU = torch.device("cpu")


def drawn() -> list[float]:
    return [random.random(), random.gauss(0, 1), *np.random.randn(3), *torch.randn(3).tolist()]


def test_every_generator_goes_on_where_it_was(tmp_path: Path):
    drawn()  # of two normal numbers, the second is kept for the next call
    torch.save(generators(CPU), tmp_path / "state")
    first = drawn()
    assert drawn() != first
    restore_generators(torch.load(tmp_path / "state", weights_only=True), CPU)
    assert drawn() == first
