import math

import pytest
import torch

from diffstn.data.distortions import ElasticDistortion

from ..conftest import preset, seeded


@pytest.mark.parametrize("size", [(28, 28), (16, 40)])
def test_displacements_are_gaussian_in_pixels(size):
    theta = preset("elastic").draw(5_000, size, seeded())
    assert theta.shape == (5_000, 32)
    height, width = size
    pixels = theta.unflatten(1, (16, 2)) * torch.tensor([width / 2, height / 2])
    torch.testing.assert_close(pixels.std((0, 1)), torch.tensor([1.5, 1.5]), rtol=0.02, atol=0)
    torch.testing.assert_close(pixels.mean((0, 1)), torch.zeros(2), rtol=0, atol=0.03)


def test_control_points_move_as_told():
    distortion = ElasticDistortion(2.0, points_per_side=3)
    theta = distortion.draw(4, (28, 28), seeded())
    lattice = distortion.transformation.control_points.float()[None]
    moved = distortion.transformation.points(theta, lattice)
    torch.testing.assert_close(moved - lattice, theta.unflatten(1, (9, 2)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("displacement", [-1, math.nan, math.inf])
def test_bad_displacement(displacement):
    with pytest.raises(ValueError, match=f"displacement is {displacement}"):
        ElasticDistortion(displacement)
