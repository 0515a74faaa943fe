import pytest
import torch
from torch import nn
from torch.optim import SGD

from diffstn.networks.blocks.shifted_norm import ShiftedNorm


def test_it_is_torchs_batch_norm_with_a_shift_alone():
    torch.manual_seed(0)
    ours, theirs = ShiftedNorm(4, 0.4, 8.0), nn.BatchNorm2d(4, momentum=0.4)
    with torch.no_grad():
        ours.shift.copy_(torch.randn(4))
        theirs.bias.copy_(8 * ours.shift)
    for _ in range(3):
        h = 2 * torch.randn(5, 4, 3, 3) + 1
        torch.testing.assert_close(ours(h), theirs(h))
    torch.testing.assert_close(ours.mean, theirs.running_mean)
    torch.testing.assert_close(ours.variance, theirs.running_var)
    torch.testing.assert_close(ours.eval()(h), theirs.eval()(h))


@pytest.mark.parametrize("gain", [1.0, 8.0])
def test_a_step_moves_the_shift_as_the_squared_gain_times_the_rate_would(gain: float):
    norm, h = ShiftedNorm(2, gain=gain), torch.randn(2, 2, 2, 2)
    before = norm(h)
    before.sum().backward()  # by each shift: 8 places
    SGD(norm.parameters(), lr=0.01).step()
    moved = norm(h) - before
    expected = torch.full_like(moved, -0.01 * gain**2 * 8)
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=1e-5)
