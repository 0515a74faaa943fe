"""Every deterministic solver converges at its order to the flow of a mixture of Gaussians."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.processes import Gaussian
from diffstn.diffusion.samplers import DDIM, DEIS, Ancestral, DPMSolver, Langevin, Sampler
from diffstn.diffusion.schedules import Cosine, Linear, Schedule
from diffstn.diffusion.schedules.schedule import tables

MEANS = torch.tensor([[1.0, 0.5], [-0.8, 0.9], [0.1, -1.1]], dtype=torch.float64)
SPREAD = 0.4
WEIGHTS = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)


class Mixture(nn.Module):
    """E[x_0 | x_t] of Σ_k w_k N(m_k, s² I) in closed form, in float64."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        alpha = (self.schedule.log_alpha_bar[t].double() / 2).exp()[:, None]
        variance = (
            alpha.square() * SPREAD**2 - self.schedule.log_alpha_bar[t].double().expm1()[:, None]
        )
        away = x_t.double()[:, None] - alpha[..., None] * MEANS
        share = (WEIGHTS.log() - away.square().sum(-1) / (2 * variance)).softmax(-1)
        gain = (alpha * SPREAD**2 / variance)[..., None]
        return (share[..., None] * (MEANS + gain * away)).sum(1)


class Smooth(Schedule):
    """Linear in β with many timesteps, its tables kept in float64: steps can be halved often."""

    def __init__(self, steps: int = 8192) -> None:
        super().__init__(torch.linspace(1e-4, 0.02, steps, dtype=torch.float64) * 1000 / steps)
        betas = torch.linspace(1e-4, 0.02, steps, dtype=torch.float64) * 1000 / steps
        log_alpha_bar = torch.cat([betas.new_zeros(1), torch.log1p(-betas).cumsum(0)])
        for name, table in tables(log_alpha_bar).items():
            setattr(self, name, table)


def noise() -> Tensor:
    return torch.randn(64, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def until(sampler: Sampler, denoiser: Denoiser, end: int) -> Tensor:
    """x at the timestep `end` of the walk."""
    return next(x for t, x, _ in sampler.trajectory(denoiser, noise()) if t == end)


@pytest.fixture(scope="module")
def flow() -> tuple[Denoiser, int, Tensor]:
    """A denoiser, a timestep and where the probability flow is there, to high precision."""
    schedule = Smooth()
    denoiser, end = Denoiser(Mixture(schedule), Gaussian(schedule), "x0"), schedule.steps // 8
    return denoiser, end, until(DEIS(steps=2048, spacing="trailing", order=3), denoiser, end)


@pytest.mark.parametrize(
    ("build", "order"),
    [
        (lambda n: DDIM(steps=n, spacing="trailing"), 1),
        (lambda n: DEIS(steps=n, spacing="trailing", order=1), 1),
        (lambda n: DEIS(steps=n, spacing="trailing", order=2), 2),
        (lambda n: DEIS(steps=n, spacing="trailing", order=3), 3),
        (lambda n: DPMSolver(steps=n, spacing="trailing"), 2),
    ],
    ids=["ddim", "deis-1", "deis-2", "deis-3", "dpm-solver"],
)
def test_the_error_falls_with_the_solvers_order(flow, build, order: int):
    denoiser, end, exact = flow
    counts = [64, 128, 256]
    errors = [(until(build(n), denoiser, end) - exact).abs().mean().item() for n in counts]
    slope = math.log2(errors[0] / errors[-1]) / 2
    assert slope == pytest.approx(order, abs=0.2), errors


@pytest.mark.parametrize(
    "sampler",
    [
        Ancestral(steps=100),
        DDIM(steps=100, eta=1.0),
        DDIM(steps=100),
        DPMSolver(steps=50),
        DPMSolver(steps=50, eta=0.5),
        DPMSolver(steps=50, eta=1.0),
        DPMSolver(steps=100, eta=2.0),
        DEIS(steps=50),
        Langevin(steps=50),
    ],
    ids=lambda one: f"{type(one).__name__}{getattr(one, 'eta', '')}",
)
def test_samples_have_the_mixtures_moments(sampler: Sampler):
    schedule = Cosine()
    denoiser = Denoiser(Mixture(schedule), Gaussian(schedule), "x0")
    generator = torch.Generator().manual_seed(1)
    x_T = torch.randn(10_000, 2, dtype=torch.float64, generator=generator)
    x_0 = sampler(denoiser, x_T, generator)
    mean = WEIGHTS @ MEANS
    away = MEANS - mean
    covariance = (WEIGHTS[:, None, None] * away[:, :, None] * away[:, None]).sum(0)
    covariance += SPREAD**2 * torch.eye(2)
    torch.testing.assert_close(x_0.mean(0), mean, atol=0.03, rtol=0)
    torch.testing.assert_close(x_0.T.cov(), covariance, atol=0.04, rtol=0)


@pytest.mark.parametrize(
    "sampler",
    [
        DPMSolver(steps=10, spacing="trailing"),
        DPMSolver(steps=10, spacing="trailing", eta=1.0),
        DEIS(steps=10, spacing="trailing"),
    ],
)
def test_zero_final_signal_is_finite(sampler: Sampler):
    schedule = Cosine(50, max_beta=1.0)
    x_0 = sampler(Denoiser(Mixture(schedule), Gaussian(schedule), "x0"), noise())
    assert x_0.isfinite().all()


@pytest.mark.parametrize("steps", [1, 10])
def test_the_first_order_of_deis_is_ddim(steps: int):
    schedule = Linear()
    denoiser = Denoiser(Mixture(schedule), Gaussian(schedule), "x0")
    one, other = (
        sampler(denoiser, noise())
        for sampler in (
            DDIM(steps=steps, spacing="quadratic"),
            DEIS(steps=steps, spacing="quadratic", order=1),
        )
    )
    torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-6)


def test_without_a_past_the_noisy_solver_is_ancestral_sampling():
    """Its first step and, as every step is one of two, its last: D = x_hat_0 in both."""
    schedule = Cosine(50, max_beta=0.9)
    denoiser, x_T = Denoiser(Mixture(schedule), Gaussian(schedule), "x0"), noise()
    for steps in (1, 2):
        walks = [
            list(sampler.trajectory(denoiser, x_T, torch.Generator().manual_seed(3)))
            for sampler in (
                DPMSolver(steps=steps, spacing="trailing", eta=1.0),
                Ancestral(steps=steps),
            )
        ]
        for (_, one, _), (_, other, _) in zip(*walks, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_what_is_out_of_range_is_refused():
    with pytest.raises(ValueError, match="order is 1, 2 or 3"):
        DEIS(order=4)
    with pytest.raises(ValueError, match="eta must be 0"):
        DPMSolver(eta=-0.5)
    with pytest.raises(ValueError, match="corrections must be at least 0"):
        Langevin(corrections=-1)
    with pytest.raises(ValueError, match="snr positive"):
        Langevin(snr=0)
