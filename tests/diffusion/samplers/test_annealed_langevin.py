import pytest
import torch

from diffstn.diffusion.closed_form import GaussianDiffusion
from diffstn.diffusion.samplers import AnnealedLangevin
from diffstn.diffusion.schedules import Constant, Cosine, Geometric
from tests.diffusion.conftest import MEAN, VARIANCE

SCHEDULES = [Geometric(60, 0.05, 10.0), Cosine(200), Constant()]
schedules = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)


def propagated(sampler, schedule, mean, variance):
    """Mean and variance of the walk of `gaussian` at its end, in coordinates x_t / α_t."""
    for t in sampler.timesteps(schedule)[:-1]:
        noise = float((schedule.sigma(t) / schedule.alpha(t)).double()) ** 2
        size = sampler.rate * noise
        kept = 1 - size / 2 / (VARIANCE + noise)
        for _ in range(sampler.each):
            mean, variance = MEAN + kept * (mean - MEAN), kept**2 * variance + size
    if sampler.denoise:
        gain = VARIANCE / (VARIANCE + noise)
        mean, variance = MEAN + gain * (mean - MEAN), gain**2 * variance
    return mean, variance**0.5


@schedules
@pytest.mark.parametrize("denoise", [True, False])
def test_samples_have_the_exact_moments(gaussian, schedule, denoise):
    sampler = AnnealedLangevin(steps=20, each=3, denoise=denoise)
    last = schedule.steps * torch.ones(1).long()
    reach = float(schedule.prior_sigma / schedule.alpha(last))
    mean, std = propagated(sampler, schedule, 0.0, reach**2)
    generator = torch.Generator().manual_seed(0)
    x_T = schedule.prior_sigma * torch.randn(20_000, 2, generator=generator)
    x_0 = sampler(gaussian(schedule), x_T, generator)
    # 40 000 independent entries: four standard errors
    assert x_0.mean().item() == pytest.approx(mean, abs=0.02 * std)
    assert x_0.std().item() == pytest.approx(std, rel=0.0142)


@schedules
def test_it_ends_in_the_data_within_the_error_of_its_steps(gaussian, schedule):
    """Enough steps forget where they began, and what is left is the bias of r and of freezing:

    at low noise steps are too short to lose what was too wide at the level before.
    """
    sampler = AnnealedLangevin(steps=50, each=300, rate=0.1, denoise=False)
    mean, std = propagated(sampler, schedule, 0.0, 100.0)
    noise = float(schedule.sigma(torch.tensor(1)) / schedule.alpha(torch.tensor(1))) ** 2
    assert mean == pytest.approx(MEAN, abs=0.02)
    assert VARIANCE + noise < std**2 * 1.001
    assert std**2 < 1.1 * (VARIANCE + noise)


def test_at_one_level_it_comes_to_rest_at_the_score_s_own_density(gaussian):
    """Variance v = V / (1 − a / 4V), V of q(x_t): that of long steps in a parabola."""
    schedule = Geometric(2, 1.0, 1.5)
    sampler = AnnealedLangevin(steps=1, each=200, rate=0.4, denoise=False)
    target, variance = GaussianDiffusion(schedule, MEAN, VARIANCE).marginal(2)
    rest = variance / (1 - 0.4 * 1.5**2 / 4 / variance)
    generator = torch.Generator().manual_seed(0)
    x = sampler(gaussian(schedule), torch.zeros(20_000, 1), generator)
    assert float(x.mean()) == pytest.approx(target, abs=0.04)
    assert float(x.var()) == pytest.approx(rest, rel=0.04)


def test_it_calls_the_denoiser_so_often_at_each_level_and_once_more(gaussian):
    denoiser, seen = gaussian(Geometric(6, 0.1, 2.0)), []

    class Counted:
        process, schedule = denoiser.process, denoiser.schedule

        def __call__(self, x_t, t, **condition):
            seen.append(int(t[0]))
            return denoiser(x_t, t, **condition)

    AnnealedLangevin(each=2)(Counted(), torch.zeros(1, 1))
    assert seen == [6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 1]


def test_no_signal_is_refused(gaussian):
    with pytest.raises(ValueError, match="schedule=geometric"):
        AnnealedLangevin(steps=5)(gaussian(Cosine(20, max_beta=1.0)), torch.zeros(1, 1))


@pytest.mark.parametrize("wrong", [{"each": 0}, {"rate": 0.0}, {"rate": 4.0}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="each must be"):
        AnnealedLangevin(**wrong)


@pytest.mark.parametrize(("each", "rate"), [(2, 0.7), (4, 0.4), (5, 0.2)])
def test_a_walk_settles_at_the_variance_that_docs_scores_md_states(gaussian, each, rate):
    """v = (1 − κ) / (1 − r / 4) / (1 − κ γ²), κ = (1 − r / 2)^2K, far above the data's variance."""
    schedule = Geometric(41, 100.0, 100.0 * 1.15**40)
    sampler = AnnealedLangevin(each=each, rate=rate, denoise=False)
    generator = torch.Generator().manual_seed(0)
    x_T = schedule.prior_sigma * torch.randn(20_000, 1, generator=generator)
    x = sampler(gaussian(schedule), x_T, generator)
    kappa = (1 - rate / 2) ** (2 * each)
    settled = (1 - kappa) / (1 - rate / 4) / (1 - kappa * 1.15**2)
    assert float(x.var()) / 100**2 == pytest.approx(settled, rel=0.05)
