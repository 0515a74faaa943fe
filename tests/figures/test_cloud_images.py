"""Clouds land on the paper where they should."""

import pytest
import torch

from diffstn.figures.cloud_images import FAINTEST, cloud_images, view


def centre(image: torch.Tensor) -> tuple[float, float]:
    """(x, y) of the ink's centre in pixels."""
    ink = image[0] / image.sum()
    steps = torch.arange(image.shape[-1]) + 0.5
    return float((ink.sum(0) * steps).sum()), float((ink.sum(1) * steps).sum())


def test_x_runs_to_the_right_and_y_upwards():
    [image] = cloud_images(torch.tensor([[[0.5, 0.25]]]), side=80, reach=1.0)
    assert image.shape == (1, 80, 80)
    assert centre(image) == pytest.approx((60, 30), abs=0.5)
    assert float(image.max()) == 1
    assert float((image > 0).sum()) < 16


def test_points_outside_leave_no_mark_and_others_stay():
    [both] = cloud_images(torch.tensor([[[3.0, 0.0], [-0.5, 0.0]]]), side=60, reach=1.0)
    [one] = cloud_images(torch.tensor([[[-0.5, 0.0]]]), side=60, reach=1.0)
    assert torch.equal(both, one)


def test_space_is_seen_from_above_and_far_points_are_fainter():
    ends = torch.tensor([[[0.0, 0.0, 0.8]], [[0.0, 0.0, -0.8]]])
    xy, near = view(ends)
    assert float(xy[0, 0, 1]) > 0 > float(xy[1, 0, 1])
    assert float(near[0, 0]) > float(near[1, 0])  # the eye is above the ground
    lengths = torch.cat([*view(torch.eye(3)[None])[0], *view(torch.eye(3)[None])[1][..., None]], 1)
    torch.testing.assert_close(lengths.norm(dim=1), torch.ones(3))  # a rotation
    toward, away = cloud_images(torch.tensor([[[0.8, 0.5, 0.5]], [[-0.8, -0.5, -0.5]]]), side=60)
    assert float(toward.max()) > float(away.max()) >= FAINTEST


def test_autocast_does_not_disturb_the_image():
    clouds = torch.rand(2, 30, 3)
    with torch.autocast("cpu", torch.bfloat16):
        inside = cloud_images(clouds, side=40)
    assert torch.equal(inside, cloud_images(clouds, side=40))


def test_clouds_of_four_coordinates_are_refused():
    with pytest.raises(ValueError, match="choose two or three coordinates"):
        cloud_images(torch.zeros(1, 5, 4))
