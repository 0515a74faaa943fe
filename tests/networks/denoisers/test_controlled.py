"""A copy of the way down that leads a frozen UNet."""

import pytest
import torch
from torch import nn

from diffstn.networks.denoisers.controlled import Controlled
from diffstn.networks.denoisers.unet import UNet

SETTINGS = {"width": 8, "head_features": 8, "zero_init": False}
OPTIONS = [
    {},
    {"attention": (2,), "outputs": 2},
    {"residual_resampling": True, "multipliers": (1, 2)},
    {"multipliers": (1, 2, 3, 4), "blocks": 1},
]


def base_of(channels=1, size=(16, 16), **options):
    torch.manual_seed(0)
    return UNet(channels, size, classes=3, **{**SETTINGS, **options}).eval()


@pytest.mark.parametrize("options", OPTIONS)
def test_it_starts_as_its_base_to_the_bit(options):
    base = base_of(3, (8, 16), **options)
    x, t, label = torch.randn(2, 3, 8, 16), torch.tensor([3, 800]), torch.tensor([0, 2])
    alone = base(x, t, label)
    network = Controlled(base, 2, embedding=4)
    led = network(x, t, label, torch.rand(2, 2, 8, 16), torch.randn(2, 4))
    assert torch.equal(led, alone)


def test_what_starts_at_zero_learns_first_and_then_all_of_it():
    network = Controlled(base_of(), 1, embedding=4)
    told = (torch.tensor([3, 800]), torch.tensor([0, 2]), torch.rand(2, 1, 16, 16))
    before = {name: p.clone() for name, p in network.base.network.named_parameters()}
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    moved = []
    for _ in range(3):
        optimizer.zero_grad()
        network(torch.randn(2, 1, 16, 16), *told, torch.randn(2, 4)).square().sum().backward()
        moved.append({n for n, p in network.named_parameters() if (p.grad != 0).any()})
        optimizer.step()
    skips = {f"zero_skips.{i}.{kind}" for i in range(6) for kind in ("weight", "bias")}
    zeros = {*skips, "zero_middle.weight", "zero_middle.bias"}
    assert zeros <= moved[0] <= {*zeros, "described.weight", "described.bias"}
    assert moved[2] == {name for name, _ in network.named_parameters()}
    for name, p in network.base.network.named_parameters():
        assert torch.equal(p, before[name])


def test_control_and_embedding_are_heard():
    network = Controlled(base_of(), 1, embedding=4)
    for p in network.parameters():
        nn.init.normal_(p, std=0.2)
    x, t, control, embedding = (
        *(torch.randn(1, 1, 16, 16), torch.tensor([7])),
        *(torch.rand(1, 1, 16, 16), torch.randn(1, 4)),
    )
    answer = network(x, t, None, control, embedding)
    for other in (
        network(x, t, None, 1 - control, embedding),
        network(x, t, None, control, -embedding),
        network(x, t, torch.tensor([1]), control, embedding),
    ):
        assert (other - answer).abs().max() > 1e-4


def test_a_control_of_another_shape_is_refused():
    network = Controlled(base_of(), 1)
    x, t = torch.randn(2, 1, 16, 16), torch.tensor([3, 800])
    for control in (None, torch.rand(2, 2, 16, 16), torch.rand(2, 1, 8, 8)):
        with pytest.raises(ValueError, match=r"wants one of \(2, 1, 16, 16\)"):
            network(x, t, control=control)


def test_a_base_that_sees_an_image_already_is_refused():
    with pytest.raises(ValueError, match="without an image"):
        Controlled(UNet(1, (8, 8), image_channels=1, width=8), 1)
