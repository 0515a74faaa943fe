from itertools import repeat

import pytest
import torch
from torch import nn

from diffstn.diffusion.denoiser import Denoised, Denoiser
from diffstn.diffusion.processes import Gaussian
from diffstn.diffusion.samplers import DDIM, DEIS, Ancestral
from diffstn.diffusion.schedules import Cosine, Linear
from diffstn.diffusion.variance import FixedSmall
from diffstn.diffusion.wrappers import Wrapper


class Recorder(nn.Module):
    """Returns a constant in a low precision, and remembers what it was called with."""

    def forward(self, x_t, t, **condition):
        self.called = (x_t, t, condition)
        return torch.full_like(x_t, 0.5, dtype=torch.bfloat16)


@pytest.mark.parametrize("prediction", ["eps", "x0", "v"])
@pytest.mark.parametrize("shape", [(3, 6), (3, 16, 2), (3, 1, 8, 8), (3, 2, 7, 5)])
def test_the_estimates_account_for_x_t(prediction, shape):
    schedule = Linear()
    denoiser = Denoiser(Recorder(), Gaussian(schedule), prediction)
    x_t, t = torch.randn(shape), torch.tensor([1, 500, 1000])
    denoised = denoiser(x_t, t)
    assert denoised.x_0.dtype == denoised.eps.dtype == torch.float32
    torch.testing.assert_close(schedule.add_noise(denoised.x_0, t, denoised.eps), x_t)
    torch.broadcast_shapes(denoised.log_variance.shape, x_t.shape)


def test_several_timesteps_per_sample():
    denoiser = Denoiser(Recorder(), Gaussian(Linear()), "v")
    x_t, t = torch.randn(3, 4, 6), torch.randint(1, 1001, (3, 4))
    rows = denoiser(x_t.flatten(0, 1), t.flatten())
    together = denoiser(x_t, t)
    torch.testing.assert_close(together.x_0.flatten(0, 1), rows.x_0)
    torch.testing.assert_close(together.log_variance.flatten(0, 1), rows.log_variance)


def test_conditions_reach_the_network_and_the_next_timestep_does_not():
    network, label = Recorder(), torch.tensor([3, 4])
    denoiser = Denoiser(network, Gaussian(Cosine(100)))
    x_t, t = torch.randn(2, 6), torch.tensor([50, 50])
    near = denoiser(x_t, t, label=label)
    far = denoiser(x_t, t, s=torch.tensor([10, 10]), label=label)
    assert network.called[2].keys() == {"label"}
    assert network.called[2]["label"] is label
    assert torch.equal(near.x_0, far.x_0)
    for denoised, s in ((near, t - 1), (far, torch.tensor([10, 10]))):
        expected = denoiser.schedule.beta_tilde(t, s).log()
        torch.testing.assert_close(denoised.log_variance.flatten(), expected)


def test_a_wrapper_is_a_denoiser_and_wrappers_nest(gaussian):
    class Twice(Wrapper):
        """ε̂ ← 2 ε̂, x̂_0 ← 2 x̂_0: a wrapper that knows nothing of the sampler's business."""

        def __call__(self, x_t, t, **condition):
            x_0, eps, spread = self.denoiser(x_t, t, **condition)
            return Denoised(2 * x_0, 2 * eps, spread)

    denoiser = gaussian(Cosine(20))
    x_T = torch.randn(4, 6)
    for sampler in (Ancestral(steps=1), DDIM(steps=1)):
        guided = sampler(Twice(Twice(denoiser)), x_T)
        torch.testing.assert_close(guided, 4 * sampler(denoiser, x_T))


class Seer(nn.Module):
    """x_t + t label, of which the second term is known before the walk."""

    asked = 0

    def ahead(self, t, label):
        self.asked += 1
        return (t * label)[..., None]

    def forward(self, x_t, t, label, ahead=None):
        return x_t + (self.ahead(t, label) if ahead is None else ahead)


def test_what_depends_on_time_and_condition_alone_is_found_once_a_walk(monkeypatch):
    network, label, x_T = Seer(), torch.tensor([0.01, 0.02, -0.01]), torch.randn(3, 6)
    denoiser = Denoiser(network, Gaussian(Cosine(100)), "v")
    foreseen = DDIM(steps=7)(denoiser, x_T, label=label)
    assert network.asked == 1
    monkeypatch.setattr("diffstn.diffusion.denoiser.FORESEEN", 6)
    assert torch.equal(DDIM(steps=7)(denoiser, x_T, label=label), foreseen)
    assert network.asked == 1 + 4  # two steps of three labels at once
    denoiser.foreseen = lambda t, condition: repeat(condition)
    torch.testing.assert_close(DDIM(steps=7)(denoiser, x_T, label=label), foreseen)
    assert network.asked == 5 + 7


def test_only_a_sampler_that_draws_by_it_asks_for_the_variance():
    class Counted(FixedSmall):
        asked = 0

        def log_variance(self, *told):
            Counted.asked += 1
            return super().log_variance(*told)

    denoiser = Denoiser(nn.Linear(6, 6), Gaussian(Cosine(100)), variance=Counted())
    denoiser.network.forward = lambda x_t, t: x_t
    for sampler, times in ((DEIS(steps=5), 0), (Ancestral(steps=5), 5)):
        sampler(denoiser, torch.randn(2, 6))
        assert Counted.asked == times


def test_the_process_leaves_no_trace_in_the_state():
    assert Denoiser(nn.Linear(2, 2), Gaussian(Linear())).state_dict().keys() == {
        "network.weight",
        "network.bias",
    }


def test_the_schedule_is_that_of_the_process():
    process = Gaussian(Linear(30))
    denoiser = Denoiser(nn.Identity(), process)
    assert denoiser.process is process
    assert denoiser.schedule is process.schedule


@pytest.mark.parametrize("argument", ["prediction", "variance"])
def test_unknown_names_are_refused_with_the_choices(argument):
    with pytest.raises(ValueError, match=rf"unknown {argument} 'noise'; choose one of \w+, "):
        Denoiser(nn.Identity(), Gaussian(Linear()), **{argument: "noise"})
