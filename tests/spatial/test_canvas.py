import math

import torch

from diffstn.spatial import named_frame, turned, warp


def test_the_canvas_shows_the_image_itself():
    frame = named_frame("canvas")
    assert frame is not None
    images = torch.rand(3, 2, 5, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(warp(images, frame(images)), images)


def test_and_turned_by_a_right_angle_the_image_turned():
    frame = named_frame("canvas")
    assert frame is not None
    images = torch.rand(2, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    seen = warp(images, turned(frame, images, torch.full((2,), math.pi / 2)))
    torch.testing.assert_close(seen, images.rot90(1, (-2, -1)), atol=1e-5, rtol=0)
