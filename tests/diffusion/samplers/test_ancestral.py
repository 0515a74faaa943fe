import pytest
import torch
from torch import nn

from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.processes import Gaussian
from diffstn.diffusion.samplers import Ancestral
from diffstn.diffusion.schedules import Constant, Cosine


def ancestral(variance):
    """Coefficients of x̂_0, x_t and z in one jump, in terms of ᾱ_t and ᾱ_s."""

    def coefficients(a_t, a_s):
        beta = 1 - a_t / a_s
        small = beta * (1 - a_s) / (1 - a_t)
        chosen = {"fixed_small": small, "fixed_large": beta}[variance]
        of_x_t = (a_t / a_s) ** 0.5 * (1 - a_s) / (1 - a_t)
        return a_s**0.5 * beta / (1 - a_t), of_x_t, chosen**0.5 if a_s < 1 else 0.0

    return coefficients


@pytest.mark.parametrize("variance", ["fixed_small", "fixed_large"])
@pytest.mark.parametrize("spacing", ["uniform", "quadratic"])
@pytest.mark.parametrize("steps", [5, 40])
def test_samples_have_the_exact_moments(gaussian, propagated, variance, spacing, steps):
    schedule = Cosine(40)
    sampler = Ancestral(steps=steps, spacing=spacing)
    betas = schedule.beta(torch.arange(1, 41))
    mean, std = propagated(betas, sampler.timesteps(schedule), ancestral(variance))
    generator = torch.Generator().manual_seed(0)
    x_T = torch.randn(20_000, 2, generator=generator)
    x_0 = sampler(gaussian(schedule, variance), x_T, generator)
    # n = 40 000 independent entries: four standard errors are 0.02 std and 0.0142 std.
    assert x_0.mean().item() == pytest.approx(mean, abs=0.02 * std)
    assert x_0.std().item() == pytest.approx(std, rel=0.0142)


def test_many_small_steps_recover_the_data_distribution(gaussian, propagated):
    schedule = Cosine(1000)
    betas, timesteps = schedule.beta(torch.arange(1, 1001)), torch.arange(1000, -1, -1)
    mean, std = propagated(betas, timesteps, ancestral("fixed_small"))
    assert mean == pytest.approx(1.5, abs=2e-3)
    assert std == pytest.approx(0.5, rel=2e-2)


@pytest.mark.parametrize(
    ("steps", "left"), [(5, 0.43), (10, 0.60), (20, 0.75), (50, 0.875), (100, 0.93), (None, 0.99)]
)
def test_long_jumps_leave_less_variance_than_the_data_has(propagated, steps, left):
    """The share that docs/results.md names for pixels: the least variance is too little."""
    schedule = Cosine(1000)
    timesteps = Ancestral(steps=steps).timesteps(schedule)
    betas = schedule.beta(torch.arange(1, 1001))
    _, std = propagated(betas, timesteps, ancestral("fixed_small"))
    assert std**2 / 0.25 == pytest.approx(left, abs=0.006)


def test_the_textbook_process_of_a_known_point():
    """With x̂_0 fixed, every x_s along the walk is distributed as q(x_s | x_0)."""

    class Point(nn.Module):
        def forward(self, x_t, t):
            return torch.full_like(x_t, 2.0)

    schedule = Constant(50, 0.25)
    generator = torch.Generator().manual_seed(0)
    x_T = torch.randn(40_000, 1, generator=generator)
    for t, x_t, _ in Ancestral(steps=10).trajectory(
        Denoiser(Point(), Gaussian(schedule), "x0"), x_T, generator
    ):
        alpha, sigma = (
            schedule.alpha(torch.tensor(t)).item(),
            schedule.sigma(torch.tensor(t)).item(),
        )
        assert x_t.mean().item() == pytest.approx(2 * alpha, abs=0.02 * sigma + 2e-3)
        assert x_t.std().item() == pytest.approx(sigma, rel=0.015, abs=1e-6)
