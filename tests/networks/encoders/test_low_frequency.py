"""The slow waves of an image, against their closed form and against SciPy's transform."""

import math

import pytest
import scipy.fft
import torch

from diffstn.networks.encoders.low_frequency import LowFrequencyEncoder


def encoder(frequencies: int, size: tuple[int, int] = (28, 20)) -> LowFrequencyEncoder:
    torch.manual_seed(0)
    return LowFrequencyEncoder(2, size, frequencies, features=16).eval()


def test_a_wave_is_one_coefficient():
    """cos(πk(i + ½)/H) cos(πm(j + ½)/W) has the coefficient √(HW)/2 at (k, m) for k, m > 0."""
    (height, width), k, m = (28, 20), 3, 2
    down = (math.pi * k * (torch.arange(height) + 0.5) / height).cos()
    along = (math.pi * m * (torch.arange(width) + 0.5) / width).cos()
    image = (down[:, None] * along).expand(1, 2, -1, -1)
    expected = torch.zeros(1, 2, 5, 5)
    expected[..., k, m] = math.sqrt(height * width) / 2
    torch.testing.assert_close(encoder(5).coefficients(image), expected, atol=1e-5, rtol=1e-5)
    flat = encoder(5).coefficients(torch.full((1, 2, height, width), 0.5))
    expected = torch.zeros(1, 2, 5, 5)
    expected[..., 0, 0] = 0.5 * math.sqrt(height * width)
    torch.testing.assert_close(flat, expected, atol=1e-5, rtol=1e-5)


def test_the_coefficients_are_the_corner_of_the_cosine_transform():
    image = torch.rand(3, 2, 28, 20)
    every = torch.from_numpy(scipy.fft.dctn(image.numpy(), axes=(2, 3), norm="ortho"))
    found = encoder(7).coefficients(image)
    torch.testing.assert_close(found, every[..., :7, :7], atol=1e-5, rtol=1e-5)


def test_all_of_them_have_the_energy_of_the_image():
    image = torch.rand(3, 2, 20, 20)
    energy = encoder(20, (20, 20)).coefficients(image).square().sum((1, 2, 3))
    torch.testing.assert_close(energy, image.square().sum((1, 2, 3)))


def test_fast_waves_are_not_heard():
    network, image = encoder(6), torch.rand(4, 2, 28, 20)
    fast = (math.pi * 6 * (torch.arange(20) + 0.5) / 20).cos()
    slow = (math.pi * 5 * (torch.arange(20) + 0.5) / 20).cos()
    heard = network(image)
    torch.testing.assert_close(network(image + fast), heard, atol=1e-4, rtol=1e-4)
    assert (network(image + slow) - heard).abs().max() > 0.05


@pytest.mark.parametrize("frequencies", [0, 21])
def test_more_frequencies_than_pixels_are_refused(frequencies: int):
    with pytest.raises(ValueError, match=f"frequencies={frequencies}: images of 28x20 px have 1"):
        encoder(frequencies)
