import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from diffstn.spatial import (
    KERNELS,
    PADDINGS,
    Affine,
    Projective,
    ThinPlateSpline,
    Transformation,
    affine_matrix,
    grid,
    invert,
    lattice,
    warp,
    warp_points,
)

FAMILIES = [Affine(), Projective(), ThinPlateSpline(4)]
families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: type(family).__name__)
kernels = pytest.mark.parametrize("kernel", KERNELS)
paddings = pytest.mark.parametrize("padding", PADDINGS)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def blobs(count: int, height: int = 28, width: int = 28) -> Tensor:
    """Smooth images that vanish at the border: three Gaussian bumps each, (count, 1, H, W)."""
    centres = noise(count, 3, 1, 2) - 0.5
    squared = (lattice(height, width) - centres).square().sum(-1)
    return torch.exp(-squared / 0.08).sum(1).view(count, 1, height, width) / 3


def test_the_grid_is_the_affine_grid_of_torch():
    theta = affine_matrix(torch.linspace(-3, 3, 4), 0.8, 1.3, 0.2, -0.1, 0.4)
    expected = F.affine_grid(theta, [4, 1, 9, 14], align_corners=False)
    assert torch.allclose(grid(theta, Affine(), (9, 14)), expected, atol=1e-6)


@families
def test_the_grid_is_the_points_of_the_lattice(family: Transformation):
    theta = family.identity() + 0.2 * (noise(5, family.dim) - 0.5)
    expected = family.points(theta, lattice(9, 14)[None]).unflatten(1, (9, 14))
    torch.testing.assert_close(grid(theta, family, (9, 14)), expected, atol=1e-6, rtol=0)


@families
@kernels
@paddings
def test_the_identity_changes_nothing(family: Transformation, kernel: str, padding: str):
    images = noise(2, 3, 13, 28)
    theta = family.identity().expand(2, -1)
    warped = warp(images, theta, family, kernel=kernel, padding=padding)
    assert torch.allclose(warped, images, rtol=0, atol=1e-5)


@kernels
@pytest.mark.parametrize("size", [28, 29])
@pytest.mark.parametrize("turns", [-1, 0, 1, 2, 3])
def test_right_angles_are_rot90(turns: int, size: int, kernel: str):
    images = noise(4, 1, size, size)
    theta = affine_matrix(torch.full((4,), turns * math.pi / 2))
    expected = torch.rot90(images, turns, (2, 3))
    assert (warp(images, theta, kernel=kernel) - expected).abs().max() < 1e-5


@kernels
def test_shifts_by_whole_pixels_are_slices(kernel: str):
    images = noise(1, 2, 8, 10)
    theta = affine_matrix(torch.zeros(1), 1.0, 1.0, 3 * 2 / 10, -2 * 2 / 8)
    expected = torch.zeros_like(images)
    expected[:, :, 2:, :-3] = images[:, :, :-2, 3:]
    assert torch.allclose(warp(images, theta, kernel=kernel), expected, atol=1e-5)


def test_content_goes_where_a_says():
    # One bright pixel at p in the upright image appears at A p in the distorted one.
    upright, pixel = torch.zeros(1, 1, 28, 28), (9, 17)
    upright[0, 0, pixel[0], pixel[1]] = 1
    a = affine_matrix(torch.tensor([0.6]), 1.0, 1.0, 0.1, 0.05)
    distorted = warp(upright, invert(a))
    centres = lattice(28, 28)
    mass = distorted.flatten()[:, None]
    centroid = (mass * centres).sum(0) / mass.sum()
    p = centres[pixel[0] * 28 + pixel[1]]
    assert torch.allclose(centroid, Affine().points(a, p.view(1, 1, 2))[0, 0], atol=0.5 / 14)
    # With y downwards, φ > 0 turns clockwise: what lay on the right moves to the bottom.
    right = torch.tensor([[[1.0, 0.0]]])
    turned = Affine().points(affine_matrix(torch.tensor([math.pi / 2])), right)
    assert torch.allclose(turned, torch.tensor([[[0.0, 1.0]]]), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(-math.pi, math.pi),
    st.floats(0.7, 1.2),
    st.floats(0.7, 1.2),
    st.floats(-0.2, 0.2),
    st.floats(-0.2, 0.2),
)
def test_correcting_with_a_undoes_the_distortion(phi, k_x, k_y, t_x, t_y):
    upright = blobs(2)
    a = affine_matrix(torch.tensor([phi, -phi]), k_x, k_y, t_x, t_y)
    # What A moves off the image is lost: distort onto a canvas twice as wide, then come back.
    widen = torch.tensor([[[0.5], [0.5]]])
    distorted = warp(upright, invert(a * widen), size=(56, 56))
    corrected = warp(distorted, a * widen, size=(28, 28))
    assert (corrected - upright).abs().mean() < 0.01
    assert (corrected - upright).abs().max() < 0.05


@pytest.mark.parametrize("family", FAMILIES[1:], ids=lambda family: type(family).__name__)
def test_other_families_are_undone_too(family: Transformation):
    upright = blobs(8)
    generator = torch.Generator().manual_seed(0)
    theta = family.identity() + 0.04 * torch.randn(8, family.dim, generator=generator)
    corrected = warp(warp(upright, family.inverse(theta), family), theta, family)
    untouched = (warp(upright, theta, family) - upright).abs().mean()
    assert (corrected - upright).abs().mean() < 0.35 * untouched


