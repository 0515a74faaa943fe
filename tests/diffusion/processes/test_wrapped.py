"""The angle against the wrapped normal distribution, written as a sum over whole turns."""

import math

import pytest
import torch
from torch import nn

from diffstn.diffusion import Denoiser, Wrapped, score
from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.processes.wrapped import wrap
from diffstn.diffusion.samplers import DDIM, Ancestral, DPMSolver
from diffstn.diffusion.schedules import Cosine, Geometric

SCHEDULE = Geometric(200, 0.02, 8.0)
ANGLES, WEIGHTS = torch.tensor([0.5, 3.0]), torch.tensor([0.7, 0.3])
TURNS = 2 * math.pi * torch.arange(-12, 13)


def densities(phi, sigma):
    """Of the wrapped normal around both angles, by whole turns: (*, 2, turns)."""
    off = (phi[..., None, None] - ANGLES[:, None] - TURNS) / sigma[..., None, None]
    return WEIGHTS[:, None] * (-off.square() / 2).exp() / sigma[..., None, None], off


class TwoAngles(nn.Module):
    """E[ε | x_t] for an angle that is one of two, and a normal number beside it."""

    def forward(self, x_t, t):
        alpha = broadcast(SCHEDULE.unit(t)[0], x_t)
        sigma = SCHEDULE.sigma(t)
        weight, off = densities((x_t / alpha)[..., 0], sigma)
        angle = (weight * off).sum((-1, -2)) / weight.sum((-1, -2))
        number = sigma / (1 + sigma**2) * (x_t / alpha)[..., 1]
        return torch.stack([angle, number], dim=-1)


def walked(sampler, n=5_000):
    process = Wrapped(SCHEDULE)
    generator = torch.Generator().manual_seed(0)
    x_T = process.prior(torch.randn(n, 2, generator=generator))
    return sampler(Denoiser(TwoAngles(), process), x_T, generator)


def test_the_prior_is_uniform_on_the_circle():
    z = torch.randn(40_000, 3, generator=torch.Generator().manual_seed(0))
    x_T = Wrapped(SCHEDULE).prior(z)
    counts = torch.histc(x_T[:, 0], 8, -math.pi, math.pi)
    assert (counts - 5000).abs().max() < 4 * 5000**0.5
    torch.testing.assert_close(x_T[:, 1:], 8 * z[:, 1:])


def test_data_end_uniform_whatever_they_were():
    process = Wrapped(SCHEDULE)
    z = torch.randn(40_000, 2, generator=torch.Generator().manual_seed(0))
    t = torch.full((40_000,), SCHEDULE.steps)
    x_T = process.corrupt(torch.full((40_000, 2), 0.5), t, process.noise(z))
    counts = torch.histc(x_T[:, 0], 8, -math.pi, math.pi)
    assert counts.sum() == 40_000
    assert (counts - 5000).abs().max() < 4 * 5000**0.5
    early = torch.full((40_000,), 50)
    x_t = process.corrupt(torch.full((40_000, 2), 3.1), early, z)
    torch.testing.assert_close(x_t[:, 0], wrap(3.1 + SCHEDULE.sigma(early) * z[:, 0]))


@pytest.mark.parametrize(
    "sampler",
    [DDIM(steps=100), DPMSolver(steps=60), Ancestral(steps=None)],
    ids=lambda s: type(s).__name__,
)
def test_every_way_back_ends_in_the_angles(sampler):
    x_0 = walked(sampler)
    angle = wrap(x_0[:, :1])
    off = wrap(angle - ANGLES)
    assert (off.abs().min(dim=1).values < 0.1).float().mean() > 0.99
    heavy = (off[:, 0].abs() < off[:, 1].abs()).float().mean()
    assert float(heavy) == pytest.approx(0.7, abs=0.03)
    assert float(x_0[:, 1].std()) == pytest.approx(1, abs=0.05)


def test_the_score_is_that_of_the_wrapped_density():
    phi = torch.linspace(-3, 3, 13, dtype=torch.float64, requires_grad=True)
    t = torch.full((13,), 125)
    weight, _ = densities(phi, SCHEDULE.sigma(t).double())
    (expected,) = torch.autograd.grad(weight.sum((-1, -2)).log().sum(), phi)
    x_t = torch.stack([phi.detach().float(), torch.zeros(13)], dim=-1)
    found = score(Denoiser(TwoAngles(), Wrapped(SCHEDULE)), x_t, t)[:, 0]
    torch.testing.assert_close(found, expected.float(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("schedule", [Geometric(10, 0.1, 2.0), Cosine()])
def test_noise_that_does_not_go_round_or_too_often_is_refused(schedule):
    with pytest.raises(ValueError, match=r"round the circle.*schedule.sigma_max=8"):
        Wrapped(schedule)
