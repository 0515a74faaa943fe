from types import SimpleNamespace
from typing import Any

import pytest

from diffstn.callbacks.steps import steps


@pytest.mark.parametrize(("optimizers", "expected"), [(0, 12), (1, 12), (2, 6)])
def test_several_optimisers_step_together(optimizers: int, expected: int):
    trainer: Any = SimpleNamespace(global_step=12, optimizers=[None] * optimizers)
    assert steps(trainer) == expected
