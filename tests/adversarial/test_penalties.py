"""Penalties of discriminators whose slopes are known."""

import pytest
import torch
from torch import nn

from diffstn.adversarial import WGANGP, NonSaturating, one_centred, zero_centred


def quadratic(x: torch.Tensor) -> torch.Tensor:
    """D(x) = |x|² / 2, of slope x."""
    return x.square().flatten(1).sum(1) / 2


def test_r1_is_half_the_squared_slope_at_real_items():
    real, fake = torch.randn(64, 3, 4), torch.full((64, 3, 4), torch.nan)
    found = zero_centred(quadratic, real, fake, weight=5.0)
    assert float(found.detach()) == pytest.approx(
        2.5 * float(real.flatten(1).square().sum(1).mean())
    )
    torch.testing.assert_close(
        NonSaturating().penalty(quadratic, real, fake, 5.0, torch.rand(64)), found
    )


def test_the_one_centred_penalty_looks_between_real_and_generated():
    real, fake, u = torch.randn(8, 2), torch.randn(8, 2), torch.rand(8)
    between = u[:, None] * real + (1 - u[:, None]) * fake
    expected = 10 * (between.norm(dim=1) - 1).square().mean()
    found = one_centred(quadratic, real, fake, 10.0, u)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(WGANGP().penalty(quadratic, real, fake, 10.0, u), found)


def test_a_critic_of_slope_one_pays_nothing():
    direction = torch.tensor([0.6, 0.8])
    found = one_centred(
        lambda x: x @ direction, torch.randn(9, 2), torch.randn(9, 2), 10.0, torch.rand(9)
    )
    assert float(found) < 1e-9


def test_gradients_reach_the_weights_in_float32_under_autocast():
    critic = nn.Linear(4, 1)
    with torch.autocast("cpu", torch.bfloat16):
        found = zero_centred(lambda x: critic(x)[:, 0], torch.randn(6, 4), torch.zeros(6, 4), 2.0)
    assert found.dtype == torch.float32
    assert float(found.detach()) == pytest.approx(float(critic.weight.detach().square().sum()))
    found.backward()  # d |w|² / dw = 2 w
    torch.testing.assert_close(critic.weight.grad, 2 * critic.weight.detach())


def test_it_works_where_gradients_are_off():
    with torch.no_grad():
        assert float(zero_centred(quadratic, torch.ones(2, 3), torch.ones(2, 3), 2.0)) == 3
