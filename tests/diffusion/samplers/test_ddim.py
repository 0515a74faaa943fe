from itertools import pairwise

import pytest
import torch

from diffstn.diffusion.samplers import DDIM, Ancestral
from diffstn.diffusion.schedules import Constant, Cosine, Linear


def implicit(eta):
    """Coefficients of x̂_0, x_t and z in one jump, in terms of ᾱ_t and ᾱ_s."""

    def coefficients(a_t, a_s):
        fresh = eta**2 * (1 - a_s) / (1 - a_t) * (1 - a_t / a_s)
        of_eps = max(1 - a_s - fresh, 0) ** 0.5
        sigma_t = (1 - a_t) ** 0.5
        return a_s**0.5 - of_eps * (a_t**0.5) / sigma_t, of_eps / sigma_t, fresh**0.5

    return coefficients


@pytest.mark.parametrize(
    "schedule", [Linear(), Cosine(), Constant()], ids=["linear", "cosine", "constant"]
)
@pytest.mark.parametrize("steps", [1, 10, 50])
@pytest.mark.parametrize("spacing", ["trailing", "log_snr"])
def test_the_deterministic_map_is_exact(gaussian, propagated, schedule, steps, spacing):
    """For a linear denoiser, x_0 = mean + std · x_T, with both from a float64 recursion."""
    sampler = DDIM(steps=steps, spacing=spacing)
    betas = schedule.beta(torch.arange(1, schedule.steps + 1))
    mean, std = propagated(betas, sampler.timesteps(schedule), implicit(0))
    x_0 = sampler(gaussian(schedule), torch.tensor([[0.0], [1.0]]))
    assert x_0[0].item() == pytest.approx(mean, abs=1e-4)
    assert (x_0[1] - x_0[0]).item() == pytest.approx(std, abs=1e-4)


def test_more_steps_approach_the_data_distribution(gaussian):
    """The probability-flow map of N(1.5, 0.25) is x_0 = 1.5 + 0.5 x_T; the error falls as 1/n."""
    ends = torch.tensor([[0.0], [1.0]])
    errors = []
    for steps in (25, 50, 100, 200):
        low, high = DDIM(steps=steps)(gaussian(Cosine()), ends).flatten().tolist()
        errors.append(abs(high - low - 0.5))
    assert errors[-1] < 0.01
    for coarse, fine in pairwise(errors):
        assert fine < 0.6 * coarse


@pytest.mark.parametrize("eta", [0.5, 1.0])
def test_samples_have_the_exact_moments(gaussian, propagated, eta):
    schedule, sampler = Cosine(100), DDIM(steps=10, eta=eta)
    betas = schedule.beta(torch.arange(1, 101))
    mean, std = propagated(betas, sampler.timesteps(schedule), implicit(eta))
    generator = torch.Generator().manual_seed(0)
    x_0 = sampler(gaussian(schedule), torch.randn(20_000, 2, generator=generator), generator)
    assert x_0.mean().item() == pytest.approx(mean, abs=0.02 * std)  # four standard errors
    assert x_0.std().item() == pytest.approx(std, rel=0.0142)


@pytest.mark.parametrize("steps", [7, None])
@pytest.mark.parametrize("schedule", [Linear(50, 2e-3, 0.4), Cosine(50)], ids=["linear", "cosine"])
def test_full_noise_is_ddpm_with_the_small_variance(gaussian, schedule, steps):
    denoiser, x_T = gaussian(schedule), torch.randn(8, 3, 4, 4)
    ddim, ddpm = (
        sampler(denoiser, x_T, torch.Generator().manual_seed(5))
        for sampler in (DDIM(steps=steps, eta=1.0), Ancestral(steps=steps))
    )
    torch.testing.assert_close(ddim, ddpm, rtol=1e-4, atol=1e-4)


def test_no_noise_is_deterministic(gaussian):
    denoiser, x_T = gaussian(Cosine(50)), torch.randn(4, 6)
    assert torch.equal(DDIM(steps=5)(denoiser, x_T), DDIM(steps=5)(denoiser, x_T))
    assert not torch.equal(
        DDIM(steps=5, eta=0.1)(denoiser, x_T), DDIM(steps=5, eta=0.1)(denoiser, x_T)
    )


def test_zero_final_signal_is_finite(gaussian):
    schedule = Cosine(50, max_beta=1.0)
    for eta in (0.0, 1.0):
        assert DDIM(steps=10, eta=eta)(gaussian(schedule), torch.randn(16, 6)).isfinite().all()


@pytest.mark.parametrize("eta", [-0.1, 1.1])
def test_eta_out_of_range_is_refused(eta):
    with pytest.raises(ValueError, match="eta must lie between 0"):
        DDIM(eta=eta)
