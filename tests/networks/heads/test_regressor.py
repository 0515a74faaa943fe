import torch

from diffstn.networks.heads.regressor import PoseRegressor


def test_untrained_it_answers_the_start_whatever_the_image():
    start = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    network = PoseRegressor(12, start)
    assert torch.equal(network(100 * torch.randn(5, 12)), start.expand(5, 6))


def test_the_start_can_be_left():
    network = PoseRegressor(12, torch.zeros(6))
    network(torch.randn(5, 12)).sum().backward()
    last = network.layers[-1]
    assert last.weight.grad.abs().sum() > 0
    assert last.bias.grad.abs().sum() > 0
