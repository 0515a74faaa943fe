"""Samplers slowed down for figures."""

from collections.abc import Iterator
from contextlib import contextmanager

from diffstn.diffusion.samplers import Sampler

STEPS_DRAWN = 40


@contextmanager
def finely_stepped(sampler: Sampler, total: int) -> Iterator[None]:
    """Within this context the sampler takes `STEPS_DRAWN` steps, enough for motion to be seen."""
    steps = sampler.steps
    sampler.steps = min(STEPS_DRAWN, total)
    try:
        yield
    finally:
        sampler.steps = steps
