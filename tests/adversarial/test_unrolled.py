"""Adam's steps as a function, against Adam's and against differences."""

import pytest
import torch
from torch import nn
from torch.func import functional_call

from diffstn.adversarial import unrolled

SETTINGS = {"lr": 0.05, "betas": (0.5, 0.9)}


def test_it_goes_where_adam_goes_from_wherever_adam_is():
    torch.manual_seed(0)
    network, x = nn.Linear(3, 1), torch.randn(32, 3)
    y = x @ torch.tensor([1.0, -2.0, 0.5])
    optimizer = torch.optim.Adam(network.parameters(), **SETTINGS)

    def loss(weights: dict[str, torch.Tensor]) -> torch.Tensor:
        return (functional_call(network, weights, (x,))[:, 0] - y).square().mean()

    def step() -> None:
        optimizer.zero_grad()
        loss(dict(network.named_parameters())).backward()
        optimizer.step()

    for before in (0, 3):
        for _ in range(before):
            step()
        own = dict(network.named_parameters())
        weights = {name: p.detach().clone().requires_grad_() for name, p in own.items()}
        state = {name: dict(optimizer.state.get(p, {})) for name, p in own.items()}
        state = {n: {k: v.clone() for k, v in s.items()} for n, s in state.items()}
        ahead = unrolled(weights, loss, 4, state, SETTINGS["lr"], SETTINGS["betas"])
        for _ in range(4):
            step()
        for name, p in network.named_parameters():
            torch.testing.assert_close(ahead[name], p, atol=1e-5, rtol=1e-4)


def test_gradients_pass_through_the_steps():
    """Of the weight after three steps by what teaches it, against a difference."""

    def after(c: torch.Tensor) -> torch.Tensor:
        start = {"w": torch.tensor([0.3], dtype=torch.double).requires_grad_()}
        ahead = unrolled(
            start, lambda weights: (weights["w"] - c).pow(4).sum(), 3, {}, 0.1, (0.5, 0.9), 1e-3
        )
        return ahead["w"].sum()

    c = torch.tensor(0.4, dtype=torch.double, requires_grad=True)
    after(c).backward()
    h = 1e-6
    difference = ((after(c.detach() + h) - after(c.detach() - h)) / (2 * h)).detach()
    assert abs(float(difference)) > 1e-4
    assert float(c.grad) == pytest.approx(float(difference), rel=1e-4)
