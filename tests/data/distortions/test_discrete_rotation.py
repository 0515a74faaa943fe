import math

import pytest
import torch

from diffstn.data.distortions import DiscreteRotation
from diffstn.spatial import as_matrix, decompose

from ..conftest import preset, seeded

N = 20_000


@pytest.mark.parametrize("rotations", [2, 3, 8])
def test_all_angles_are_multiples_and_equally_likely(rotations):
    drawn = decompose(as_matrix(DiscreteRotation(rotations).draw(N, (28, 28), seeded())))
    steps = drawn.rotation * rotations / (2 * math.pi)
    torch.testing.assert_close(steps, steps.round(), atol=1e-5, rtol=0)
    shares = (steps.round().long() % rotations).bincount(minlength=rotations) / N
    assert shares.tolist() == pytest.approx([1 / rotations] * rotations, abs=0.015)
    for rest, value in ((drawn.scale_x, 1), (drawn.scale_y, 1), (drawn.shear, 0)):
        torch.testing.assert_close(rest, torch.full_like(rest, value), atol=1e-5, rtol=0)
    assert drawn.translation.abs().max() == 0


def test_the_preset_has_multiples_of_45_degrees_and_not_any_rotation():
    distortion = preset("eight_rotations")
    assert distortion.rotations == 8
    assert not distortion.any_rotation


def test_a_quarter_turn_moves_pixels_and_changes_none(digits):
    """Clockwise, as y points down: what was on top is on the right."""
    distortion = DiscreteRotation(4)
    upright = digits["test"].items[:1] / 255
    theta = distortion.draw(64, (28, 28), seeded())
    turns = (decompose(as_matrix(theta)).rotation / (math.pi / 2)).round().long()
    assert set((turns % 4).tolist()) == {0, 1, 2, 3}
    for pose, quarter in zip(theta, turns.tolist(), strict=True):
        expected = torch.rot90(upright, -quarter, (2, 3))
        found = distortion.distort(upright, pose[None])
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_rotations_are_rigid_in_pixels_of_an_oblong_canvas():
    M = as_matrix(DiscreteRotation(8, canvas=(40, 20)).draw(64, (28, 14), seeded()))[..., :2]
    R = torch.tensor([20, 40]).diag() / 2 @ M @ (2 / torch.tensor([14, 28])).diag()
    torch.testing.assert_close(R @ R.mT, torch.eye(2).expand(64, 2, 2), atol=1e-5, rtol=0)


def test_draws_are_reproducible_and_fresh():
    distortion = DiscreteRotation()
    assert torch.equal(*(distortion.draw(99, (28, 28), seeded(1)) for _ in range(2)))
    assert not torch.equal(*(distortion.draw(99, (28, 28)) for _ in range(2)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"rotations": 1}, "rotations is 1"), ({"canvas": 0}, "canvas is 0")],
)
def test_bad_settings(arguments, message):
    with pytest.raises(ValueError, match=message):
        DiscreteRotation(**arguments)
