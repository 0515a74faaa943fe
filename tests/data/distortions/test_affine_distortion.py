import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diffstn.data.distortions import AffineDistortion
from diffstn.spatial import as_matrix, decompose

from ..conftest import preset, seeded

N = 20_000
NAN, INFINITY = math.nan, math.inf


def parts(distortion, image_size=(28, 28)):
    return decompose(as_matrix(distortion.draw(N, image_size, seeded())))


def assert_uniform(values, low, high):
    """All in [low, high], reaching to the ends, with the mean and deviation of a uniform law."""
    width = high - low
    assert values.min() >= low - 1e-5
    assert values.max() <= high + 1e-5
    assert values.mean() == pytest.approx((low + high) / 2, abs=0.01 * width + 1e-6)
    assert values.std() == pytest.approx(width / math.sqrt(12), abs=0.01 * width + 1e-6)


@pytest.mark.parametrize(
    ("name", "degrees", "scale", "isotropic", "shear", "translation", "side"),
    [
        ("paper", 45, (0.7, 1.2), False, 0, 0.25, 28),
        ("full", 180, (0.7, 1.2), False, 0, 0.25, 28),
        ("rotation", 90, (1, 1), True, 0, 0, 28),
        ("any_rotation", 180, (1, 1), True, 0, 0, 28),
        ("none", 0, (1, 1), True, 0, 0, 28),
        ("rts", 45, (0.7, 1.2), True, 0, None, 42),
        ("affnist", 20, (0.8, 1.2), False, 0.2, None, 40),
    ],
)
def test_ranges_of_the_presets(name, degrees, scale, isotropic, shear, translation, side):
    distortion = preset(name)
    drawn = parts(distortion)
    on_canvas = 28 / side
    assert (distortion.canvas or (28, 28)) == (side, side)
    assert distortion.any_rotation == (degrees == 180)
    assert_uniform(drawn.rotation.rad2deg(), -degrees, degrees)
    assert_uniform(drawn.scale_x / on_canvas, *scale)
    assert_uniform(drawn.scale_y / on_canvas, *scale)
    assert_uniform(drawn.shear, -shear, shear)
    equal = (drawn.scale_x - drawn.scale_y).abs().max() < 1e-5
    assert equal == isotropic
    if translation is not None:
        assert_uniform(drawn.translation, -translation, translation)


@pytest.mark.parametrize("name", ["rts", "affnist"])
def test_placed_anywhere_keeps_the_digits_on_the_canvas(name, digits):
    distortion = preset(name)
    upright = digits["test"].items[:500] / 255
    theta = distortion.draw(500, (28, 28), seeded())
    area = as_matrix(theta)[..., :2].det() * distortion.canvas[0] ** 2 / 28**2
    kept = distortion.distort(upright, theta).sum((1, 2, 3)) / (upright.sum((1, 2, 3)) * area)
    assert kept.min() > 0.93  # resampling alone moves it by a few per cent
    assert kept.mean() == pytest.approx(1, abs=0.005)
    reach = as_matrix(distortion.draw(N, (28, 28), seeded()))[..., 2].abs().max()
    assert reach > 0.4  # and "anywhere" means it


@settings(deadline=None, max_examples=30)
@given(
    st.tuples(st.integers(8, 64), st.integers(8, 64)),
    st.one_of(st.none(), st.tuples(st.integers(8, 64), st.integers(8, 64))),
)
def test_rotations_are_rigid_in_pixels(size, canvas):
    """In pixels M is a rotation, whatever the shapes of image and canvas."""
    distortion = AffineDistortion(180, (1, 1), translation=0, canvas=canvas)
    M = as_matrix(distortion.draw(16, size, seeded()))[..., :2]
    to_pixels = torch.tensor((canvas or size)[::-1]).diag() / 2
    from_pixels = (2 / torch.tensor(size[::-1])).diag()
    R = to_pixels @ M @ from_pixels
    torch.testing.assert_close(R @ R.mT, torch.eye(2).expand(16, 2, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(R.det(), torch.ones(16), atol=1e-5, rtol=0)


def test_draws_are_reproducible_and_fresh():
    distortion = AffineDistortion()
    assert torch.equal(*(distortion.draw(9, (28, 28), seeded(1)) for _ in range(2)))
    assert not torch.equal(*(distortion.draw(9, (28, 28)) for _ in range(2)))
    theta = distortion.draw(9, (28, 28))
    assert theta.shape == (9, 6)
    assert theta.dtype == torch.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rotation": -1}, "rotation -1"),
        ({"shear": -0.1}, "shear -0.1"),
        ({"scale": (0, 1)}, "scale is"),
        ({"scale": (1.2, 0.7)}, "scale is"),
        ({"translation": "everywhere"}, "'anywhere'"),
        ({"translation": -0.1}, "translation"),
        ({"canvas": 0}, "canvas is 0"),
        ({"rotation": NAN}, "rotation nan"),
        ({"shear": INFINITY}, "shear inf"),
        ({"scale": (0.5, INFINITY)}, "scale is"),
        ({"scale": (NAN, 1)}, "scale is"),
        ({"translation": NAN}, "translation"),
    ],
)
def test_bad_ranges(arguments, message):
    with pytest.raises(ValueError, match=message):
        AffineDistortion(**arguments)
