import math

import pytest
import torch
from torch import nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from diffstn.optim.lr_schedules import constant, cosine, one_cycle


def optimizer() -> Optimizer:
    return SGD([nn.Parameter(torch.zeros(1))], lr=0.1)


def rates(schedule: LRScheduler, steps: int) -> list[float]:
    seen = []
    for _ in range(steps):
        seen.append(float(schedule.get_last_lr()[0]))
        schedule.optimizer.step()
        schedule.step()
    return seen


def test_constant_stays():
    assert rates(constant(optimizer(), 5), 5) == [0.1] * 5
    warmed = rates(constant(optimizer(), 8, warmup=0.5), 8)
    assert warmed == pytest.approx([0, 0.025, 0.05, 0.075, 0.1, 0.1, 0.1, 0.1])
    with pytest.raises(ValueError, match="warmup"):
        constant(optimizer(), 5, warmup=1.0)


def test_cosine_is_half_a_period():
    expected = [0.1 * 0.5 * (1 + math.cos(math.pi * step / 8)) for step in range(8)]
    assert rates(cosine(optimizer(), 8), 8) == pytest.approx(expected)


def test_cosine_warms_up_linearly():
    seen = rates(cosine(optimizer(), 10, warmup=0.4), 10)
    assert seen[:5] == pytest.approx([0, 0.025, 0.05, 0.075, 0.1])
    assert seen[4:] == sorted(seen[4:], reverse=True)


@pytest.mark.parametrize("warmup", [-0.1, 1.0, 3.0])
def test_cosine_refuses_a_warm_up_that_leaves_nothing(warmup: float):
    with pytest.raises(ValueError, match="warmup"):
        cosine(optimizer(), 10, warmup=warmup)


def test_one_cycle_peaks_at_the_optimisers_rate_and_ends_near_zero():
    seen = rates(one_cycle(optimizer(), 20, warmup=0.25), 20)
    assert max(seen) == pytest.approx(0.1)
    assert seen.index(max(seen)) == 4
    assert seen[-1] < 1e-4
