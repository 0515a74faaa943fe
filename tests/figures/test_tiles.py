import numpy as np
import pytest
import torch

from diffstn.figures.style import INK, TILE
from diffstn.figures.tiles import check_images, tiles


def test_grey_runs_from_tile_to_ink_and_every_pixel_becomes_a_square():
    images = torch.tensor([[[[0.0, 1.0]]]])
    made = tiles(images, scale=3)
    assert made.shape == (1, 3, 6, 3)
    assert made.dtype == np.uint8
    assert (made[0, :, :3] == TILE).all()
    assert (made[0, :, 3:] == INK).all()


def test_colour_keeps_its_values_and_leading_axes():
    images = torch.rand(2, 4, 3, 5, 7, dtype=torch.float64)
    made = tiles(images)
    assert made.shape == (2, 4, 5, 7, 3)
    expected = (255 * images).round().movedim(-3, -1).numpy()
    np.testing.assert_allclose(made, expected, atol=1)


def test_values_out_of_range_are_clamped_and_bfloat16_is_shown():
    wild = torch.tensor([-5.0, 7.0, float("nan"), float("inf")], dtype=torch.bfloat16)
    made = tiles(wild.view(1, 1, 1, 4))
    assert [tuple(pixel) for pixel in made[0, 0]] == [TILE, INK, TILE, TILE]


def test_scale_must_be_positive():
    with pytest.raises(ValueError, match="scale"):
        tiles(torch.zeros(1, 1, 2, 2), scale=0)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(1, 28, 28), r"x must be .* shape \(N,C,H,W\), got \(1, 28, 28\)"),
        (torch.zeros(0, 1, 28, 28), "non-empty"),
        (torch.zeros(1, 2, 28, 28), "1 channel .* got C = 2"),
        (torch.zeros(1, 1, 28, 28, dtype=torch.uint8), "divide by 255"),
    ],
)
def test_what_cannot_be_shown_is_refused(images, message):
    with pytest.raises(ValueError, match=message):
        check_images(images, "x", "N,C,H,W")
