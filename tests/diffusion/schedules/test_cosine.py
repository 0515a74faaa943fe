import math

import pytest
import torch

from diffstn.diffusion.schedules import Cosine


@pytest.mark.parametrize("steps", [50, 1000, 4000])
def test_alpha_bar_follows_the_squared_cosine(steps):
    t = torch.arange(steps)  # the bound on beta acts at t = T alone
    f = ((t.double() / steps + 0.008) / 1.008 * math.pi / 2).cos().square()
    torch.testing.assert_close(Cosine(steps).alpha_bar(t).double(), f / f[0], rtol=1e-5, atol=1e-7)


def test_beta_is_bounded():
    schedule = Cosine(1000, max_beta=0.999)
    beta = schedule.beta(torch.arange(1, 1001))
    assert beta.max().item() == pytest.approx(0.999, rel=1e-5)
    assert beta[0].item() == pytest.approx(4.128e-5, rel=1e-3)
    assert schedule.alpha(torch.tensor(1000)).item() == pytest.approx(4.93e-5, rel=1e-2)
