import math

import pytest
import torch

from diffstn.diffusion.processes import Blur
from diffstn.diffusion.processes.blur import heat


def at(process, x, t):
    return process.corrupt(x, torch.full((len(x),), t))


@pytest.fixture
def images():
    return torch.rand(3, 2, 12, 20, generator=torch.Generator().manual_seed(0))


def test_blurs_add_up_and_none_is_the_identity():
    once = heat(28, torch.tensor([0.0, 0.7, 2.0, 2.7]))
    torch.testing.assert_close(once[0], torch.eye(28).double())
    torch.testing.assert_close(once[1] @ once[2], once[3])


def test_waves_fade_as_the_heat_equation_says():
    """cos(πk(j + ½)/n) at deviation σ keeps exp(−(πk/n)²σ²/2) of itself."""
    process = Blur(1, (16, 16), steps=5, smallest=0.05, largest=0.4)
    j = torch.arange(16) + 0.5
    wave = (math.pi * 3 / 16 * j).cos()[None, None, None].expand(1, 1, 16, 16)
    for t in range(1, 6):
        sigma = 0.05 * 16 * 8 ** ((t - 1) / 4)
        kept = math.exp(-((math.pi * 3 / 16) ** 2) * sigma**2 / 2)
        torch.testing.assert_close(at(process, wave, t), kept * wave, atol=1e-6, rtol=1e-4)


def test_in_the_open_it_is_a_convolution_with_a_gaussian():
    process = Blur(1, (41, 41), steps=2, smallest=1 / 41, largest=2 / 41)
    point = torch.zeros(1, 1, 41, 41)
    point[..., 20, 20] = 1
    x = torch.arange(41) - 20.0
    bell = (-x.square() / 8).exp() / (8 * math.pi) ** 0.5
    torch.testing.assert_close(at(process, point, 2)[0, 0], bell[:, None] * bell, atol=1e-5, rtol=0)


def test_every_image_at_a_time_of_its_own(images):
    process = Blur(2, (12, 20), steps=9)
    t = torch.tensor([0, 4, 9])
    together = process.corrupt(images, t)
    for one, image, now in zip(together, images, t, strict=True):
        torch.testing.assert_close(one, at(process, image[None], int(now))[0])
    torch.testing.assert_close(together[0], images[0])
    torch.testing.assert_close(together.mean((2, 3)), images.mean((2, 3)))


def test_at_the_end_the_mean_is_nearly_all(images):
    end = at(Blur(2, (12, 20), steps=9, largest=1.0), images, 9)
    assert float((end - images.mean((2, 3), keepdim=True)).abs().max()) < 0.01


@pytest.mark.parametrize("bad", [{"steps": 1}, {"smallest": 0}, {"smallest": 2.0}, {"rank": 0}])
def test_what_does_not_grow_is_refused(bad):
    with pytest.raises(ValueError, match=r"must grow|rank must be at least 1"):
        Blur(1, (8, 8), **bad)
