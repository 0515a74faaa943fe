import torch

from diffstn.networks.blocks.zero_conv import zero_conv


def test_it_answers_nothing_and_learns():
    layer = zero_conv(3, 5)
    answer = layer(torch.randn(2, 3, 4, 4))
    assert answer.shape == (2, 5, 4, 4)
    assert (answer == 0).all()
    answer.sum().backward()
    assert (layer.weight.grad != 0).any()
