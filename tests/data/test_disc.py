import math

import pytest
import torch

from diffstn.data.disc import in_disc
from diffstn.data.distortions import AffineDistortion, DiscreteRotation

from .conftest import seeded


@pytest.mark.parametrize("size", [(32, 32), (31, 31), (20, 32)])
def test_what_lies_outside_is_black_and_the_rest_as_it_was(size):
    images = torch.randint(1, 256, (2, 3, *size), dtype=torch.uint8, generator=seeded())
    found = in_disc(images, "black")
    inside = found > 0
    assert found.dtype == torch.uint8
    assert torch.equal(found[inside], images[inside])
    area = math.pi / 4 * min(size) ** 2
    assert float(inside[0, 0].sum()) == pytest.approx(area, rel=0.03)
    assert torch.equal(inside, inside.flip(2))
    assert torch.equal(inside, inside.flip(3))


def test_corners_do_not_tell_the_angle():
    """A grey image looks the same however it was turned; without the disc its corners go black."""
    grey = torch.full((1, 1, 32, 32), 0.5)
    distortion = DiscreteRotation(8)
    theta = distortion.draw(16, (32, 32), seeded())

    def spread(image):
        turned = distortion.distort(image.expand(16, -1, -1, -1), theta)
        return float(turned[..., :5, :5].mean((1, 2, 3)).std())

    assert spread(in_disc(grey, "black")) < 0.01
    assert spread(grey) > 0.1


def test_mirrored_at_the_rim_nothing_is_empty_and_the_disc_as_it_was():
    images = torch.randint(1, 256, (2, 3, 32, 32), dtype=torch.uint8, generator=seeded())
    found, inside = in_disc(images, "mirrored"), in_disc(images, "black") > 0
    assert found.dtype == torch.uint8
    assert torch.equal(found[inside], images[inside])
    assert found.min() > 0
    # the corner's pixel lies at radius 1.37 on the diagonal, its image at 0.63
    at = (2 - math.hypot(31 / 32, 31 / 32)) / math.hypot(1, 1) * 16 + 15.5
    low, part = int(at), at - int(at)
    corner = images[..., low : low + 2, low : low + 2].float()
    weight = torch.tensor([1 - part, part])
    expected = (corner * weight * weight[:, None]).sum((-2, -1))
    assert (found[..., 31, 31].float() - expected).abs().max() < 1


def test_a_mirrored_disc_that_is_turned_is_the_mirrored_disc_of_the_turned():
    """So an image shows neither by a corner nor by an edge how it was turned."""
    y, x = torch.meshgrid(torch.linspace(-3, 3, 64), torch.linspace(-3, 3, 64), indexing="ij")
    smooth = (0.5 + 0.25 * torch.sin(x + 0.3) + 0.2 * torch.cos(1.3 * y))[None, None]
    distortion = AffineDistortion(rotation=180.0, scale=(1.0, 1.0), translation=0.0)
    for theta in distortion.draw(6, (64, 64), seeded()).split(1):
        turned = distortion.distort(in_disc(smooth, "mirrored"), theta, "bicubic", "disc")
        expected = in_disc(distortion.distort(smooth, theta, "bicubic", "border"), "mirrored")
        apart = (turned - expected).abs()
        assert apart.max() < 0.1  # at the rim, a crease that interpolation rounds off
        assert apart.mean() < 0.004
        assert (distortion.distort(smooth, theta) - expected).abs().max() > 0.3


@pytest.mark.parametrize(("outside", "size"), [("white", (8, 8)), ("mirrored", (8, 9))])
def test_what_cannot_be_mirrored_is_refused(outside, size):
    with pytest.raises(ValueError, match="choose black or, of square images, mirrored"):
        in_disc(torch.zeros(1, 1, *size), outside)
