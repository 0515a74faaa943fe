"""Writing of any brightness."""

import torch

from diffstn.data.sources.mnist import load_mnist
from diffstn.models.ink import LEAST, ink_of


def digits() -> torch.Tensor:
    return load_mnist()["test"].items[:16].float() / 255


def test_digits_as_they_are_stay_so():
    images = digits()
    ink = ink_of(images)
    assert not ink.dark.any()
    assert torch.equal(ink.as_light(images), images)


def test_grain_and_shade_of_a_photograph_are_paper():
    images = digits()
    generator = torch.Generator().manual_seed(0)
    shade = torch.linspace(-0.03, 0.03, 28)
    photo = 0.9 - 0.7 * images + shade + 0.02 * torch.randn(images.shape, generator=generator)
    light = ink_of(photo.clamp(0, 1)).as_light(photo.clamp(0, 1))
    blank = images == 0
    assert light[blank].mean() < 0.01
    assert torch.corrcoef(torch.stack([light.flatten(), images.flatten()]))[0, 1] > 0.99


def test_ink_is_told_from_paper_of_any_grey():
    images = digits()
    for paper, ink in ((0.48, 0.05), (0.3, 0.0), (0.6, 0.95), (0.2, 0.5), (1.0, 0.7)):
        found = ink_of(paper + (ink - paper) * images)
        assert (found.dark == (ink < paper)).all()
        light = found.as_light(paper + (ink - paper) * images)
        torch.testing.assert_close(light, images / images.amax((1, 2, 3), keepdim=True))


def test_a_sheet_lit_from_one_side_is_paper():
    images = digits()
    images[:, :, 10:13, :6] = 1  # a stroke that reaches the border
    down, across = torch.meshgrid(torch.linspace(0, 1, 28), torch.linspace(0, 1, 28), indexing="ij")
    paper = 0.9 - 0.25 * across - 0.1 * down
    photo = paper * (1 - 0.8 * images)
    ink = ink_of(photo)
    assert ink.dark.all()
    slopes = (
        ink.shade[..., 0, -1] - ink.shade[..., 0, 0],
        ink.shade[..., -1, 0] - ink.shade[..., 0, 0],
    )
    for slope, true in zip(slopes, (0.25, 0.1), strict=True):
        torch.testing.assert_close(slope, torch.full_like(slope, true), rtol=0, atol=1e-3)
    light = ink.as_light(photo)
    assert light[images == 0].amax() < 0.01
    assert torch.corrcoef(torch.stack([light.flatten(), images.flatten()]))[0, 1] > 0.97


def test_an_empty_image_is_not_blown_up():
    noise = 0.02 * torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ink_of(noise).as_light(noise), noise)
    assert torch.equal(ink_of(1 - noise).as_light(1 - noise), 1 - (1 - noise))
    faint = torch.zeros(1, 1, 8, 8)
    faint[..., 4, 4] = LEAST * 1.01
    assert ink_of(faint).as_light(faint).amax() == 1


def test_the_way_back_is_exact():
    images = digits() * 0.4
    for shown in (images, 1 - images):
        ink = ink_of(shown)
        torch.testing.assert_close(ink.as_given(ink.as_light(shown)), shown)
