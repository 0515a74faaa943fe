"""Scattering coefficients, against what is known of them."""

import importlib.util
import math
from typing import Any

import pytest
import torch

from diffstn.errors import UserError
from diffstn.networks.encoders.scattering import ScatteringEncoder

needs_kymatio = pytest.mark.skipif(
    importlib.util.find_spec("kymatio") is None, reason="kymatio is not installed"
)


def encoder(channels: int = 1, size: tuple[int, int] = (28, 28), **more: Any) -> ScatteringEncoder:
    torch.manual_seed(0)
    return ScatteringEncoder(channels, size, features=24, **more).eval()


@needs_kymatio
@pytest.mark.parametrize(
    ("scales", "angles", "order", "paths"), [(2, 8, 2, 81), (2, 8, 1, 17), (3, 4, 2, 61)]
)
def test_as_many_coefficients_as_paths_at_places_so_far_apart(
    scales: int, angles: int, order: int, paths: int
):
    network = encoder(2, (42, 30), scales=scales, angles=angles, order=order)
    found = network.coefficients(torch.rand(3, 2, 42, 30))
    assert network.paths == paths
    assert found.shape == (3, 2 * paths, 42 // 2**scales, 30 // 2**scales)


@needs_kymatio
def test_a_constant_image_has_its_mean_and_no_waves():
    found = encoder().coefficients(torch.full((1, 1, 28, 28), 0.7))
    torch.testing.assert_close(found[:, 0], torch.full((1, 7, 7), 0.7), atol=1e-3, rtol=0)
    assert found[:, 1:].abs().max() < 2e-3


@needs_kymatio
def test_a_wave_is_found_by_the_wavelets_along_it():
    """Of the finest 8 directions, those across the stripes answer most: θ = 0 or π/2 in turn."""
    waves = 0.5 + 0.5 * (0.75 * math.pi * torch.arange(28)).cos()
    across, along = waves.expand(28, 28), waves.expand(28, 28).T
    found = encoder().coefficients(torch.stack([across, along])[:, None])[:, 1:9, 2:5, 2:5]
    first, second = found.mean((2, 3))
    assert (int(first.argmax()) - int(second.argmax())) % 8 == 4
    assert first.max() > 3 * first.min()


@needs_kymatio
def test_gradients_reach_the_image_and_the_head_alone_learns():
    network = encoder().train()
    image = torch.rand(4, 1, 28, 28, requires_grad=True)
    embedding = network(image)
    assert embedding.shape == (4, 24) == (4, network.features)
    embedding.square().sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
    assert not list(network.scattering.parameters())
    with torch.autocast("cpu", torch.bfloat16):
        assert network.coefficients(image).dtype == torch.float32


@needs_kymatio
def test_what_does_not_fit_is_refused_with_the_size_that_does():
    with pytest.raises(ValueError, match="use 16 px or more, or fewer scales"):
        encoder(size=(15, 28), scales=4)
    with pytest.raises(ValueError, match="order 1 or 2"):
        encoder(order=3)


def test_without_kymatio_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'diffstn\[scattering\]'"):
        ScatteringEncoder(1, (28, 28))
