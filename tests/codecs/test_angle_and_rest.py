import math

import torch

from diffstn.codecs.angle_and_rest import AngleAndRest, parts
from diffstn.spatial import affine_matrix


def poses(n: int) -> torch.Tensor:
    u = torch.rand(6, n, generator=torch.Generator().manual_seed(0))
    angle, scales = (2 * u[0] - 1) * math.pi, 0.7 + 0.5 * u[1:3]
    return affine_matrix(angle, *scales, *(u[3:5] - 0.5), 0.4 * (u[5] - 0.5)).flatten(1)


def test_poses_come_back():
    codec, A = AngleAndRest(), poses(200)
    codec.fit(A)
    torch.testing.assert_close(codec.decode(codec.encode(A)), A, rtol=1e-4, atol=1e-5)


def test_the_angle_stays_and_the_rest_is_standardised():
    codec, A = AngleAndRest(), poses(2000)
    codec.fit(A)
    x_0 = codec.encode(A)
    torch.testing.assert_close(x_0[:, 0], parts(A)[:, 0])
    assert (x_0[:, 1:].mean(0).abs() < 1e-4).all()
    torch.testing.assert_close(x_0[:, 1:].std(0), torch.ones(5), rtol=1e-3, atol=0)


def test_whole_turns_are_the_same_pose():
    codec = AngleAndRest()
    x_0 = torch.randn(10, 6)
    turned = x_0 + torch.tensor([2 * math.pi, 0, 0, 0, 0, 0])
    torch.testing.assert_close(codec.decode(turned), codec.decode(x_0), rtol=1e-4, atol=1e-5)
