"""What all image encoders promise: (B, C, H, W) → (B, features), for the images they name."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from diffstn.networks.encoders.canny import CannyEncoder
from diffstn.networks.encoders.conv import ConvEncoder
from diffstn.networks.encoders.fc import FCEncoder
from diffstn.networks.encoders.lenet import LeNetEncoder
from diffstn.networks.encoders.localisation import LocalisationEncoder
from diffstn.networks.encoders.low_frequency import LowFrequencyEncoder
from diffstn.networks.encoders.pool import PoolEncoder

ENCODERS = [
    *(ConvEncoder, FCEncoder, LeNetEncoder, LocalisationEncoder, LowFrequencyEncoder, PoolEncoder)
]


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(("channels", "size"), [(1, (28, 28)), (3, (32, 32)), (2, (42, 30))])
def test_embeds_any_channels_and_oblong_images(
    encoder: Callable[..., nn.Module], channels: int, size: tuple[int, int]
):
    network = encoder(channels, size, features=24)
    assert network.features == 24
    image = torch.rand(3, channels, *size, requires_grad=True)
    embedding = network(image)
    assert embedding.shape == (3, 24)
    embedding.sum().backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_answers_alike_alone_and_in_a_batch(encoder: Callable[..., nn.Module]):
    network = encoder(1, (28, 28)).eval()
    images = torch.rand(4, 1, 28, 28)
    torch.testing.assert_close(network(images)[1:2], network(images[1:2]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("encoder", "least"), [(LocalisationEncoder, 18), (LeNetEncoder, 16)])
def test_too_small_a_image_is_refused_with_the_size_that_fits(
    encoder: Callable[..., nn.Module], least: int
):
    with pytest.raises(ValueError, match=f"use {least} px or more"):
        encoder(1, (least - 1, 28))
    assert encoder(1, (least, least))(torch.rand(2, 1, least, least)).shape[0] == 2


def test_conv_encoder_wants_a_stride_for_every_width():
    with pytest.raises(ValueError, match="2 widths need as many strides, got 1"):
        ConvEncoder(1, (28, 28), widths=(8, 8), strides=(1,))


def test_conv_encoder_sees_where_a_stroke_lies():
    network = ConvEncoder(1, (28, 28), features=16).eval()
    image = torch.zeros(1, 1, 28, 28)
    image[..., 4:8, 4:8] = 1
    moved = image.roll(12, dims=-1)
    apart = network(image) - network(moved)
    assert apart.norm() > 0.1 * network(image).norm()


def test_pool_encoder_reads_images_of_any_size():
    network = PoolEncoder(1, features=10)
    assert {network(torch.rand(2, 1, side, side)).shape for side in (8, 28, 42)} == {(2, 10)}


def test_canny_encoder_shows_edges_only():
    pytest.importorskip("cv2")
    network = CannyEncoder(partial(FCEncoder, features=12), channels=2, size=(28, 28))
    assert network.features == 12
    image = torch.zeros(3, 2, 28, 28)
    image[..., 8:20, 8:20] = 1
    edges = network.edges(image)
    assert edges.shape == image.shape
    assert set(edges.unique().tolist()) == {0.0, 1.0}
    assert edges[..., 12:16, 12:16].sum() == 0
    assert edges[..., 6:11, 14].sum() > 0
    assert network(image).shape == (3, 12)
