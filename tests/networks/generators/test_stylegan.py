"""The compact StyleGAN2, part by part."""

import pytest
import torch
import torch.nn.functional as F

from diffstn.networks.blocks.halved import halved
from diffstn.networks.blocks.modulated_conv import ModulatedConv
from diffstn.networks.generators.mapping import Mapping
from diffstn.networks.generators.stylegan import StyleGAN

SMALL = {"latent": 8, "style": 16, "width": 4, "most": 8}


@pytest.mark.parametrize("demodulate", [True, False])
def test_one_convolution_is_a_kernel_for_each_image(demodulate: bool):
    torch.manual_seed(0)
    conv = ModulatedConv(5, 7, style=6, demodulate=demodulate)
    h, w = torch.randn(3, 5, 8, 8), torch.randn(3, 6)
    made = conv(h, w)
    s = conv.to_style(w)
    for b in range(3):
        kernel = conv.weight * conv.scale * s[b][None, :, None, None]
        if demodulate:
            kernel = kernel / kernel.square().sum((1, 2, 3), keepdim=True).sqrt()
        alone = F.conv2d(h[b : b + 1], kernel, padding=1)
        torch.testing.assert_close(made[b : b + 1], alone, atol=1e-5, rtol=1e-4)


def test_demodulated_outputs_have_unit_variance():
    torch.manual_seed(0)
    conv = ModulatedConv(32, 32, style=16)
    made = conv(torch.randn(8, 32, 24, 24), 3 * torch.randn(8, 16))
    inside = made[..., 1:-1, 1:-1].detach()
    assert float(inside.var()) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(
    ("size", "sides"),
    [
        ((28, 28), [(7, 7), (14, 14), (28, 28)]),
        ((64, 64), [(4, 4), (8, 8), (16, 16), (32, 32), (64, 64)]),
        ((12, 20), [(6, 10), (12, 20)]),
    ],
)
def test_sizes_double_up_to_the_image_s(size: tuple[int, int], sides: list[tuple[int, int]]):
    assert halved(size) == sides
    network = StyleGAN(3, size, **SMALL)
    noise = torch.randn(2, network.noise)
    assert network.synthesis(network.styles(noise), noise).shape == (2, 3, *size)


def test_sides_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match="27 × 28 pixels"):
        StyleGAN(1, (27, 28), **SMALL)
    with pytest.raises(ValueError, match="must be at least 1"):
        StyleGAN(1, (28, 28), latent=0)


def test_images_follow_from_their_noise_alone():
    """Whatever others are in the batch; the planes of noise matter once they have a strength."""
    torch.manual_seed(0)
    network = StyleGAN(1, (28, 28), **SMALL)
    noise = torch.randn(6, network.noise)
    w = network.styles(noise)
    made = network.synthesis(w, noise)
    torch.testing.assert_close(network.synthesis(w[2:3], noise[2:3]), made[2:3])
    other = torch.cat([noise[:, : network.latent], torch.randn(6, network.noise - 8)], dim=1)
    torch.testing.assert_close(network.styles(other), w)
    torch.testing.assert_close(network.synthesis(w, other), made)
    for layer in network.layers:
        torch.nn.init.ones_(layer.strength)
    assert not torch.allclose(network.synthesis(w, other), network.synthesis(w, noise), atol=0.01)


def test_the_mean_style_of_each_class_is_where_truncation_leads():
    torch.manual_seed(0)
    mapping = Mapping(8, 16, layers=2, classes=3)
    label = torch.arange(3).repeat(400)
    w = mapping(torch.randn(1200, 8), label).detach()
    for _ in range(2000):
        mapping.observe(w[label != 2], label[label != 2])
    expected = torch.stack([w[label == c].mean(0) for c in range(2)])
    torch.testing.assert_close(mapping.mean[:2], expected, atol=1e-3, rtol=0)
    assert not mapping.mean[2].any()  # of which it saw nothing
    torch.testing.assert_close(mapping.truncated(w, 0.0, label), mapping.mean[label])
    torch.testing.assert_close(mapping.truncated(w, 1.0, label), w)
    torch.testing.assert_close(
        mapping.truncated(w, 0.5, label), (w + mapping.mean[label]) / 2, atol=1e-6, rtol=0
    )


def test_styles_hear_the_class_and_no_scale_of_the_noise():
    mapping = Mapping(8, 16, layers=2, classes=3)
    z = torch.randn(5, 8)
    one, other = (mapping(z, torch.full((5,), c)) for c in (0, 1))
    assert not torch.allclose(one, other)
    torch.testing.assert_close(mapping(7 * z, torch.zeros(5).long()), one, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("bound", [1.0, 2.0])
def test_images_keep_within_the_bound_of_the_data(bound: float):
    """They reach it, and are what they were where they are small."""
    torch.manual_seed(0)
    network = StyleGAN(1, (28, 28), **SMALL)
    noise = torch.randn(2, network.noise)
    w = network.styles(noise)
    for bias in (0.0, -20.0):
        torch.nn.init.constant_(network.bias, bias)
        network.bound = None
        free = network.synthesis(w, noise)
        network.bound = bound
        torch.testing.assert_close(network.synthesis(w, noise), bound * (free / bound).tanh())
    torch.testing.assert_close(network.synthesis(w, noise), torch.full_like(free, -bound))
