import pytest
import torch

from diffstn.models.carried import Carried
from diffstn.spatial import affine_matrix, geodesic, logarithm


def poses():
    return affine_matrix(torch.tensor([0.5, -2.0, 0.1]), 1.2, 0.8, 0.3, -0.1)


def test_with_its_own_velocity_a_pose_ends_at_the_identity():
    process, A = Carried(8), poses()
    v = logarithm(A).flatten(1)
    for t in (0, 3, 8):
        found = process.corrupt(A.flatten(1), torch.full((3,), t), v)
        torch.testing.assert_close(found, geodesic(A, 1 - t / 8).flatten(1), atol=1e-5, rtol=1e-4)


def test_exchanging_undoes_one_pose_and_does_the_other():
    process, A = Carried(8), poses().flatten(1)
    P, other = A.roll(1, 0), A.roll(2, 0)
    torch.testing.assert_close(process.exchanged(P, A, A), P, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(process.exchanged(P, P, other), other, atol=1e-5, rtol=1e-4)


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="steps must be at least 1"):
        Carried(0)
