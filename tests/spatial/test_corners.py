import math

import pytest
import torch
from torch import Tensor

from diffstn.spatial import (
    Affine,
    Projective,
    ThinPlateSpline,
    Transformation,
    affine_matrix,
    corner_distance,
    corner_offsets,
)

FAMILIES = [Affine(), Projective(), ThinPlateSpline(3)]
families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: type(family).__name__)


def test_closed_forms():
    identity = Affine().identity()[None]
    shift = affine_matrix(torch.zeros(1), 1.0, 1.0, 0.3, 0.4)
    assert torch.allclose(corner_distance(shift, identity), torch.tensor([0.5]))
    # Corners lie at distance √2 and a turn by φ moves them along a chord of 2 √2 sin(φ / 2).
    turn = affine_matrix(torch.tensor([0.0, math.pi / 2, math.pi]))
    expected = torch.tensor([0.0, 2.0, 2 * math.sqrt(2)])
    assert torch.allclose(corner_distance(turn, identity), expected, atol=1e-6)
    assert corner_distance(turn, turn).eq(0).all()


@families
def test_it_is_a_distance(family: Transformation):
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(3, family.dim, generator=generator, dtype=torch.float64)
    a, b, c = (family.identity().double() + 0.05 * noise).split(1)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return corner_distance(a, b, family)

    assert distance(a, a).item() == 0
    assert distance(a, b) == distance(b, a) > 0
    through = distance(a, b) + distance(b, c)
    assert distance(a, c) <= through


def test_offsets_go_from_the_second_pose_to_the_first_corner_by_corner():
    identity = Affine().identity()[None]
    wider = affine_matrix(torch.zeros(1), 1.5)
    expected = torch.tensor([[[-0.5, 0.0], [0.5, 0.0], [0.5, 0.0], [-0.5, 0.0]]])
    assert torch.allclose(corner_offsets(wider, identity), expected)


def test_poses_of_different_families_compare():
    identity = torch.tensor([[1.0, 0, 0, 0, 1, 0]])
    shifted = torch.tensor([[1.0, 0, 0.3, 0, 1, 0.4, 0, 0]])
    distance = corner_distance(identity, shifted, Affine(), Projective())
    torch.testing.assert_close(distance, torch.tensor([0.5]))
