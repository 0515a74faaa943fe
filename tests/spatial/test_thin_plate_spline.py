import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diffstn.spatial import Affine, ThinPlateSpline, affine_matrix

seeds = st.integers(0, 2**31)
sides = st.integers(2, 5)


def displacements(spline: ThinPlateSpline, seed: int, spread: float, count: int = 3):
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(count, spline.dim, generator=generator, dtype=torch.float64)


def test_control_points_are_a_lattice_row_by_row():
    expected = [[-1, -1], [0, -1], [1, -1], [-1, 0], [0, 0], [1, 0], [-1, 1], [0, 1], [1, 1]]
    assert ThinPlateSpline(3).control_points.tolist() == expected


@given(sides, seeds)
def test_control_points_are_interpolated(side: int, seed: int):
    spline = ThinPlateSpline(side)
    theta = displacements(spline, seed, spread=0.3)
    points = spline.control_points[None]
    moved = spline.points(theta, points)
    assert torch.allclose(moved, points + theta.unflatten(1, (-1, 2)), rtol=0, atol=1e-9)


@given(sides, seeds)
def test_inverse_sends_moved_control_points_back(side: int, seed: int):
    spline = ThinPlateSpline(side)
    theta = displacements(spline, seed, spread=0.05)
    points = spline.control_points[None]
    back = spline.points(spline.inverse(theta), spline.points(theta, points))
    assert torch.allclose(back, points.expand_as(back), rtol=0, atol=1e-9)


@given(sides, seeds)
def test_composition_acts_as_successive_maps_on_control_points(side: int, seed: int):
    spline = ThinPlateSpline(side)
    a, b = (displacements(spline, seed + i, spread=0.2) for i in (0, 1))
    points = spline.control_points[None]
    together = spline.points(spline.compose(a, b), points)
    one_by_one = spline.points(a, spline.points(b, points))
    assert torch.allclose(together, one_by_one, rtol=0, atol=1e-9)


def test_inverse_is_off_by_second_order_between_control_points():
    spline = ThinPlateSpline(4)
    xy = torch.rand(1, 200, 2, generator=torch.Generator().manual_seed(0)).double() * 2 - 1
    errors = []
    for spread in (0.02, 0.01):
        theta = displacements(spline, 0, spread)
        back = spline.points(spline.inverse(theta), spline.points(theta, xy))
        errors.append((back - xy).norm(dim=-1).max())
    assert errors[0] < 0.01
    assert 3.5 < errors[0] / errors[1] < 4.5  # half the displacement, a quarter of the error


@given(st.floats(-3, 3), st.floats(0.5, 2), st.floats(0.5, 2), st.floats(-1, 1))
def test_affine_displacements_give_the_affine_map(phi, k_x, k_y, shift):
    # An affine map bends nothing, so it is the spline through its own control points.
    spline = ThinPlateSpline(4)
    affine = affine_matrix(torch.tensor([phi]).double(), k_x, k_y, shift, -shift)
    points = spline.control_points[None]
    theta = (Affine().points(affine, points) - points).flatten(1)
    xy = torch.rand(1, 20, 2, generator=torch.Generator().manual_seed(0)).double() * 4 - 2
    assert torch.allclose(spline.points(theta, xy), Affine().points(affine, xy), atol=1e-9)


def test_the_spline_bends_least():
    # E(f) = ∫‖∇²f‖² is the quadratic form of the spline's kernel weights, up to a constant; among
    # splines on a finer lattice that move the coarse control points alike, ours has the least.
    coarse, fine = ThinPlateSpline(3), ThinPlateSpline(5)
    theta = displacements(coarse, 0, 0.1, count=1)
    on_fine = coarse.points(theta, fine.control_points[None]) - fine.control_points
    shared = (fine.control_points[:, None] == coarse.control_points).all(-1).any(-1)

    def energy(moves: torch.Tensor) -> torch.Tensor:
        return torch.einsum("kd,kl,ld->", moves, fine._solve[:-3], moves)

    best, generator = energy(on_fine[0]), torch.Generator().manual_seed(1)
    assert best > 0
    for _ in range(20):
        nudge = 0.02 * torch.randn(on_fine[0].shape, generator=generator, dtype=torch.float64)
        nudge[shared] = 0
        assert energy(on_fine[0] + nudge) > best


def test_regularisation_smooths_towards_an_affine_fit():
    theta = displacements(ThinPlateSpline(4), 0, 0.1)
    points = ThinPlateSpline(4).control_points[None]
    residuals = []
    for regularisation in (0.0, 0.1, 1.0, 1e6):
        moved = ThinPlateSpline(4, regularisation).points(theta, points)
        residuals.append((moved - points - theta.unflatten(1, (-1, 2))).norm())
    assert residuals == sorted(residuals)
    assert residuals[0] < 1e-9
    design = torch.cat((torch.ones(16, 1), ThinPlateSpline(4).control_points), 1).double()
    fit = design @ torch.linalg.lstsq(design, theta.unflatten(1, (-1, 2))[0]).solution
    assert torch.allclose(moved[0] - points[0], fit, atol=1e-5)


def test_gradients_are_finite_on_the_control_points():
    spline = ThinPlateSpline(3)
    theta = torch.zeros(1, spline.dim, requires_grad=True)
    xy = spline.control_points.float()[None].requires_grad_()
    gradients = torch.autograd.grad(spline.points(theta, xy).square().sum(), (theta, xy))
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_autocast_and_half_parameters_do_not_round_the_points():
    spline = ThinPlateSpline(4)
    theta = displacements(spline, 0, 0.1).float()
    xy = torch.rand(3, 10, 2)
    points, inverse = spline.points(theta, xy), spline.inverse(theta)
    together = spline.compose(theta, theta)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(spline.points(theta, xy), points)
        assert torch.equal(spline.inverse(theta), inverse)
        assert torch.equal(spline.compose(theta, theta), together)
        assert spline.points(theta.bfloat16(), xy).dtype == torch.float32
        assert spline.inverse(theta.bfloat16()).dtype == torch.float32


@pytest.mark.parametrize(("arguments", "name"), [((1,), "points_per_side"), ((4, -1.0), "regul")])
def test_bad_arguments_are_refused(arguments: tuple, name: str):
    with pytest.raises(ValueError, match=name):
        ThinPlateSpline(*arguments)
