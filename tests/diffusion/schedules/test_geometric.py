import pytest
import torch

from diffstn.diffusion import Denoiser, Gaussian
from diffstn.diffusion.closed_form import GaussianDiffusion
from diffstn.diffusion.samplers import DDIM, DEIS, Ancestral, DPMSolver
from diffstn.diffusion.schedules import Geometric, Schedule


def times(schedule):
    return torch.arange(1, schedule.steps + 1)


def test_the_noise_is_geometric_and_the_signal_stays():
    schedule = Geometric(100, 0.02, 20.0)
    t = times(schedule)
    sigma = schedule.sigma(t).double()
    expected = torch.logspace(-1.69897, 1.30103, 100, dtype=torch.float64)
    torch.testing.assert_close(sigma, expected, rtol=1e-4, atol=0)
    assert (schedule.alpha(t) == 1).all()
    assert schedule.sigma(torch.tensor(0)) == 0
    assert schedule.prior_sigma == pytest.approx(20, rel=1e-5)
    torch.testing.assert_close(schedule.log_snr(t).double(), -2 * expected.log(), rtol=1e-4, atol=0)


def test_single_steps_add_up_to_the_marginal():
    schedule, variance = Geometric(50, 0.1, 10.0), 0.0
    for t in times(schedule):
        variance += float(schedule.beta(t))
        assert schedule.kept(t) == 1
        assert variance == pytest.approx(float(schedule.sigma(t)) ** 2, rel=1e-4)
    t, s = torch.tensor([40]), torch.tensor([7])
    jump = schedule.sigma(t).square() - schedule.sigma(s).square()
    torch.testing.assert_close(schedule.beta(t, s), jump, rtol=1e-4, atol=0)


def test_its_unit_factors_are_those_of_the_process_that_preserves_the_variance():
    schedule, t = Geometric(100), torch.arange(101)
    alpha, sigma = schedule.unit(t)
    torch.testing.assert_close(alpha.square() + sigma.square(), torch.ones(101))
    torch.testing.assert_close(sigma / alpha, schedule.sigma(t), rtol=1e-4, atol=1e-6)


def betas(schedule):
    log_alpha_bar = schedule.log_alpha_bar.double()
    return -(log_alpha_bar[1:] - log_alpha_bar[:-1]).expm1()


SAMPLERS = [Ancestral(steps=20), DDIM(steps=20, eta=0.5), DPMSolver(steps=10, eta=1), DEIS(steps=8)]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("prediction", ["eps", "v", "x0"])
def test_every_sampler_walks_it_as_the_scaled_process_that_preserves_the_variance(
    sampler, prediction
):
    """x_t / √(1 + σ_t²) is the other process's x_t, and so the samples are the same."""

    def network(x_t, t):
        return 0.3 * x_t.sin() + 0.01 * t[:, None] / 40

    exploding = Geometric(40, 0.05, 8.0)
    preserving = Schedule(betas(exploding))
    z, made = torch.randn(16, 3, generator=torch.Generator().manual_seed(0)), []
    for schedule in (exploding, preserving):
        denoiser = Denoiser(network, Gaussian(schedule), prediction)
        start = z * (1 + 8.0**2) ** 0.5 if schedule is exploding else z
        made.append(sampler(denoiser, start, torch.Generator().manual_seed(1)))
    torch.testing.assert_close(made[0], made[1], rtol=1e-3, atol=1e-4)


def test_both_ways_back_from_its_prior_end_in_the_data():
    diffusion = GaussianDiffusion(Geometric(200, 0.01, 30.0), 2.0, 0.25)
    assert diffusion.marginal(0) == (2.0, 0.25)
    mean, variance = diffusion.marginal(200)
    assert mean == 2
    assert variance == pytest.approx(900.25, rel=1e-4)
    forward = diffusion.forward_paths(20_000, torch.Generator().manual_seed(0))[-1]
    assert float(forward.std()) == pytest.approx(variance**0.5, rel=0.02)
    back = diffusion.marginal_paths(20_000, torch.Generator().manual_seed(1))
    assert float(back[-1].std()) == pytest.approx(30, rel=0.02)
    assert float(back[0].mean()) == pytest.approx(2, abs=0.02)
    assert float(back[0].std()) == pytest.approx(0.5, rel=0.03)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (2, 1), (1, float("inf")), (-1, 1)])
def test_noise_that_does_not_grow_is_refused(low, high):
    with pytest.raises(ValueError, match="must grow"):
        Geometric(10, low, high)
