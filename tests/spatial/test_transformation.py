"""What holds for every family of transformations."""

import pytest
import torch

from diffstn.spatial import Affine, Projective, ThinPlateSpline, Transformation

FAMILIES = [Affine(), Projective(), ThinPlateSpline(), ThinPlateSpline(3, regularisation=0.1)]


def name(family: Transformation) -> str:
    return f"{type(family).__name__}{family.dim}"


families = pytest.mark.parametrize("family", FAMILIES, ids=name)
exact = pytest.mark.parametrize("family", FAMILIES[:3], ids=name)  # without regularisation


def near_identity(family: Transformation, count: int, spread: float = 0.05) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(count, family.dim, generator=generator, dtype=torch.float64)
    return family.identity().double() + spread * noise


@families
def test_identity_moves_no_point(family: Transformation):
    identity = family.identity()
    assert identity.shape == (family.dim,)
    assert identity.dtype == torch.float32
    xy = torch.rand(3, 50, 2, dtype=torch.float64) * 4 - 2
    moved = family.points(identity.double().expand(3, -1), xy)
    assert torch.allclose(moved, xy, rtol=0, atol=1e-12)


@families
def test_the_inverse_of_the_identity_is_the_identity(family: Transformation):
    identity = family.identity().double()[None]
    assert torch.allclose(family.inverse(identity), identity, rtol=0, atol=1e-12)


@families
def test_shared_points_broadcast_over_the_batch(family: Transformation):
    theta = near_identity(family, 4)
    xy = torch.rand(1, 6, 2, dtype=torch.float64)
    shared = family.points(theta, xy)
    assert shared.shape == (4, 6, 2)
    assert torch.allclose(shared, family.points(theta, xy.expand(4, -1, -1)), rtol=0, atol=1e-12)


@families
def test_gradients_match_finite_differences(family: Transformation):
    theta = near_identity(family, 2).requires_grad_()
    xy = (torch.rand(2, 3, 2, dtype=torch.float64) - 0.5).requires_grad_()
    assert torch.autograd.gradcheck(family.points, (theta, xy))


@families
def test_gradients_of_the_inverse_are_finite_at_the_identity(family: Transformation):
    theta = family.identity()[None].requires_grad_()
    (gradient,) = torch.autograd.grad(family.inverse(theta).square().sum(), theta)
    assert gradient.isfinite().all()


@exact
def test_composing_with_the_identity_changes_nothing(family: Transformation):
    theta, identity = near_identity(family, 3), family.identity().double().expand(3, -1)
    assert torch.allclose(family.compose(theta, identity), theta, rtol=0, atol=1e-9)
    assert torch.allclose(family.compose(identity, theta), theta, rtol=0, atol=1e-9)


def test_a_family_must_say_how_it_moves_points():
    class Nothing(Transformation):
        dim = 0

    with pytest.raises(TypeError, match="abstract"):
        Nothing()  # type: ignore[abstract]
