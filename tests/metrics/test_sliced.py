"""The sliced distance of samples that are known."""

import math

import pytest
import torch

from diffstn.metrics.sliced import sliced_wasserstein


def test_a_sample_is_nowhere_from_itself_in_any_order():
    a = torch.randn(50, 3, 2)
    assert float(sliced_wasserstein(a, a[torch.randperm(50)])) < 1e-6


def test_a_shift_is_as_far_as_its_mean_projection():
    """Along θ a shift by v is a shift by θ·v, whose mean square is |v|² / D."""
    a, v = torch.randn(200, 5), torch.tensor([3.0, 0, 0, 4.0, 0])
    found = sliced_wasserstein(a, a + v, directions=4000)
    assert float(found) == pytest.approx(5 / math.sqrt(5), rel=0.05)


def test_gaussians_of_two_widths():
    """W₂ of N(0, 1) and N(0, 9) is 2 along every direction."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 4000, 4, generator=generator)
    assert float(sliced_wasserstein(a, 3 * b)) == pytest.approx(2, rel=0.03)


def test_samples_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="of one shape"):
        sliced_wasserstein(torch.zeros(3, 2), torch.zeros(4, 2))
