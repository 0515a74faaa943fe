"""Which ways back are right for which noise: one number that is 1 or −1, with E[x_0 | x_t] exact.

    x_t = α x_0 + σ ε,    E[x_0 | x_t] = Σ x_0 w(x_0) f((x_t − α x_0) / σ) / Σ w(x_0) f(…)

f is the density of ε. Unequal weights, 0.7 and 0.3, show whether a walk keeps the marginals.
"""

import math
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from diffstn.diffusion import Denoiser, Noised
from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.noises import NOISES
from diffstn.diffusion.samplers import (
    DDIM,
    DEIS,
    Ancestral,
    AnnealedLangevin,
    DPMSolver,
    Langevin,
    Sampler,
)
from diffstn.diffusion.schedules import Cosine, Geometric
from diffstn.diffusion.spacing import SPACINGS

HEAVY = 0.7
DENSITIES = {
    "gaussian": lambda e: (-e.square() / 2).exp() / math.sqrt(2 * math.pi),
    "uniform": lambda e: (e.abs() <= 3**0.5) / 12**0.5,
    "laplace": lambda e: (-(2**0.5) * e.abs()).exp() / 2**0.5,
}


class TwoPoints(nn.Module):
    """E[x_0 | x_t], x_0 = 1 with probability 0.7 and −1 otherwise."""

    def __init__(self, schedule, kind):
        super().__init__()
        self.schedule, self.density = schedule, DENSITIES[kind]

    def forward(self, x_t, t):
        alpha, sigma = (broadcast(f(t), x_t) for f in (self.schedule.alpha, self.schedule.sigma))
        up = HEAVY * self.density((x_t - alpha) / sigma)
        down = (1 - HEAVY) * self.density((x_t + alpha) / sigma)
        # where neither is possible, the nearer one
        return torch.where(up + down > 0, (up - down) / (up + down), x_t.sign())


@dataclass(frozen=True, kw_only=True)
class Renewed(Sampler):
    """x_s = α_s x̂_0 + σ_s ε with fresh ε of the process's own kind: resampling as cold diffusion's
    first algorithm does it.
    """

    def timesteps(self, clock):
        return SPACINGS[self.spacing](clock, self.steps)

    def step(self, jump):
        alpha, sigma = (
            broadcast(f(jump.s), jump.x_t) for f in (jump.schedule.alpha, jump.schedule.sigma)
        )
        return alpha * jump.denoised.x_0 + sigma * jump.process.noise(jump.noise)


@dataclass(frozen=True, kw_only=True)
class Unchecked(Ancestral):
    """Ancestral sampling where it is refused."""

    def timesteps(self, clock):
        return SPACINGS[self.spacing](clock, self.steps)


def walked(sampler, kind, n=10_000):
    process = Noised(Cosine(200), kind)
    denoiser = Denoiser(TwoPoints(process.schedule, kind), process, "x0")
    generator = torch.Generator().manual_seed(0)
    x_T = process.prior(torch.randn(n, 1, generator=generator))
    return process, list(sampler.trajectory(denoiser, x_T, generator))


def share(x):
    return float((x > 0).float().mean())


def apart(process, t, x_t):
    """Kolmogorov-Smirnov distance of x_t from q(x_t), sampled."""
    generator = torch.Generator().manual_seed(1)
    x_0 = torch.where(torch.rand(x_t.shape, generator=generator) < HEAVY, 1.0, -1.0)
    noise = process.noise(torch.randn(x_t.shape, generator=generator))
    true = process.corrupt(x_0, torch.full(x_t.shape[:1], t), noise)
    both = torch.cat([x_t, true]).flatten()
    order = both.argsort()
    sign = torch.cat([torch.ones(len(x_t)), -torch.ones(len(true))])[order]
    # ties, of which a wall of the uniform density has many, count once they are over
    over = torch.cat([both[order].diff() > 1e-3, torch.tensor([True])])
    return float((sign.cumsum(0) / len(x_t))[over].abs().max())


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize(
    "sampler",
    [
        DDIM(steps=200),
        DPMSolver(steps=100, spacing="trailing"),
        DEIS(steps=100, spacing="trailing"),
    ],
    ids=lambda s: type(s).__name__,
)
def test_the_flow_keeps_the_marginals_of_every_noise(kind, sampler):
    process, walk = walked(sampler, kind)
    assert share(walk[-1][1]) == pytest.approx(HEAVY, abs=0.02)
    for t, x_t, _ in walk[len(walk) // 4 : -len(walk) // 5 : len(walk) // 5]:
        assert apart(process, t, x_t) < 0.04


def test_ancestral_steps_keep_them_for_gaussian_noise_alone():
    found = {}
    for kind in NOISES:
        process, walk = walked(Unchecked(steps=100), kind)
        found[kind] = max(apart(process, t, x_t) for t, x_t, _ in walk[20:88:12])
    assert found["gaussian"] < 0.02
    assert found["uniform"] > 0.04
    assert found["laplace"] > 0.04


@pytest.mark.parametrize("kind", NOISES)
def test_renewing_the_noise_keeps_them_for_none(kind):
    """x̂_0 is a mean, less spread than the data, and all noise is drawn anew around it."""
    process, walk = walked(Renewed(steps=100), kind)
    assert max(apart(process, t, x_t) for t, x_t, _ in walk[20:88:12]) > 0.04


@pytest.mark.parametrize("kind", ["uniform", "laplace"])
def test_samplers_that_draw_gaussian_noise_are_refused(kind):
    process = Noised(Geometric(20, 0.1, 2.0), kind)
    denoiser = Denoiser(TwoPoints(process.schedule, kind), process, "x0")
    drawing = [Ancestral(), Langevin(), AnnealedLangevin(), DDIM(eta=0.1), DPMSolver(eta=1)]
    for sampler in drawing:
        with pytest.raises(ValueError, match=r"draws Gaussian noise.*sampler.eta=0"):
            sampler(denoiser, torch.zeros(1, 1))
    for sampler in (DDIM(steps=5), DPMSolver(steps=5), DEIS(steps=5)):
        assert sampler(denoiser, torch.zeros(1, 1)).shape == (1, 1)


@pytest.mark.parametrize("kind", NOISES)
def test_noise_and_prior_are_of_the_kind(kind):
    z = torch.randn(100, 2)
    process = Noised(Geometric(10, 1.0, 7.0), kind)
    assert process.gaussian == (kind == "gaussian")
    torch.testing.assert_close(process.noise(z), NOISES[kind](z))
    torch.testing.assert_close(process.prior(z), 7 * NOISES[kind](z))


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="choose one of gaussian, uniform, laplace"):
        Noised(Cosine(), "cauchy")
