"""Affine maps along one-parameter subgroups."""

import math

import pytest
import torch

from diffstn.spatial import (
    affine_matrix,
    compose,
    exponential,
    geodesic,
    has_logarithm,
    invert,
    logarithm,
    velocity,
)


def random_maps(n=200, reach=math.pi, dtype=torch.float64):
    """Of rotation below `reach`, factors from a half to two, shear and translation."""
    g = torch.Generator().manual_seed(0)
    u = 2 * torch.rand(6, n, generator=g, dtype=torch.float64) - 1
    equal = 2.0 ** u[1]
    A = affine_matrix(reach * u[0], equal, equal * 1.3 ** u[2], u[3], u[4], 0.3 * u[5])
    return A.to(dtype)


def as_square(A):
    last = A.new_tensor([0.0, 0.0, 0.0])
    return torch.cat([A, last.expand(*A.shape[:-2], 1, 3)], dim=-2)


def special_velocities():
    """Turned, stretched, sheared, flattened along one axis (a singular L), and none at all."""
    rows = [
        *([0, -2.0, 1, 2.0, 0, -1], [0.3, 0, 1, 0, -0.5, 2], [0.2, 1.0, 1, 0, 0.2, 1]),
        *([0.7, 0, 1, 0, 0, -3], [0, 0, 1, 0, 0, 1], [1e-4, -1e-4, 1, 2e-4, 0, 1]),
        *([0, 1e-9, 1, 0, 0, 1], [1.0, 2, 3, 4, 5, 6]),
    ]
    return torch.tensor(rows, dtype=torch.float64).unflatten(-1, (2, 3))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_exponential_is_that_of_the_three_by_three_matrix(dtype):
    velocities = special_velocities()
    expected = torch.linalg.matrix_exp(as_square(velocities))[:, :2]
    found = exponential(velocities.to(dtype)).double()
    tight = (
        {"rtol": 1e-12, "atol": 1e-13} if dtype == torch.float64 else {"rtol": 2e-5, "atol": 2e-6}
    )
    torch.testing.assert_close(found, expected, **tight)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_exponential_of_the_logarithm_is_the_map(dtype):
    A = random_maps(reach=3.0, dtype=dtype)
    log = logarithm(A)
    tight = (
        {"rtol": 1e-10, "atol": 1e-11} if dtype == torch.float64 else {"rtol": 1e-3, "atol": 1e-4}
    )
    torch.testing.assert_close(exponential(log), A, **tight)
    by_torch = torch.linalg.matrix_exp(as_square(log.double()))[:, :2]
    torch.testing.assert_close(by_torch, A.double(), **tight)


