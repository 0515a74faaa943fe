"""Each distribution against its own cumulative distribution, by scipy."""

import pytest
import torch
from scipy import stats

from diffstn.diffusion.noises import NOISES

REFERENCE = {
    "gaussian": stats.norm(),
    "uniform": stats.uniform(-(3**0.5), 2 * 3**0.5),
    "laplace": stats.laplace(scale=0.5**0.5),
}


def test_each_has_a_reference():
    assert set(NOISES) == set(REFERENCE)


@pytest.mark.parametrize("name", NOISES)
def test_samples_have_the_distribution_and_unit_variance(name):
    z = torch.randn(40_000, generator=torch.Generator().manual_seed(0))
    eps = NOISES[name](z)
    assert stats.kstest(eps.numpy(), REFERENCE[name].cdf).pvalue > 0.01
    assert float(eps.mean()) == pytest.approx(0, abs=0.02)
    assert float(eps.var()) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("name", NOISES)
def test_it_is_the_quantile_transform_far_into_both_tails(name):
    z = torch.tensor([-12.0, -6.0, -2.0, -0.3, 0.0, 0.3, 2.0, 6.0, 12.0], dtype=torch.float64)
    eps = NOISES[name](z)
    below = REFERENCE[name].ppf(stats.norm.cdf(z.numpy()[:5]))
    torch.testing.assert_close(eps[:5], torch.from_numpy(below), rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(eps, -eps.flip(0))
    assert NOISES[name](z.float()).isfinite().all()
    assert (eps.diff() >= 0).all()
    assert eps[4] == 0


def test_the_shape_and_the_precision_are_those_of_z():
    for noise in NOISES.values():
        for dtype in (torch.float32, torch.float64):
            eps = noise(torch.zeros(2, 3, 4, dtype=dtype))
            assert (eps.shape, eps.dtype) == ((2, 3, 4), dtype)
