import pytest
import torch

from diffstn.diffusion.schedules import Linear


def test_the_ddpm_values():
    schedule = Linear()
    t = torch.tensor([1, 500, 1000])
    expected = torch.tensor([1e-4, 1e-4 + 499 / 999 * 0.0199, 0.02])
    torch.testing.assert_close(schedule.beta(t), expected, rtol=6e-5, atol=0)
    assert schedule.alpha_bar(t[2]).item() == pytest.approx(4.036e-5, rel=1e-3)
    assert schedule.steps == 1000
