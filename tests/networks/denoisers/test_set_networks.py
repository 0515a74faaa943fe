"""Networks of whole clouds: the order of the points does not matter, nor does their number."""

import pytest
import torch
from torch import nn

from diffstn.networks.blocks.coordinate_embedding import CoordinateEmbedding
from diffstn.networks.denoisers.deep_sets import DeepSets
from diffstn.networks.denoisers.points import PointDenoiser
from diffstn.networks.denoisers.set_transformer import Attention, SetTransformer

NETWORKS = [DeepSets, SetTransformer]


def built(kind: type, classes: int = 3, dim: int = 3) -> nn.Module:
    """A network whose last layer says something."""
    torch.manual_seed(0)
    network = kind(dim, classes=classes, width=32, blocks=2).requires_grad_(False)
    nn.init.normal_(network.output.weight, std=0.2)
    return network


def inputs(dim: int = 3, points: int = 50) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    x = torch.randn(4, points, dim)
    return x, torch.tensor([1, 10, 500, 1000]), torch.tensor([0, 1, 2, 3])


@pytest.mark.parametrize("kind", NETWORKS)
def test_permuting_the_points_permutes_the_output(kind: type):
    network, (x, t, label) = built(kind), inputs()
    order = torch.randperm(x.shape[1])
    out = network(x, t, label)
    torch.testing.assert_close(network(x[:, order], t, label), out[:, order], atol=1e-5, rtol=0)
    assert float((out[:, 0] - out[:, 1]).abs().max()) > 0.1


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_cloud_of_doubled_points_gets_the_same_output(kind: type):
    network, (x, t, label) = built(kind), inputs()
    doubled = network(torch.cat([x, x], dim=1), t, label)
    torch.testing.assert_close(doubled[:, : x.shape[1]], network(x, t, label), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_point_hears_of_every_other(kind: type):
    network, (x, t, label) = built(kind), inputs()
    moved = x.clone()
    moved[:, -1] += 3
    change = (network(moved, t, label) - network(x, t, label))[:, 0].abs().amax(dim=-1)
    assert (change > 1e-6).all()


@pytest.mark.parametrize("kind", [*NETWORKS, PointDenoiser])
def test_time_and_label_are_heard_and_the_last_label_means_none(kind: type):
    network, (x, t, _) = built(kind), inputs()
    x = x[:, 0] if kind is PointDenoiser else x
    none = network(x, t)
    torch.testing.assert_close(network(x, t, torch.full((4,), 3)), none)
    assert float((network(x, t, torch.zeros(4).long()) - none).abs().max()) > 1e-3
    assert float((network(x, t.flip(0)) - none).abs().max()) > 1e-3
    with pytest.raises(ValueError, match="knows no classes"):
        built(kind, classes=0)(x, t, torch.zeros(4).long())


def test_embeddings_can_be_switched_off():
    torch.testing.assert_close(
        CoordinateEmbedding(2, 0)(torch.ones(3, 2)), torch.ones(3, 2), atol=0, rtol=0
    )
    embedded = CoordinateEmbedding(1, 2)(torch.tensor([[1.0]]))
    expected = torch.tensor([[1.0, 1.0, 0.0, 0.0, -1.0]])  # x, sin π/2, sin π, cos π/2, cos π
    torch.testing.assert_close(embedded, expected, atol=1e-6, rtol=0)
    plain = PointDenoiser(2, octaves=0, time_features=0)
    assert plain(torch.randn(5, 2), torch.arange(1, 6)).shape == (5, 2)
    shorter = PointDenoiser(2, octaves=0, time_features=0, steps=50)
    shorter.load_state_dict(plain.state_dict())
    for network in (plain, shorter):
        nn.init.ones_(network.output.weight)
    x = torch.randn(5, 2)
    torch.testing.assert_close(  # t / T is what it hears
        shorter(x, torch.full((5,), 25)), plain(x, torch.full((5,), 500))
    )
    with pytest.raises(ValueError, match="octaves must be at least 0"):
        CoordinateEmbedding(2, -1)


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="3 heads do not divide a width of 32"):
        Attention(32, 3)


@pytest.mark.parametrize("kind", [*NETWORKS, PointDenoiser])
@pytest.mark.parametrize("settings", [{"width": 0}, {"blocks": -1}])
def test_a_network_of_nothing_is_refused(kind: type, settings: dict[str, int]):
    with pytest.raises(ValueError, match="width and blocks must be at least 1"):
        kind(2, **settings)
