import math

import pytest
import torch

from diffstn.data.distortions import DiscreteRotation
from diffstn.data.sources.disc import in_disc

from ..conftest import seeded


@pytest.mark.parametrize("size", [(32, 32), (31, 31), (20, 32)])
def test_what_lies_outside_is_black_and_the_rest_as_it_was(size):
    images = torch.randint(1, 256, (2, 3, *size), dtype=torch.uint8, generator=seeded())
    found = in_disc(images)
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

    assert spread(in_disc(grey)) < 0.01
    assert spread(grey) > 0.1
