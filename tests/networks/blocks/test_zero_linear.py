import torch

from diffstn.networks.blocks.zero_linear import zero_linear


def test_it_answers_zero_and_still_learns():
    layer = zero_linear(3, 2)
    assert torch.equal(layer(torch.randn(5, 3)), torch.zeros(5, 2))
    (layer(torch.ones(5, 3)) - 1).square().mean().backward()
    assert (layer.weight.grad != 0).all()
