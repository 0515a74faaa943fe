import copy

import pytest
import torch

from diffstn.diffusion.schedules import Constant, Cosine, Linear, Quadratic, Schedule, Sigmoid

SCHEDULES = [Linear(), Quadratic(), Sigmoid(), Cosine(), Constant()]
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)


def times(schedule):
    return torch.arange(1, schedule.steps + 1)


@every_schedule
def test_single_steps_chain_to_the_marginal(schedule):
    """Mean and variance of x_t | x_0 = 1 by x_t = √(1−β_t) x_{t−1} + √β_t ε, in float64."""
    mean, variance = 1.0, 0.0
    for t in times(schedule):
        beta = schedule.beta(t).double().item()
        mean, variance = mean * (1 - beta) ** 0.5, variance * (1 - beta) + beta
        assert schedule.alpha(t).item() == pytest.approx(mean, rel=2e-3, abs=1e-7)
        assert schedule.sigma(t).item() == pytest.approx(variance**0.5, rel=1e-5)


def test_float32_tables_agree_with_float64():
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    alpha_bar = (1 - betas).cumprod(0)
    before = torch.cat([alpha_bar.new_ones(1), alpha_bar[:-1]])
    schedule, t = Schedule(betas), torch.arange(1, 1001)
    exact = {
        "beta": betas,
        "alpha_bar": alpha_bar,
        "alpha": alpha_bar.sqrt(),
        "sigma": (1 - alpha_bar).sqrt(),
        "beta_tilde": betas * (1 - before) / (1 - alpha_bar),
        "log_snr": (alpha_bar / (1 - alpha_bar)).log(),
    }
    for name, values in exact.items():
        table = getattr(schedule, name)(t)
        assert table.dtype == torch.float32
        torch.testing.assert_close(table.double(), values, rtol=6e-5, atol=1e-6)


@every_schedule
def test_time_zero_is_clean_data(schedule):
    zero = torch.tensor([0])
    assert schedule.alpha(zero) == schedule.alpha_bar(zero) == 1
    assert schedule.sigma(zero) == 0
    assert schedule.log_snr(zero) == torch.inf
    assert schedule.beta_tilde(torch.tensor([1])) == 0


@every_schedule
def test_log_snr_falls_strictly(schedule):
    log_snr = schedule.log_snr(times(schedule))
    assert log_snr.isfinite().all()
    assert (log_snr.diff() < 0).all()


@every_schedule
def test_posterior_is_bayes_rule(schedule):
    """q(x_s | x_t, x_0) ∝ q(x_t | x_s) q(x_s | x_0), by adding precisions, in float64."""
    t = torch.tensor([schedule.steps, schedule.steps // 2, 9, 2])
    for s in (t - 1, (t / 3).ceil().long()):
        x_0, x_t = torch.randn(2, 4, 6, dtype=torch.float64)
        bar = torch.cat(
            [torch.ones(1).double(), (1 - schedule.beta(times(schedule)).double()).cumprod(0)]
        )
        ratio, prior = (bar[t] / bar[s])[:, None], (1 - bar[s])[:, None]
        precision = ratio / (1 - ratio) + 1 / prior
        mean = (ratio.sqrt() * x_t / (1 - ratio) + bar[s][:, None].sqrt() * x_0 / prior) / precision
        found, variance = schedule.posterior(x_0, x_t, t, s)
        torch.testing.assert_close(found, mean, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(variance.double(), 1 / precision, rtol=2e-3, atol=1e-7)


def test_posterior_at_zero_is_the_data():
    schedule, x_0 = Cosine(), torch.randn(3, 2, 4, 4)
    t = torch.tensor([1, 300, 1000])
    mean, variance = schedule.posterior(x_0, torch.randn_like(x_0), t, torch.zeros_like(t))
    torch.testing.assert_close(mean, x_0)
    assert variance.shape == (3, 1, 1, 1)
    assert not variance.any()


def test_jumps_compose():
    """ᾱ_t/ᾱ_s · ᾱ_s/ᾱ_r = ᾱ_t/ᾱ_r, and a jump of one timestep is β_t."""
    schedule = Linear()
    t, s, r = torch.tensor([900]), torch.tensor([400]), torch.tensor([3])
    kept = (1 - schedule.beta(t, s)) * (1 - schedule.beta(s, r))
    torch.testing.assert_close(1 - schedule.beta(t, r), kept)
    assert torch.equal(schedule.beta(t, t - 1), schedule.beta(t))


@pytest.mark.parametrize("shape", [(2,), (2, 6), (2, 16, 2), (2, 3, 8, 8)])
def test_add_noise_takes_any_shape(shape):
    schedule, t = Linear(), torch.tensor([10, 700])
    x_0, eps = torch.randn(2, *shape)
    x_t = schedule.add_noise(x_0, t, eps)
    for i in range(2):
        expected = schedule.alpha(t[i]) * x_0[i] + schedule.sigma(t[i]) * eps[i]
        torch.testing.assert_close(x_t[i], expected)


def test_add_noise_with_several_timesteps_per_sample():
    schedule, t = Linear(), torch.randint(0, 1001, (3, 4))
    x_0, eps = torch.randn(3, 1, 6), torch.randn(3, 4, 6)
    x_t = schedule.add_noise(x_0.expand(3, 4, 6), t, eps)
    assert x_t.shape == (3, 4, 6)
    assert torch.equal(x_t[:, 2], schedule.add_noise(x_0[:, 0], t[:, 2], eps[:, 2]))


def test_it_survives_underflow_and_zero_signal():
    long, ending = Constant(1000), Cosine(100, max_beta=1.0)
    for schedule in (long, ending):
        t = times(schedule)
        mean, variance = schedule.posterior(torch.ones(len(t), 1), torch.ones(len(t), 1), t)
        assert mean.isfinite().all()
        assert variance.isfinite().all()
    torch.testing.assert_close(long.beta(times(long)), torch.full((1000,), 0.25), rtol=1e-4, atol=0)
    last = torch.tensor(100)
    assert ending.alpha(last) < 1e-15
    assert ending.sigma(last) == 1


def test_it_stays_in_float32_and_out_of_checkpoints():
    reference = Linear()
    table = copy.deepcopy(reference).bfloat16().half().double().log_alpha_bar
    assert table.dtype == torch.float32
    assert torch.equal(table, reference.log_alpha_bar)
    assert not reference.state_dict()


@pytest.mark.parametrize("betas", [[0.1, 0.0], [0.1, 1.1], [1.0, 0.1], [0.1, float("nan")]])
def test_betas_out_of_range_are_refused(betas):
    with pytest.raises(ValueError, match="every beta must lie in"):
        Schedule(torch.tensor(betas))


@pytest.mark.parametrize("shape", [(1,), (2, 2)])
def test_too_few_timesteps_are_refused(shape):
    with pytest.raises(ValueError, match="two timesteps or more"):
        Schedule(torch.full(shape, 0.1))
