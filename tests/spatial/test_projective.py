import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from diffstn.spatial import Affine, Projective, affine_matrix, compose

projective = Projective()
SQUARE = torch.tensor([[[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [0.2, 0.3]]]).double()


@st.composite
def homographies(draw: st.DrawFn) -> Tensor:
    """θ (1, 8), float64, whose horizon stays off [-1, 1]²."""
    phi, k_x, k_y = draw(st.floats(-3, 3)), draw(st.floats(0.5, 1.5)), draw(st.floats(0.5, 1.5))
    t_x, t_y, h_31, h_32 = (draw(st.floats(-0.2, 0.2)) for _ in range(4))
    affine = affine_matrix(torch.tensor([phi], dtype=torch.float64), k_x, k_y, t_x, t_y)
    return torch.cat((affine.flatten(1), torch.tensor([[h_31, h_32]]).double()), dim=1)


@given(homographies())
def test_inverse_undoes_on_points_and_twice(theta: Tensor):
    inverse = projective.inverse(theta)
    back = projective.points(inverse, projective.points(theta, SQUARE))
    assert torch.allclose(back, SQUARE, rtol=0, atol=1e-9)
    assert torch.allclose(projective.inverse(inverse), theta, rtol=0, atol=1e-9)


@given(homographies(), homographies())
def test_composition_acts_as_successive_maps(a: Tensor, b: Tensor):
    inner = projective.points(b, SQUARE)
    # The identity holds everywhere but within rounding of the horizon of a.
    visible = (a[:, None, 6:] * inner).sum(-1) + 1 > 0.1
    together = projective.points(projective.compose(a, b), SQUARE)
    assert torch.allclose(together[visible], projective.points(a, inner)[visible], atol=1e-9)


def test_affine_maps_are_homographies():
    theta = affine_matrix(torch.linspace(-2, 2, 5), 0.8, 1.2, 0.1, -0.3, 0.2)
    lifted, xy = Projective().from_affine(theta), SQUARE.float()
    assert lifted.shape == (5, 8)
    assert torch.allclose(projective.points(lifted, xy), Affine().points(theta, xy), atol=1e-6)
    squared = Projective().from_affine(compose(theta, theta))
    assert torch.allclose(projective.compose(lifted, lifted), squared, atol=1e-6)


def test_a_homography_through_four_given_points_interpolates_them():
    # Four correspondences fix the eight parameters: X − x' W = 0 and Y − y' W = 0 at each corner.
    source = SQUARE[0, :4]
    target = torch.tensor([[-0.9, -0.7], [0.8, -1.0], [1.2, 0.9], [-0.6, 1.1]]).double()
    rows, right = [], []
    for (x, y), (u, v) in zip(source.tolist(), target.tolist(), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    theta = torch.linalg.solve(torch.tensor(rows).double(), torch.tensor(right).double())[None]
    assert torch.allclose(projective.points(theta, source[None])[0], target, atol=1e-12)
    back = projective.points(projective.inverse(theta), target[None])[0]
    assert torch.allclose(back, source, atol=1e-12)


def test_straight_lines_stay_straight():
    theta = torch.tensor([[0.9, 0.2, 0.1, -0.1, 1.1, 0.0, 0.2, -0.15]]).double()
    start, end = torch.tensor([-1.0, 0.5]).double(), torch.tensor([0.7, -0.9]).double()
    line = torch.lerp(start, end, torch.linspace(0, 1, 9).double()[:, None])[None]
    steps = projective.points(theta, line)[0].diff(dim=0)
    cross = steps[1:, 0] * steps[:-1, 1] - steps[1:, 1] * steps[:-1, 0]
    assert cross.abs().max() < 1e-12


def test_wild_parameters_give_finite_points_and_gradients():
    generator = torch.Generator().manual_seed(0)
    theta = 10 * torch.randn(500, 8, generator=generator)
    theta[0] = 0.0
    theta[1] = torch.tensor([1.0, 0, 0, 0, 1, 0, -1, 0])  # x = 1 is the horizon
    theta.requires_grad_()
    xy = SQUARE.float().expand(500, -1, -1)
    for result in (
        projective.points(theta, xy),
        projective.inverse(theta),
        projective.compose(theta, theta),
    ):
        (gradient,) = torch.autograd.grad(result.square().mean(), theta)
        assert result.isfinite().all()
        assert gradient.isfinite().all()


def test_autocast_does_not_round_poses():
    theta = torch.tensor([[0.9, 0.2, 0.1, -0.1, 1.1, 0.3, 0.2, -0.15]])
    expected = projective.compose(theta, projective.inverse(theta))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(projective.compose(theta, projective.inverse(theta)), expected)
