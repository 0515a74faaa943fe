"""Changes of images one by one, against what they should do."""

import math

import pytest
import torch

from diffstn.adversarial import NUMBERS, augment
from diffstn.adversarial.augment import CHANGES, SHIFT, SPREAD

NAMES = list(CHANGES)


def numbers(n: int, name: str, **values: float) -> torch.Tensor:
    """For n images: one change alone is made (its gate 0, those of others 1), with such values."""
    places = {
        **{"flip": 0, "turn": 1, "shift_x": 2, "shift_y": 3, "scale": 4, "before": 5},
        **{"stretch": 6, "after": 7, "x": 8, "y": 9, "bright": 10, "contrast": 11},
        **{"hue": 12, "saturation": 13},
    }
    made = torch.full((n, NUMBERS), 0.5)
    made[:, : len(NAMES)] = 1
    made[:, NAMES.index(name)] = 0
    for key, value in values.items():
        made[:, len(NAMES) + places[key]] = value
    return made


def image(channels: int = 3, size: int = 16) -> torch.Tensor:
    return torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def normal_at(value: float) -> float:
    """The u of which `normal` makes this value."""
    return float(torch.special.ndtr(torch.tensor(value)))


def test_nothing_is_changed_with_probability_zero():
    x = image()
    random = torch.rand(2, NUMBERS)
    torch.testing.assert_close(augment(x, 0.0, random), x, atol=1e-5, rtol=0)
    assert not torch.allclose(augment(x, 1.0, random), x, atol=0.1)


def test_flips_and_turns_are_exact():
    x = image()
    flipped = augment(x, 0.5, numbers(2, "flip", flip=0.9))
    torch.testing.assert_close(flipped, x.flip(-1), atol=1e-4, rtol=0)
    for quarter in range(4):
        turned = augment(x, 0.5, numbers(2, "turn", turn=quarter / 4 + 0.1))
        torch.testing.assert_close(turned, x.rot90(quarter, (-2, -1)), atol=1e-4, rtol=0)


def test_shifts_are_by_whole_pixels():
    x = image(size=16)
    moved = augment(x, 0.5, numbers(2, "shift", shift_x=1.0, shift_y=0.0))
    pixels = round(SHIFT * 16)
    torch.testing.assert_close(
        moved[..., pixels:, :-pixels], x[..., :-pixels, pixels:], atol=1e-4, rtol=0
    )


def test_a_stretch_keeps_the_area_and_a_scale_does_not():
    x = torch.zeros(1, 1, 64, 64)
    x[..., 24:40, 24:40] = 1
    u = normal_at(1 / SPREAD)  # by a factor of 2
    halved = augment(x, 0.5, numbers(1, "scale", scale=u))[..., 16:48, 16:48]  # no mirror images
    assert float(halved.sum() / x.sum()) == pytest.approx(1 / 4, rel=0.05)
    stretched = augment(x, 0.5, numbers(1, "stretch", stretch=u))[..., 16:48]
    assert float(stretched.sum() / x.sum()) == pytest.approx(1, rel=0.05)
    high = int((stretched[0, 0].amax(1) > 0.2).sum())
    assert high == pytest.approx(2 * 16, abs=2)


def test_brightness_and_contrast():
    x = image(channels=1)
    brighter = augment(x, 0.5, numbers(2, "brightness", bright=normal_at(1.0)))
    torch.testing.assert_close(brighter, x + SPREAD, atol=1e-4, rtol=0)
    harder = augment(x, 0.5, numbers(2, "contrast", contrast=normal_at(2.0)))
    torch.testing.assert_close(harder, 2 * x, atol=1e-3, rtol=0)


def test_hue_turns_colours_about_grey_and_saturation_draws_them_there():
    x = image()
    third = augment(x, 0.5, numbers(2, "hue", hue=0.5 + 1 / 3))  # by 120°: red becomes green
    torch.testing.assert_close(third, x.roll(1, dims=1), atol=1e-4, rtol=0)
    faded = augment(x, 0.5, numbers(2, "saturation", saturation=1e-6))
    grey = x.mean(1, keepdim=True).expand_as(x)
    torch.testing.assert_close(faded, grey, atol=0.1, rtol=0)
    torch.testing.assert_close(faded.mean(1), x.mean(1), atol=1e-4, rtol=0)


def test_each_change_is_made_as_often_as_it_should():
    """With p = 0.3, of 2 000 images: those that are not touched at all."""
    x = image(size=16)[:1].expand(2000, -1, -1, -1)
    random = torch.rand(2000, NUMBERS, generator=torch.Generator().manual_seed(0))
    same = (augment(x, 0.3, random) - x).abs().amax((1, 2, 3)) < 1e-4
    unmoved = (1 / 4) ** 2  # shifts of up to 2 px, each way within half a pixel of 0
    flip, turn, shift = 1 - 0.3 / 2, 1 - 0.3 * 3 / 4, 1 - 0.3 * (1 - unmoved)
    others = 0.7**7 * 0.7  # seven others, and both rotations together
    expected = flip * turn * shift * others
    assert float(same.float().mean()) == pytest.approx(expected, abs=4 * math.sqrt(expected / 2000))


def test_gradients_reach_the_images():
    x = image().requires_grad_()
    augment(x, torch.tensor(1.0), torch.rand(2, NUMBERS)).sum().backward()
    assert float(x.grad.abs().sum()) > 0


def test_numbers_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="2 images take numbers"):
        augment(image(), 0.5, torch.rand(3, NUMBERS))
