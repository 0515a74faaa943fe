import pytest
import torch

from diffstn.data.distortions import AffineDistortion, ProjectiveDistortion
from diffstn.spatial import Projective

from ..conftest import preset, seeded


def test_perspective_then_affine():
    """H (x, y, 1) = A p / w with p = (x, y) and w = h₃₁ x + h₃₂ y + 1: A = H's first two columns
    with the translation's share taken out, and (h₃₁, h₃₂) uniform in ±0.2."""
    distortion = preset("projective")
    theta = distortion.draw(20_000, (28, 28), seeded())
    H = Projective.homography(theta)
    perspective, translation = H[:, 2, :2], H[:, :2, 2]
    for values, bound in ((perspective, 0.2), (translation, 0.25)):
        assert bound * 0.999 < values.abs().max() <= bound + 1e-6
        assert values.mean().item() == pytest.approx(0, abs=0.01 * bound + 1e-3)
    M = H[:, :2, :2] - translation[:, :, None] * perspective[:, None, :]
    scales = M.norm(dim=1)
    assert scales.min() == pytest.approx(0.7, abs=1e-3)
    assert scales.max() == pytest.approx(1.2, abs=1e-3)


def test_no_perspective_is_the_affine_distortion():
    affine = AffineDistortion()
    theta = ProjectiveDistortion(affine, 0.0).draw(50, (28, 28), seeded())
    expected = Projective().from_affine(affine.draw(50, (28, 28), seeded()))
    torch.testing.assert_close(theta, expected)


def test_the_affine_part_is_one_override_away():
    distortion = preset("projective", "data.distortion.affine.rotation=180")
    assert distortion.affine.rotation == 180
    assert ProjectiveDistortion(AffineDistortion(canvas=42)).canvas == (42, 42)


def test_the_horizon_stays_off_the_image():
    with pytest.raises(ValueError, match=r"perspective is 0\.5"):
        ProjectiveDistortion(AffineDistortion(), 0.5)