def test_the_logarithm_of_the_exponential_is_the_velocity_that_turns_least():
    velocities = special_velocities()[:-1]  # the last one turns too far
    torch.testing.assert_close(logarithm(exponential(velocities)), velocities, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", [1e-2, 1e-4, 1e-6])
def test_near_the_identity_single_precision_loses_nothing(size):
    velocities = size * torch.randn(100, 2, 3, generator=torch.Generator().manual_seed(1))
    A = exponential(velocities.double()).float()
    torch.testing.assert_close(logarithm(A), velocities, rtol=0, atol=3e-7)


def test_the_way_is_a_one_parameter_subgroup_with_the_right_ends():
    A = random_maps(reach=3.0)
    identity = torch.eye(2, 3, dtype=torch.float64).expand_as(A)
    torch.testing.assert_close(geodesic(A, 0.0), identity)
    torch.testing.assert_close(geodesic(A, 1.0), A, rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(geodesic(A, -1.0), invert(A), rtol=1e-8, atol=1e-9)
    both = compose(geodesic(A, 0.3), geodesic(A, 0.5))
    torch.testing.assert_close(both, geodesic(A, 0.8), rtol=1e-9, atol=1e-10)


def test_rotations_turn_at_constant_speed_and_scales_grow_by_factors():
    tau = torch.linspace(0, 1, 5, dtype=torch.float64)
    turn = affine_matrix(torch.tensor(2.0, dtype=torch.float64))
    torch.testing.assert_close(geodesic(turn, tau), affine_matrix(2.0 * tau))
    wide = affine_matrix(torch.tensor(0.0, dtype=torch.float64), 4.0, 0.25)
    torch.testing.assert_close(geodesic(wide, tau), affine_matrix(0 * tau, 4**tau, 0.25**tau))


def test_a_turn_about_a_point_keeps_that_point():
    """Unlike a straight line between matrices, which draws everything through the middle."""
    centre = torch.tensor([0.5, -0.2], dtype=torch.float64)
    R = affine_matrix(torch.tensor(2.5, dtype=torch.float64))
    A = torch.cat([R[:, :2], (centre - R[:, :2] @ centre)[:, None]], dim=1)
    for tau in (0.25, 0.5, 0.9):
        B = geodesic(A, tau)
        torch.testing.assert_close(B[:, :2] @ centre + B[:, 2], centre)


def test_flat_poses_and_a_time_for_each():
    A = random_maps(4, reach=1.0, dtype=torch.float32).flatten(1)
    tau = torch.tensor([0.0, 0.3, 0.6, 1.0])
    found = geodesic(A, tau)
    assert found.shape == (4, 6)
    torch.testing.assert_close(found[3], A[3], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found[1], geodesic(A[1], 0.3))


@pytest.mark.parametrize("A", [torch.eye(2, 3), affine_matrix(torch.tensor(0.7), 1.1, 0.8, 0.3)])
def test_gradients_are_those_of_differences(A):
    A = A.double()[None].requires_grad_()
    assert torch.autograd.gradcheck(lambda A: geodesic(A, 0.4), (A,))
    assert torch.autograd.gradcheck(exponential, (logarithm(A.detach()).requires_grad_(),))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_half_turn_goes_counter_clockwise(dtype):
    """As y points down, that is φ < 0."""
    A = affine_matrix(torch.tensor(math.pi, dtype=dtype), 1.5, 1.5, 0.4, -0.2)
    expected = affine_matrix(torch.tensor(-math.pi / 2, dtype=dtype), 1.5**0.5, 1.5**0.5)
    torch.testing.assert_close(geodesic(A, 0.5)[:, :2], expected[:, :2], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(geodesic(A, 1.0), A, rtol=1e-5, atol=1e-5)


def test_a_half_turn_with_unequal_scales_has_no_logarithm_and_another_way():
    half = affine_matrix(torch.tensor(math.pi, dtype=torch.float64), 1.4, 0.7, 0.3, 0.1)
    with pytest.raises(ValueError, match="1 of 2 affine maps have no real logarithm"):
        logarithm(torch.stack([half, torch.eye(2, 3, dtype=torch.float64)]))
    both = torch.stack([half, affine_matrix(torch.tensor(1.0, dtype=torch.float64), 1.2)])
    torch.testing.assert_close(geodesic(both, 1.0), both)
    torch.testing.assert_close(geodesic(both, 0.0), torch.eye(2, 3).double().expand(2, 2, 3))
    middle = geodesic(both, 0.5)
    torch.testing.assert_close(middle[1], geodesic(both[1], 0.5))
    turned = affine_matrix(torch.tensor(math.pi / 2, dtype=torch.float64), 1.4**0.5, 0.7**0.5)
    assert torch.allclose(middle[0, :, :2].abs(), turned[:, :2].abs())
    torch.testing.assert_close(middle[0, :, 2], half[:, 2] / 2)
    assert float(torch.linalg.det(middle[0, :, :2])) > 0


def test_a_velocity_for_every_regular_map():
    half = affine_matrix(torch.tensor(math.pi - 0.01, dtype=torch.float64), 1.4, 0.7, 0.3, 0.1)
    A = torch.stack([half, affine_matrix(torch.tensor(1.0, dtype=torch.float64), 1.2)])
    assert has_logarithm(A).tolist() == [False, True]
    v = velocity(A)
    torch.testing.assert_close(v[1], logarithm(A[1]))
    end = exponential(v)
    torch.testing.assert_close(torch.linalg.det(end[..., :2]), torch.linalg.det(A[..., :2]))
    torch.testing.assert_close(end[..., 2], A[..., 2])


@pytest.mark.parametrize("scale_y", [-1.0, 0.0])
def test_mirrors_and_singular_maps_are_refused(scale_y):
    A = torch.stack([torch.eye(2, 3), affine_matrix(torch.tensor(0.3), 1.0, scale_y)])
    for function in (logarithm, lambda A: geodesic(A, 0.5)):
        with pytest.raises(ValueError, match="1 of 2 affine maps mirror or are singular"):
            function(A)
