import pytest

from diffstn.callbacks.clock import Clock


def test_the_clock_takes_the_median_and_leaves_the_first_batches_out():
    clock = Clock()
    clock.times = [0.0, 9.0, 9.5, 10.0, 10.2, 10.4, 99.0, 99.3]
    assert clock.seconds() == pytest.approx(0.2)
