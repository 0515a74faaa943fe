"""The frame of moments."""

import math

import pytest
import torch

from diffstn.spatial import affine_matrix, as_matrix, compose, decompose, invert, moment_frame, warp


def blob(x: float, y: float, width: float, size: int = 64) -> torch.Tensor:
    """A Gaussian of standard deviation `width` at (x, y), normalised units: (1, 1, size, size)."""
    axis = (2 * torch.arange(size) + 1) / size - 1
    bump_x, bump_y = ((axis - centre).square() / (-2 * width**2) for centre in (x, y))
    return (bump_y[:, None] + bump_x[None, :]).exp()[None, None]


def test_centre_and_radius_of_a_gaussian_are_its_mean_and_deviation():
    C = moment_frame(blob(0.2, -0.1, 0.15), radius=0.3)
    torch.testing.assert_close(
        C, torch.tensor([[0.5, 0.0, 0.2, 0.0, 0.5, -0.1]]), atol=1e-3, rtol=0
    )


def test_a_image_seen_through_its_frame_is_in_its_frame_already():
    images = torch.cat([blob(0.3, 0.2, 0.2), blob(-0.2, 0.1, 0.12)])
    seen = warp(images, moment_frame(images))
    identity = torch.tensor([1.0, 0, 0, 0, 1, 0]).expand(2, 6)
    torch.testing.assert_close(moment_frame(seen), identity, atol=0.02, rtol=0)


def test_the_frame_moves_along_with_a_similarity():
    images = blob(0.1, 0.05, 0.15) + 0.5 * blob(-0.15, 0.1, 0.1)
    A = affine_matrix(torch.tensor([0.7]), 0.8, 0.8, 0.15, -0.2)
    moved = warp(images, invert(A))
    expected = compose(A, as_matrix(moment_frame(images)))
    found = as_matrix(moment_frame(moved))
    torch.testing.assert_close(found[..., 2], expected[..., 2], atol=0.01, rtol=0)
    torch.testing.assert_close(
        decompose(found).scale_x, decompose(expected).scale_x, atol=0.01, rtol=0
    )
    assert decompose(found).rotation.abs().max() < 1e-6
    assert math.isclose(float(found[0, 0, 0]), float(found[0, 1, 1]))


@pytest.mark.parametrize("shape", [(2, 1, 28, 28), (2, 3, 20, 30)])
def test_an_empty_image_has_the_identity_for_its_frame(shape):
    identity = torch.tensor([1.0, 0, 0, 0, 1, 0]).expand(2, 6)
    torch.testing.assert_close(moment_frame(torch.zeros(shape)), identity)


def test_the_frame_passes_no_gradient_and_ignores_autocast():
    images = blob(0.2, -0.1, 0.15).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        C = moment_frame(images)
    assert not C.requires_grad
    assert C.dtype == torch.float32
