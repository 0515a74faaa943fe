import pytest
import torch

from diffstn.diffusion.processes import Gaussian
from diffstn.diffusion.schedules import Cosine, Linear


@pytest.mark.parametrize("shape", [(3, 6), (3, 16, 2), (3, 1, 8, 8)])
def test_it_mixes_data_and_noise_as_the_schedule_says(shape):
    schedule, t = Linear(), torch.tensor([1, 500, 1000])
    x_0, noise = torch.randn(2, *shape)
    alpha, sigma = (f(t).view(3, *[1] * (len(shape) - 1)) for f in (schedule.alpha, schedule.sigma))
    x_t = Gaussian(schedule).corrupt(x_0, t, noise)
    torch.testing.assert_close(x_t, alpha * x_0 + sigma * noise)
    assert torch.equal(x_t, schedule.add_noise(x_0, t, noise))


def test_at_time_zero_the_data_are_as_they_were():
    x_0, noise = torch.randn(2, 4, 6)
    assert torch.equal(Gaussian(Cosine()).corrupt(x_0, torch.zeros(4).long(), noise), x_0)


def test_the_prior_is_standard_normal_and_repeats_with_its_generator():
    process = Gaussian(Cosine(100))
    x_T, again = (process.prior((40_000, 2), torch.Generator().manual_seed(0)) for _ in range(2))
    assert torch.equal(x_T, again)
    assert torch.equal(x_T, torch.randn(40_000, 2, generator=torch.Generator().manual_seed(0)))
    assert abs(float(x_T.mean())) < 4 / 80_000**0.5
    assert float(x_T.std()) == pytest.approx(1, abs=4 / 160_000**0.5)


def test_data_end_in_the_prior():
    """At T so little is left of x_0 that N(0, I) stands for it."""
    process, generator = Gaussian(Linear()), torch.Generator().manual_seed(0)
    x_0 = torch.full((40_000, 1), 2.0)
    t = torch.full((40_000,), process.steps)
    x_T = process.corrupt(x_0, t, process.prior((40_000, 1), generator))
    assert float(x_T.mean()) == pytest.approx(2 * 4.036e-5**0.5, abs=4 / 40_000**0.5)
    assert float(x_T.std()) == pytest.approx(1, abs=4 / 80_000**0.5)


def test_it_moves_with_a_model_and_leaves_no_trace_in_its_state():
    process = Gaussian(Linear(30))
    assert process.steps == 30
    assert not process.state_dict()
    assert process.to("meta").schedule.log_alpha_bar.device.type == "meta"
