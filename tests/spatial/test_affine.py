import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from diffstn.spatial import (
    Affine,
    affine_matrix,
    as_matrix,
    compose,
    decompose,
    invert,
)

angles = st.floats(-3.1, 3.1)
scales = st.floats(0.3, 3.0)
shears = st.floats(-1.0, 1.0)
shifts = st.floats(-2.0, 2.0)


@st.composite
def affine_maps(draw: st.DrawFn) -> Tensor:
    """A (1, 2, 3) float64 matrix whose linear part is regular."""
    values = [draw(s) for s in (angles, scales, scales, shifts, shifts, shears)]
    return affine_matrix(*torch.tensor(values, dtype=torch.float64)[:, None].unbind())


def close(actual: Tensor, expected: Tensor) -> bool:
    return torch.allclose(actual, expected, rtol=0, atol=1e-9)


def test_affine_matrix_is_the_product_of_its_factors():
    phi, k_x, k_y, t_x, t_y, s = torch.tensor([0.4, 0.7, 1.2, 0.1, -0.2, 0.3]).double()
    rotation = torch.stack((phi.cos(), -phi.sin(), phi.sin(), phi.cos())).view(2, 2)
    shear = torch.tensor([[1.0, s], [0.0, 1.0]], dtype=torch.float64)
    theta = affine_matrix(phi, k_x, k_y, t_x, t_y, s)
    assert theta.dtype == torch.float64
    assert close(theta[:, :2], rotation @ shear @ torch.diag(torch.stack((k_x, k_y))))
    assert close(theta[:, 2], torch.stack((t_x, t_y)))


def test_affine_matrix_without_shear_is_the_textbook_matrix_and_broadcasts():
    phi = torch.tensor([0.0, math.pi / 6])
    theta = affine_matrix(phi, 2.0, 3.0, 0.25, torch.tensor([-0.5, 0.5]))
    root = math.sqrt(3)
    expected = torch.tensor(
        [
            [[2.0, 0.0, 0.25], [0.0, 3.0, -0.5]],
            [[root, -1.5, 0.25], [1.0, 1.5 * root, 0.5]],
        ]
    )
    assert torch.allclose(theta, expected, atol=1e-6)


@given(affine_maps(), affine_maps(), affine_maps())
def test_composition_is_associative_and_acts_as_successive_maps(a: Tensor, b: Tensor, c: Tensor):
    xy = torch.tensor([[[0.3, -0.8], [1.0, 1.0], [-0.2, 0.5]]], dtype=torch.float64)
    points = Affine().points
    assert close(compose(compose(a, b), c), compose(a, compose(b, c)))
    assert close(points(compose(a, b), xy), points(a, points(b, xy)))


@given(affine_maps())
def test_inverse_undoes_on_both_sides_and_twice(theta: Tensor):
    identity = as_matrix(Affine().identity().double())[None]
    assert close(compose(invert(theta), theta), identity)
    assert close(compose(theta, invert(theta)), identity)
    assert close(invert(invert(theta)), theta)


@given(angles, scales, scales, shears, shifts, shifts)
def test_decompose_inverts_affine_matrix(phi, k_x, k_y, s, t_x, t_y):
    values = torch.tensor([phi, k_x, k_y, t_x, t_y, s], dtype=torch.float64)
    parts = decompose(affine_matrix(*values))
    expected = values[[0, 1, 2, 5, 3, 4]]
    assert close(torch.cat((torch.stack(parts[:4]), parts.translation)), expected)


@given(affine_maps())
def test_a_mirrored_map_is_rebuilt_from_its_parts(theta: Tensor):
    mirrored = theta * torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
    parts = decompose(mirrored)
    assert parts.scale_y.item() < 0
    t_x, t_y = parts.translation.unbind(-1)
    rebuilt = affine_matrix(parts.rotation, parts.scale_x, parts.scale_y, t_x, t_y, parts.shear)
    assert close(rebuilt, mirrored)


def test_flat_and_matrix_parameters_agree():
    theta = affine_matrix(torch.randn(5, generator=torch.Generator().manual_seed(0)), 0.8, 1.1)
    flat, xy = theta.flatten(1), torch.rand(5, 7, 2)
    affine = Affine()
    assert torch.equal(affine.points(flat, xy), affine.points(theta, xy))
    assert affine.inverse(flat).shape == (5, 6)
    assert torch.equal(affine.inverse(flat), affine.inverse(theta))
    assert torch.equal(affine.compose(flat, theta), compose(theta, theta).flatten(1))


def test_a_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"not \(4, 5\)"):
        as_matrix(torch.zeros(4, 5))


def test_autocast_does_not_round_poses():
    theta = affine_matrix(torch.linspace(-3, 3, 9), 0.73, 1.17, 0.11, -0.23, 0.3)
    expected = compose(theta, invert(theta))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(compose(theta, invert(theta)), expected)