@kernels
def test_a_canvas_keeps_the_size_of_the_digit(kernel: str):
    digits = noise(3, 1, 28, 28)
    a = affine_matrix(torch.zeros(3), 28 / 42, 28 / 42)
    canvas = warp(digits, invert(a), size=(42, 42), kernel=kernel)
    assert torch.allclose(canvas, F.pad(digits, (7, 7, 7, 7)), atol=1e-4)
    back = warp(canvas, a, size=(28, 28), kernel=kernel)
    assert back.shape == digits.shape
    assert torch.allclose(back, digits, atol=1e-4)


def test_paddings_outside_the_image():
    images = noise(1, 1, 6, 6)
    away = affine_matrix(torch.zeros(1), 1.0, 1.0, 2.0, 0.0)
    assert warp(images, away).abs().max() < 1e-6
    edge = images[..., -1:].expand(-1, -1, -1, 6)
    assert torch.allclose(warp(images, away, padding="border"), edge, atol=1e-5)
    mirrored = warp(images, away, padding="reflection")
    assert torch.allclose(mirrored, images.flip(-1), atol=1e-5)


def test_nearest_copies_pixels_and_passes_no_gradient_to_theta():
    images = noise(2, 1, 28, 28)
    theta = affine_matrix(torch.tensor([0.3, -1.0]), 0.9).requires_grad_()
    warped = warp(images, theta, kernel="nearest")
    values = torch.cat((images.flatten(), torch.zeros(1)))
    assert torch.isin(warped.detach(), values).all()
    (gradient,) = torch.autograd.grad(warped.square().sum(), theta)
    assert gradient.eq(0).all()


@families
def test_gradients_are_finite_and_not_zero(family: Transformation):
    images = blobs(3).requires_grad_()
    theta = (family.identity() + 0.01).repeat(3, 1).requires_grad_()
    loss = (warp(images, theta, family) - blobs(3)).square().sum()
    for gradient in torch.autograd.grad(loss, (images, theta)):
        assert gradient.isfinite().all()
        assert gradient.abs().sum() > 0


@families
@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_wild_parameters_stay_finite(family: Transformation, padding: str):
    generator = torch.Generator().manual_seed(0)
    theta = 100 * torch.randn(64, family.dim, generator=generator)
    theta[0], theta[1] = 1e20, -1e20
    theta.requires_grad_()
    images = noise(64, 1, 12, 12)
    warped = warp(images, theta, family, padding=padding)
    (gradient,) = torch.autograd.grad(warped.sum(), theta)
    assert warped.isfinite().all()
    assert gradient.isfinite().all()
    assert warped.min() >= -1e-6
    assert warped.max() <= 1 + 1e-5


def test_points_that_are_not_finite_lie_outside():
    xy = torch.zeros(1, 1, 3, 2)
    xy[0, 0, 0], xy[0, 0, 1] = math.nan, math.inf
    read = warp_points(torch.ones(1, 1, 4, 4), xy)
    assert torch.allclose(read, torch.tensor([[[[0.0, 0.0, 1.0]]]]))


@families
def test_autocast_changes_neither_the_points_nor_the_dtype(family: Transformation):
    images, theta = blobs(2), (family.identity() + 0.03).repeat(2, 1)
    expected = warp(images, theta, family)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(warp(images, theta, family), expected)
        half = warp(images.bfloat16(), theta, family)
    assert half.dtype == torch.bfloat16
    assert torch.allclose(half.float(), expected, atol=2**-7)
    assert warp(images, theta.bfloat16(), family).dtype == torch.float32
    assert warp(images.double(), theta.double(), family).dtype == torch.float64


def test_warping_after_inference_mode_still_trains():
    with torch.inference_mode():
        for family in FAMILIES:
            warp(blobs(1), family.identity()[None], family)
    for family in FAMILIES:
        theta = family.identity()[None].requires_grad_()
        warp(blobs(1), theta, family).square().sum().backward()
        assert theta.grad is not None


def test_composed_point_maps_equal_the_composed_transformation():
    images, affine = blobs(2), Affine()
    a = affine_matrix(torch.tensor([0.3, -0.7]), 0.9, 1.1, 0.1, 0.0).flatten(1)
    b = affine_matrix(torch.tensor([-0.2, 0.5]), 1.1, 0.8, 0.0, -0.1).flatten(1)
    xy = affine.points(a, affine.points(b, lattice(28, 28)[None])).unflatten(1, (28, 28))
    together = warp(images, affine.compose(a, b))
    assert torch.allclose(warp_points(images, xy), together, atol=1e-5)


def test_empty_batches_pass():
    assert warp(torch.zeros(0, 1, 28, 28), torch.zeros(0, 6), size=(14, 7)).shape == (0, 1, 14, 7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel": "cubic"}, "choose from bilinear, nearest, bicubic"),
        ({"padding": "wrap"}, "choose from zeros, border, reflection"),
        ({"size": (0, 4)}, "both positive"),
        ({"theta": torch.zeros(2, 8)}, "Affine takes θ of 6 numbers per image, not 8"),
        ({"theta": torch.zeros(3, 6)}, "2 images need as many rows of θ, not 3"),
        ({"images": torch.zeros(2, 4, 4)}, r"not torch.float32 of shape \(2, 4, 4\)"),
        ({"images": torch.zeros(2, 1, 4, 4, dtype=torch.uint8)}, "floating-point"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict, message: str):
    arguments = {"images": torch.zeros(2, 1, 4, 4), "theta": torch.zeros(2, 6)} | change
    with pytest.raises(ValueError, match=message):
        warp(**arguments)


def test_points_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"need points \(2, h, w, 2\)"):
        warp_points(torch.zeros(2, 1, 4, 4), torch.zeros(2, 16, 2))
