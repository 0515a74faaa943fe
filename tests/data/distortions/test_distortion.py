"""What holds for every preset."""

import pytest
import torch

from diffstn.spatial import warp

from ..conftest import PRESETS, preset, seeded


def correlation(a, b):
    """Pearson's, image by image."""
    a, b = ((x - x.mean((1, 2, 3), keepdim=True)).flatten(1) for x in (a, b))
    return torch.cosine_similarity(a, b)


@pytest.mark.parametrize("name", PRESETS)
def test_the_true_pose_corrects_up_to_resampling(name, digits):
    distortion = preset(name)
    upright = digits["test"].items[:64] / 255
    theta = distortion.draw(64, (28, 28), seeded())
    distorted = distortion.distort(upright, theta)
    corrected = warp(distorted, theta, distortion.transformation, size=(28, 28))
    assert distorted.shape == (64, 1, *(distortion.canvas or (28, 28)))
    smallest = getattr(distortion, "scale", (1.0,))[0]
    likeness, error = (0.95, 0.01) if smallest > 0.5 else (0.9, 0.015)
    assert correlation(corrected, upright).mean() > likeness
    assert (corrected - upright).square().mean() < error
    if distortion.canvas is None and name != "none":
        assert correlation(distorted, upright).mean() < 0.8


def test_no_distortion_changes_nothing(digits):
    upright = digits["test"].items[:64] / 255
    distortion = preset("none")
    theta = distortion.draw(64, (28, 28))
    torch.testing.assert_close(distortion.distort(upright, theta), upright, atol=1e-5, rtol=0)
