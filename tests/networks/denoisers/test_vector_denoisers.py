"""What denoising networks promise: (x_t, t, embedding) → the shape of x_t, moved by all three."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from diffstn.networks.denoisers.latent import LatentDenoiser
from diffstn.networks.denoisers.pose import PoseDenoiser


def trained(network: nn.Module) -> nn.Module:
    """Weights that are nowhere zero."""
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    return network


NETWORKS: list[Callable[[], nn.Module]] = [
    lambda: PoseDenoiser(6, 10, width=16, blocks=2),
    lambda: LatentDenoiser(6, 10),
    lambda: LatentDenoiser(6, 10, time_in_every_layer=True),
]


@pytest.fixture
def inputs() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(4, 6), torch.tensor([1, 5, 50, 999]), torch.randn(4, 10)


@pytest.mark.parametrize("build", NETWORKS)
def test_every_input_matters(build: Callable[[], nn.Module], inputs: tuple[Tensor, ...]):
    x_t, t, embedding = inputs
    network = trained(build())
    output = network(x_t, t, embedding)
    assert output.shape == x_t.shape
    for other in (
        network(x_t + 1, t, embedding),
        network(x_t, t + 300, embedding),
        network(x_t, t, embedding + 1),
    ):
        assert ((output - other).abs().amax(dim=1) > 1e-5).all()


@pytest.mark.parametrize("build", NETWORKS)
def test_images_do_not_mix(build: Callable[[], nn.Module], inputs: tuple[Tensor, ...]):
    network = trained(build())
    whole = network(*inputs)
    alone = torch.cat([network(*(one[i : i + 1] for one in inputs)) for i in range(4)])
    torch.testing.assert_close(whole, alone)


def test_the_pose_denoiser_starts_at_zero_and_takes_several_timesteps_per_image():
    network = PoseDenoiser(6, 10, width=16, blocks=2)
    x_t, t = torch.randn(3, 4, 6), torch.randint(1, 1000, (3, 4))
    output = network(x_t, t, torch.randn(3, 1, 10))
    assert torch.equal(output, torch.zeros(3, 4, 6))


def test_what_poses_share_is_said_once():
    network = trained(PoseDenoiser(6, 10, width=16, blocks=2))
    x_t, t, embedding = (
        torch.randn(3, 4, 2, 6),
        torch.tensor([7, 500, 20]),
        torch.randn(3, 1, 2, 10),
    )
    rows = x_t.flatten(0, 2)
    told = embedding.expand(3, 4, 2, 10).flatten(0, 2)
    apart = network(rows, t.repeat_interleave(8), told)
    torch.testing.assert_close(network(x_t, t, embedding), apart.view(3, 4, 2, 6))


def test_what_is_known_ahead_of_a_walk_is_what_each_step_would_find():
    network = trained(PoseDenoiser(6, 10, width=16, blocks=2))
    x_t, embedding = torch.randn(3, 4, 2, 6), torch.randn(3, 1, 2, 10)
    steps = torch.tensor([900, 300, 1])
    known = network.ahead(steps[:, None], embedding[None])
    for step, ahead in zip(steps, known, strict=True):
        expected = network(x_t, step.repeat(3), embedding)
        torch.testing.assert_close(network(x_t, step.repeat(3), embedding, ahead), expected)


def test_time_in_every_layer_is_a_longer_input():
    widths = [
        [layer.in_features for layer in LatentDenoiser(6, 10, 20, every).layers]
        for every in (False, True)
    ]
    assert widths == [[36, 6, 6], [36, 26, 26]]
