import math

import pytest
import torch

from diffstn.models.upright_already import AT_RANDOM, CONCENTRATION, evidence, nearness
from diffstn.spatial import Affine

IDENTITY = Affine().identity()


def turned(angles: torch.Tensor) -> torch.Tensor:
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    return torch.stack([cos, -sin, zero, sin, cos, zero], dim=-1)


def test_of_rotations_the_kernel_is_that_of_von_mises():
    angles = torch.linspace(-math.pi, math.pi, 9)
    near = nearness(turned(angles)[None], IDENTITY.expand(1, -1), Affine())[0]
    torch.testing.assert_close(near, torch.exp(CONCENTRATION * (angles.cos() - 1)))


def test_random_angles_are_no_evidence():
    angles = 2 * math.pi * (torch.arange(3600) + 0.5) / 3600
    near = nearness(turned(angles)[None], IDENTITY.expand(1, -1), Affine())
    assert near.mean().item() == pytest.approx(AT_RANDOM, rel=1e-4)
    assert evidence(near).item() == pytest.approx(1, rel=1e-4)


def test_with_many_poses_the_evidence_is_the_ratio_of_the_densities():
    """Of a posterior that is von Mises around the identity, smoothed by the kernel."""
    generator = torch.Generator().manual_seed(0)
    # kappa 100 is normal to within a per cent
    angles = torch.randn(20_000, generator=generator) / 10
    near = nearness(turned(angles)[None], IDENTITY.expand(1, -1), Affine())
    variance = 1 / 100 + 1 / CONCENTRATION
    expected = 2 * math.pi / math.sqrt(2 * math.pi * variance)
    assert evidence(near).item() == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(("k", "low", "high"), [(1, 0.5, 5.5), (16, 1 / 17, 9.5)])
def test_a_few_poses_say_little_and_many_say_more(k: int, low: float, high: float):
    none, every = torch.zeros(2, k), torch.ones(2, k)
    assert evidence(none).tolist() == pytest.approx([low] * 2)
    assert evidence(every).tolist() == pytest.approx([high] * 2, rel=0.02)
