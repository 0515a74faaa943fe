"""The diffusion of a normal number, against its own closed forms."""

import pytest
import torch
from scipy.stats import kstest

from diffstn.diffusion.closed_form import GaussianDiffusion
from diffstn.diffusion.schedules import Constant, Cosine, Linear

M, P, N = 2.0, 0.25, 20_000


def build(schedule=None) -> GaussianDiffusion:
    return GaussianDiffusion(schedule or Constant(50, 0.25), M, P)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_forward_paths_follow_the_marginals():
    diffusion = build(Linear(50))
    paths = diffusion.forward_paths(N, generator())
    assert paths.shape == (51, N)
    for t in (0, 1, 10, 50):
        mean, variance = diffusion.marginal(t)
        assert kstest(paths[t].numpy(), "norm", args=(mean, variance**0.5)).pvalue > 0.01
    assert diffusion.marginal(0) == (M, P)


def test_the_reverse_step_is_that_of_the_joint_distribution():
    """Regression of x_{t−1} on x_t over simulated pairs gives its mean and variance."""
    diffusion, t = build(Linear(50, 0.01, 0.1)), 20
    before, after = diffusion.forward_paths(200_000, generator())[[t - 1, t]]
    slope = torch.cov(torch.stack([before, after]))[0, 1] / after.var()
    mean, variance = diffusion.reverse(torch.tensor([0.0, 1.0], dtype=torch.float64), t)
    assert float(mean[1] - mean[0]) == pytest.approx(float(slope), abs=0.01)
    assert float(mean[0]) == pytest.approx(float(before.mean() - slope * after.mean()), abs=0.01)
    residual = before - before.mean() - slope * (after - after.mean())
    assert variance == pytest.approx(float(residual.var()), rel=0.02)


@pytest.mark.parametrize("schedule", [Constant(50, 0.25), Cosine(50)])
def test_both_ways_back_end_in_the_data(schedule):
    diffusion = build(schedule)
    for paths in (
        diffusion.marginal_paths(N, generator()),
        diffusion.posterior_paths(N, generator(1)),
    ):
        assert kstest(paths[0].numpy(), "norm", args=(M, P**0.5)).pvalue > 0.01


def test_a_walk_from_the_wrong_noise_misses_the_data():
    diffusion = build(Linear(50))  # x_T keeps a mean of 1.5
    paths = diffusion.marginal_paths(N, generator())
    assert kstest(paths[0].numpy(), "norm", args=(M, P**0.5)).pvalue < 1e-6


def test_the_distance_to_noise_is_that_of_two_normal_distributions():
    """For equal variances sup |F − Φ| = 2 Φ(|μ| / 2) − 1, at the middle between the means."""
    diffusion = GaussianDiffusion(Linear(50), 2.0, 1.0)
    mean, variance = diffusion.marginal(50)
    assert variance == pytest.approx(1)
    expected = 2 * torch.special.ndtr(torch.tensor(mean / 2)) - 1
    assert diffusion.distance_to_noise() == pytest.approx(float(expected), abs=1e-5)
    assert build(Constant(50, 0.25)).distance_to_noise() < 0.001


def test_a_variance_must_be_positive():
    with pytest.raises(ValueError, match="variance must be positive"):
        GaussianDiffusion(Constant(), 0.0, 0.0)
