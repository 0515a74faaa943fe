from types import SimpleNamespace
from typing import Any

import pytest

from diffstn.callbacks.steps import steps, steps_in_all


@pytest.mark.parametrize(("optimizers", "expected"), [(0, 12), (1, 12), (2, 6)])
def test_several_optimisers_step_together(optimizers: int, expected: int):
    trainer: Any = SimpleNamespace(global_step=12, optimizers=[None] * optimizers)
    assert steps(trainer) == expected


@pytest.mark.parametrize(
    ("optimizers", "max_steps", "expected"), [(1, -1, 100), (2, -1, 100), (1, 60, 60), (2, 60, 30)]
)
def test_a_length_in_steps_is_that_of_all_optimisers_together(
    optimizers: int, max_steps: int, expected: int
):
    trainer: Any = SimpleNamespace(
        optimizers=[None] * optimizers,
        max_steps=max_steps,
        estimated_stepping_batches=100 if max_steps < 0 else max_steps,
    )
    assert steps_in_all(trainer) == expected
