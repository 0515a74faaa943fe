import pytest
import torch

from diffstn.spatial import (
    Affine,
    Inverse,
    Projective,
    ThinPlateSpline,
    Transformation,
    lattice,
    warp,
)

FAMILIES = [Affine(), Projective(), ThinPlateSpline(4)]
families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: type(family).__name__)


def near_identity(family: Transformation, spread: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(6, family.dim, generator=generator, dtype=torch.float64)
    return family.identity().double() + spread * noise


@families
def test_it_undoes_every_point_from_both_sides(family: Transformation):
    theta, xy = near_identity(family, 0.04), lattice(12, 12, dtype=torch.float64)[None]
    inverse = Inverse(family)
    assert inverse.dim == family.dim
    assert torch.equal(inverse.identity(), family.identity())
    for outer, inner in ((inverse, family), (family, inverse)):
        back = outer.points(theta, inner.points(theta, xy))
        assert (back - xy).abs().max() < 1e-3  # ten steps of the spline's iteration


@families
def test_it_is_its_own_inverse(family: Transformation):
    theta, xy = near_identity(family, 0.04), lattice(5, 7, dtype=torch.float64)[None]
    twice = Inverse(Inverse(family))
    assert torch.equal(twice.points(theta, xy), family.points(theta, xy))
    assert torch.equal(Inverse(family).inverse(theta), family.inverse(theta))


@families
def test_composing_reverses_the_order(family: Transformation):
    a, b = near_identity(family, 0.02).split(3)
    both = Inverse(family).compose(a, b)
    assert torch.equal(both, family.compose(b, a))
    assert not torch.allclose(both, family.compose(a, b), rtol=0, atol=1e-6)


def test_a_image_bent_by_a_pixel_and_a_half_is_unbent():
    spline, pixel = ThinPlateSpline(4), 2 / 28
    theta = near_identity(spline, 1.5 * pixel).float()
    distances = lattice(28, 28).square().sum(-1).view(1, 1, 28, 28).expand(6, -1, -1, -1)
    upright = torch.exp(-distances / 0.1)
    corrected = warp(warp(upright, theta, Inverse(spline)), theta, spline)
    assert (corrected - upright).abs().mean() < 0.005
    # The best spline in T's own family leaves visible bends.
    nearly = warp(warp(upright, spline.inverse(theta), spline), theta, spline)
    assert (nearly - upright).abs().mean() > 2 * (corrected - upright).abs().mean()
