import math

import pytest
import torch

from diffstn.metrics.poses.corner_error import CornerError
from diffstn.spatial import Affine, Projective, ThinPlateSpline, affine_matrix, corner_distance

FAMILIES = [Affine(), Projective(), ThinPlateSpline(3)]
families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: type(family).__name__)


@families
def test_it_is_the_mean_corner_distance_over_all_batches(family):
    generator = torch.Generator().manual_seed(0)
    truth, guess = (
        family.identity() + 0.1 * torch.randn(7, family.dim, generator=generator) for _ in range(2)
    )
    metric = CornerError((20, 20), family)
    metric.update(guess[:5], truth[:5])
    metric.update(guess[5:], truth[5:])
    result = metric.compute()
    expected = corner_distance(guess.double(), truth.double(), family).mean()
    assert torch.allclose(result["corner"], expected, atol=1e-7)
    assert torch.allclose(result["corner_px"], 10 * expected, atol=1e-6)
    metric.reset()
    metric.update(truth, truth)
    assert metric.compute()["corner"] == 0


def test_pixels_of_oblong_images():
    identity = Affine().identity()[None]
    moved = affine_matrix(torch.zeros(1), 1.0, 1.0, 0.3, 0.4).flatten(1)
    metric = CornerError((10, 40))
    metric.update(moved, identity)
    result = metric.compute()
    assert result["corner"].item() == pytest.approx(0.5)
    assert result["corner_px"].item() == pytest.approx(math.hypot(0.3 * 20, 0.4 * 5))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"must both be \(B, 8\), not \(2, 8\) and \(2, 6\)"):
        CornerError((28, 28), Projective()).update(torch.zeros(2, 8), torch.zeros(2, 6))
