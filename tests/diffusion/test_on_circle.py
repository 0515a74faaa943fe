import math

import pytest
import torch
from torch import nn

from diffstn.diffusion import OnCircle
from diffstn.diffusion.schedules import Cosine, Geometric


class IgnoringTime(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x_t, t):
        return self.module(x_t)


@pytest.mark.parametrize(
    "schedule", [Geometric(100, 0.02, 8.0), Cosine(100)], ids=["exploding", "preserving"]
)
def test_a_network_on_the_circle_knows_no_whole_turns(schedule):
    torch.manual_seed(0)
    linear = nn.Linear(4, 4)
    network = OnCircle(IgnoringTime(linear), schedule)
    t, x_t = torch.full((8,), 60), torch.randn(8, 3)
    turned = x_t.clone()
    turned[:, 0] += 2 * math.pi * schedule.unit(t)[0]
    torch.testing.assert_close(network(x_t, t), network(turned, t), rtol=1e-3, atol=1e-4)
    phi = x_t[:, 0] / schedule.unit(t)[0]
    said = linear(torch.stack([phi.cos(), phi.sin(), x_t[:, 1], x_t[:, 2]], dim=-1))
    along = said[:, 1] * phi.cos() - said[:, 0] * phi.sin()
    torch.testing.assert_close(network(x_t, t)[:, 0], along)
    torch.testing.assert_close(network(x_t, t)[:, 1:], said[:, 2:])
