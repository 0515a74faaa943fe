import math
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoised, Denoiser
from diffstn.diffusion.likelihood import (
    bound_term,
    discretised_log_likelihood,
    likelihood_bound,
)
from diffstn.diffusion.processes import Gaussian
from diffstn.diffusion.schedules import Cosine, Linear, Schedule
from diffstn.diffusion.variance import LearnedRange, Variance

SPREAD = 0.25


class Posterior(nn.Module):
    """E[x_0 | x_t] of x_0 ~ N(0, SPREAD²)."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = (broadcast(f(t), x_t) for f in (self.schedule.alpha, self.schedule.sigma))
        return alpha * SPREAD**2 / (alpha**2 * SPREAD**2 + sigma**2) * x_t


class Exact(Variance):
    """That of q(x_s | x_t) of the same data: V_s − (1 − β) V_s² / V_t, V the variance of x."""

    def log_variance(self, output, schedule, t, s):
        def marginal(u):
            return schedule.alpha_bar(u) * SPREAD**2 + schedule.sigma(u) ** 2

        keep = 1 - schedule.beta(t, s)
        variance = marginal(s) * (1 - keep * marginal(s) / marginal(t))
        return broadcast(variance.log(), output)


@pytest.mark.parametrize("schedule", [Cosine(1000), Linear(1000)])
def test_the_bound_of_a_gaussian_is_its_entropy(schedule):
    """With a perfect model the bound is tight: −log₂ p is the entropy of the bins, in the mean."""
    generator = torch.Generator().manual_seed(0)
    continuous = SPREAD * torch.randn(32, 256, generator=generator)
    grid = torch.linspace(-1, 1, 256)
    x_0 = grid[((continuous + 1) / 2 * 255).round().long().clamp(0, 255)]
    edges = torch.cat([grid - 1 / 255, torch.tensor([math.inf])]) / SPREAD
    edges[0] = -math.inf
    p = torch.special.ndtr(edges.double()).diff()
    entropy = float(-(p * p.clamp(min=1e-300).log2()).sum())
    denoiser = Denoiser(Posterior(schedule), Gaussian(schedule), "x0", Exact())
    bound = likelihood_bound(denoiser, x_0, generator)
    assert float(bound.total.mean()) == pytest.approx(entropy, rel=0.01)
    assert bound.steps.shape == (32, 1000)
    # the end of these schedules tells little, the fine end of them nearly everything
    assert float(bound.prior.mean()) < 0.01
    assert float(bound.steps[:, :500].sum(1).mean()) > 0.95 * entropy


def test_a_perfect_model_reaches_the_differential_entropy_and_a_worse_one_does_not():
    schedule, generator = Cosine(200), torch.Generator().manual_seed(0)
    x_0 = SPREAD * torch.randn(64, 256, generator=generator)

    def total(variance):
        denoiser = Denoiser(Posterior(schedule), Gaussian(schedule), "x0", variance)
        seeded = torch.Generator().manual_seed(1)
        return float(likelihood_bound(denoiser, x_0, seeded, bins=None).total.mean())

    exact = total(Exact())
    assert exact == pytest.approx(math.log2(SPREAD * math.sqrt(2 * math.pi * math.e)), abs=0.03)
    assert exact < total("fixed_large") < total("fixed_small")


def test_bins_share_all_probability():
    grid = torch.linspace(-1, 1, 256)
    for mean, scale in ((0.0, 0.3), (0.9, 0.05), (-1.5, 0.5)):
        log_p = discretised_log_likelihood(grid, torch.tensor(mean), torch.tensor(math.log(scale)))
        assert float(log_p.exp().sum()) == pytest.approx(1, abs=1e-4)


def test_terms_are_divergences_of_normals():
    schedule = Linear(100)
    x_0, eps = torch.randn(2, 5, 3)
    t = torch.tensor([2, 10, 50, 80, 100])
    x_t = schedule.add_noise(x_0, t, eps)
    guess, log_variance = x_0 + 0.1 * torch.randn(5, 3), torch.full((5, 3), -4.0)
    term = bound_term(Denoised(guess, eps, lambda: log_variance), schedule, x_0, x_t, t, None)
    mean, variance = schedule.posterior(x_0, x_t, t)
    ours, _ = schedule.posterior(guess, x_t, t)
    true = torch.distributions.Normal(mean, variance.sqrt().expand_as(mean))
    model = torch.distributions.Normal(ours, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(true, model).mean(1) / math.log(2)
    torch.testing.assert_close(term, expected, rtol=1e-4, atol=1e-5)


def test_the_first_term_passes_gradients_that_are_finite():
    schedule = Linear(100)
    x_0 = torch.rand(4, 3) * 2 - 1
    output = torch.cat([x_0 + 0.01, torch.zeros(4, 3)], dim=1).requires_grad_()
    t, variance = torch.tensor([1, 1, 2, 50]), LearnedRange()
    mean = variance.prediction(output, t)
    denoised = Denoised(mean, mean, partial(variance.log_variance, output, schedule, t, t - 1))
    x_t = schedule.add_noise(x_0, t, torch.randn(4, 3))
    bound_term(denoised, schedule, x_0, x_t, t).sum().backward()
    assert output.grad.isfinite().all()
    assert (output.grad[:, 3:] != 0).any(1).all()  # the variance hears the loss at every t
