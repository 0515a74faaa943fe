"""The discriminator of images."""

import pytest
import torch

from diffstn.networks.discriminators.residual import ResidualDiscriminator, spread


@pytest.mark.parametrize("size", [(28, 28), (64, 64), (12, 20)])
def test_it_scores_images_of_any_size_that_halves(size: tuple[int, int]):
    network = ResidualDiscriminator(3, size, width=4, most=8)
    assert network(torch.randn(8, 3, *size)).shape == (8,)


def test_the_spread_is_that_within_groups_of_four():
    h = torch.randn(8, 5, 3, 3)
    found = spread(h)
    groups = [h[[0, 2, 4, 6]], h[[1, 3, 5, 7]]]
    for i, group in enumerate(groups):
        expected = group.std(0, correction=0).mean()
        torch.testing.assert_close(found[i::2], expected.expand(4, 1, 3, 3), atol=1e-4, rtol=0)
    alike = h[:1].expand(8, -1, -1, -1)
    assert float(spread(alike).max()) < 1e-3
    assert spread(h[:5]).shape == (5, 1, 3, 3)


def test_labels_are_told_apart():
    torch.manual_seed(0)
    network, x = (
        ResidualDiscriminator(1, (28, 28), classes=3, width=4, most=8),
        torch.randn(4, 1, 28, 28),
    )
    scores = [network(x, torch.full((4,), c)) for c in range(3)]
    assert not torch.allclose(scores[0], scores[1])


def test_its_scores_are_float32_and_its_slope_has_a_slope():
    network = ResidualDiscriminator(1, (28, 28), width=4, most=8)
    with torch.autocast("cpu", torch.bfloat16):
        assert network(torch.randn(4, 1, 28, 28)).dtype == torch.float32
    x = torch.randn(4, 1, 28, 28, requires_grad=True)
    (slope,) = torch.autograd.grad(network(x).sum(), x, create_graph=True)
    slope.square().sum().backward()
    assert float(network.blocks[0].first.weight.grad.abs().sum()) > 0
