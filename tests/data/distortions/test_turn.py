import pytest
import torch

from diffstn.data.distortions import AffineDistortion
from diffstn.data.distortions.turn import Turn
from diffstn.errors import UserError
from diffstn.spatial import affine_matrix, compose, geodesic, warp


def blob():
    """A smooth image in [−1, 1], black at its borders."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, 48)] * 2, indexing="ij")
    return (2 * (-((x - 0.3).square() + (y / 2).square()) / 0.05).exp() - 1)[None, None]


def test_at_the_end_an_image_is_distorted_as_by_the_distortion():
    process, x_0 = Turn((48, 48), steps=10), blob().expand(4, -1, -1, -1)
    A = process.noise(torch.randn(4, 1, 48, 48, generator=torch.Generator().manual_seed(0)))
    end = process.corrupt(x_0, torch.full((4,), 10), A)
    expected = 2 * AffineDistortion().distort((x_0 + 1) / 2, A) - 1
    torch.testing.assert_close(end, expected, atol=1e-4, rtol=0)
    start = process.corrupt(x_0, torch.zeros(4).long(), A)
    torch.testing.assert_close(start, x_0, atol=1e-4, rtol=0)


def test_half_the_way_twice_is_the_whole_way():
    process, x_0 = Turn((48, 48), steps=2), blob()
    A = affine_matrix(torch.tensor([0.6]), 0.9, 1.1, 0.1, -0.1)
    half, whole = (process.corrupt(x_0, torch.tensor([t]), A.flatten(1)) for t in (1, 2))
    again = warp(half + 1, geodesic(A, -0.5)) - 1
    torch.testing.assert_close(again, whole, atol=0.1, rtol=0)  # interpolated once more
    torch.testing.assert_close(compose(geodesic(A, 0.5), geodesic(A, 0.5)), A)


def test_its_maps_follow_the_distribution_of_the_distortion():
    z = torch.randn(20_000, 1, 3, 4, generator=torch.Generator().manual_seed(0))
    ours = Turn((28, 28), rotation=30.0, shear=0.1).noise(z)
    theirs = AffineDistortion(rotation=30.0, shear=0.1).draw(20_000, (28, 28))
    torch.testing.assert_close(ours.mean(0), theirs.mean(0), atol=0.01, rtol=0)
    torch.testing.assert_close(ours.std(0), theirs.std(0), atol=0.01, rtol=0)


def test_what_is_out_of_range_is_refused():
    with pytest.raises(UserError, match="rotation -1"):
        Turn((8, 8), rotation=-1)
    with pytest.raises(ValueError, match="steps must be at least 1"):
        Turn((8, 8), steps=0)
