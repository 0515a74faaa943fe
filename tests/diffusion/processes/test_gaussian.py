import pytest
import torch

from diffstn.diffusion.processes import Gaussian
from diffstn.diffusion.schedules import Cosine, Geometric, Linear


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


def test_the_prior_and_the_noise_are_what_they_are_made_of():
    z = torch.randn(8, 2)
    assert Gaussian(Cosine(100)).prior(z) is z
    assert Gaussian(Cosine(100)).noise(z) is z
    torch.testing.assert_close(Gaussian(Geometric(10, 1.0, 7.0)).prior(z), 7 * z)


def test_data_end_in_the_prior():
    """At T so little is left of x_0 that N(0, I) stands for it."""
    process, generator = Gaussian(Linear()), torch.Generator().manual_seed(0)
    x_0 = torch.full((40_000, 1), 2.0)
    t = torch.full((40_000,), process.steps)
    z = torch.randn(40_000, 1, generator=generator)
    x_T = process.corrupt(x_0, t, process.noise(z))
    assert float(x_T.mean()) == pytest.approx(2 * 4.036e-5**0.5, abs=4 / 40_000**0.5)
    assert float(x_T.std()) == pytest.approx(1, abs=4 / 80_000**0.5)


def test_it_moves_with_a_model_and_leaves_no_trace_in_its_state():
    process = Gaussian(Linear(30))
    assert process.steps == 30
    assert not process.state_dict()
    assert process.to("meta").schedule.log_alpha_bar.device.type == "meta"
