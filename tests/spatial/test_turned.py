import math

import torch

from diffstn.spatial import affine_matrix, as_matrix, decompose, moment_frame, turned, warp


def test_no_turn_is_the_frame_itself():
    image = torch.rand(3, 1, 20, 20)
    assert torch.equal(turned(moment_frame, image), moment_frame(image))
    torch.testing.assert_close(turned(moment_frame, image, torch.zeros(3)), moment_frame(image))


def test_centre_and_size_stay_and_the_angle_adds():
    image, turn = torch.rand(3, 1, 20, 20), torch.tensor([0.3, -1.0, 2.0])
    before = decompose(as_matrix(moment_frame(image)))
    after = decompose(as_matrix(turned(moment_frame, image, turn)))
    torch.testing.assert_close(after.rotation - before.rotation, turn)
    half = decompose(as_matrix(turned(moment_frame, image, turn, 0.5)))
    torch.testing.assert_close(half.rotation, after.rotation)
    torch.testing.assert_close(half.scale_x, after.scale_x / 2)
    torch.testing.assert_close(after.scale_x, before.scale_x)
    torch.testing.assert_close(after.translation, before.translation)


def test_content_appears_turned_the_other_way():
    image = torch.rand(1, 1, 16, 16)
    identity = affine_matrix(torch.zeros(1)).flatten(1)
    quarter = turned(lambda _: identity, image, torch.tensor([math.pi / 2]))
    seen = warp(image, quarter)
    torch.testing.assert_close(seen, image.rot90(1, (2, 3)), atol=1e-4, rtol=0)
