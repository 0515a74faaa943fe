"""The encoder that convolves over places and turns."""

import pytest
import torch

from diffstn.networks.encoders.steerable import SteerableEncoder


def small(channels: int = 1, size: tuple[int, int] = (28, 28)) -> SteerableEncoder:
    torch.manual_seed(0)
    return SteerableEncoder(channels, size, 4, (3, 4), (5, 3), (2, 2), neck=5, features=20)


@pytest.mark.parametrize(("channels", "size"), [(1, (28, 28)), (3, (32, 32)), (2, (42, 30))])
def test_embeds_any_channels_and_oblong_images(channels: int, size: tuple[int, int]):
    encoder = small(channels, size)
    image = torch.rand(3, channels, *size, requires_grad=True)
    embedding = encoder(image)
    assert embedding.shape == (3, encoder.features) == (3, 20)
    embedding.square().sum().backward()
    assert image.grad is not None
    assert all((p.grad != 0).any() for p in encoder.parameters())


def test_what_there_is_does_not_change_with_a_turn_and_where_it_is_does():
    encoder, image = small().eval(), torch.rand(4, 1, 28, 28)
    turned = torch.rot90(image, 1, (2, 3))
    assert not torch.allclose(encoder(image), encoder(turned), atol=1e-2)
    torch.nn.init.zeros_(encoder.where.weight)
    torch.testing.assert_close(encoder(image), encoder(turned), rtol=0, atol=1e-4)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match=r"encoder.widths=\[3, 4\] needs as many"):
        SteerableEncoder(1, (28, 28), 4, (3, 4), (5,), (2, 2))
    with pytest.raises(ValueError, match="3x28 px are too small"):
        SteerableEncoder(1, (3, 28), 4, (3, 4), (5, 3), (2, 2))
