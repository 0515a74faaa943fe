"""The convolutional autoencoder: shapes, what a latent sees, and what is refused."""

import pytest
import torch

from diffstn.networks.autoencoders.convolutional import ConvAutoencoder

TINY = {"width": 8, "groups": 4}


@pytest.mark.parametrize(
    ("channels", "size", "settings", "latent"),
    [
        (1, (28, 28), {}, (4, 8, 8)),
        (3, (64, 64), {}, (4, 16, 16)),
        (3, (64, 48), {"multipliers": (1, 1, 2), "patch": 1}, (4, 16, 12)),
        (1, (28, 28), {"multiple": 1, "latent_channels": 2}, (2, 7, 7)),
        (1, (5, 30), {"patch": 4, "multipliers": (1,)}, (4, 4, 8)),
    ],
)
def test_any_size_becomes_a_latent_that_a_unet_can_halve_and_comes_back(
    channels: int, size: tuple[int, int], settings: dict, latent: tuple[int, int, int]
):
    network = ConvAutoencoder(channels, size, 2, **{**TINY, **settings})
    assert network.latent == latent
    answered = network.encode(torch.rand(2, channels, *size))
    assert answered.shape == (2, 2 * latent[0], *latent[1:])
    assert network.decode(torch.randn(2, *latent)).shape == (2, channels, *size)


def test_what_is_added_at_the_border_repeats_the_last_row_and_column():
    torch.manual_seed(0)
    network = ConvAutoencoder(1, (28, 28), 1, **TINY)
    images = torch.rand(2, 1, 28, 28)
    wide = torch.cat([images, images[..., -1:].expand(-1, -1, -1, 4)], dim=-1)
    wide = torch.cat([wide, wide[:, :, -1:].expand(-1, -1, 4, -1)], dim=-2)
    same = ConvAutoencoder(1, (32, 32), 1, **TINY)
    same.load_state_dict(network.state_dict())
    assert torch.equal(network.encode(images), same.encode(wide))
    latent = torch.randn(2, *network.latent)
    assert torch.equal(network.decode(latent), same.decode(latent)[..., :28, :28])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"multipliers": ()}, "an autoencoder needs a level"),
        ({"latent_channels": 0}, "positive widths, blocks, latent_channels"),
        ({"width": 9}, "groups=4 must divide the channels of every level, 9"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict, message: str):
    with pytest.raises(ValueError, match=message):
        ConvAutoencoder(1, (28, 28), 2, **{**TINY, **settings})
