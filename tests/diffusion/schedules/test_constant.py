import torch

from diffstn.diffusion.schedules import Constant


def test_alpha_bar_is_a_power():
    schedule, t = Constant(50, 0.25), torch.arange(51)
    torch.testing.assert_close(schedule.beta(t[1:]), torch.full((50,), 0.25), rtol=1e-5, atol=0)
    torch.testing.assert_close(schedule.alpha_bar(t), 0.75 ** t.float(), rtol=1e-5, atol=0)
