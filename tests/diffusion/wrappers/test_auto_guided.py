import pytest
import torch
from torch import Tensor, nn

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.processes import Gaussian
from diffstn.diffusion.samplers import DDIM
from diffstn.diffusion.schedules import Cosine, Schedule
from diffstn.diffusion.wrappers import AutoGuided


class Normal(nn.Module):
    """E[x_0 | x_t] for x_0 ~ N(0, s²)."""

    def __init__(self, schedule: Schedule, spread: float) -> None:
        super().__init__()
        self.schedule, self.spread = schedule, spread

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        alpha, sigma = (broadcast(f(t), x_t) for f in (self.schedule.alpha, self.schedule.sigma))
        variance = alpha.square() * self.spread**2 + sigma.square()
        return alpha * self.spread**2 / variance * x_t


def normal(spread: float) -> Denoiser:
    schedule = Cosine(200)
    return Denoiser(Normal(schedule, spread), Gaussian(schedule), "x0")


def test_what_it_adds_is_the_gradient_of_the_ratio_of_the_two_densities():
    strong, weak, w = normal(1.0), normal(1.5), 0.7
    schedule = strong.schedule
    x_t, t = torch.randn(40, 1, requires_grad=True), torch.full((40,), 90)
    alpha, sigma = schedule.alpha(t)[:, None], schedule.sigma(t)[:, None]

    def log_density(spread: float) -> Tensor:
        return -x_t.square() / (2 * (alpha.square() * spread**2 + sigma.square()))

    [gradient] = torch.autograd.grad((log_density(1.0) - log_density(1.5)).sum(), x_t)
    led = AutoGuided(strong, weak, w)(x_t, t)
    torch.testing.assert_close(led.eps, strong(x_t, t).eps - w * sigma * gradient)
    torch.testing.assert_close(alpha * led.x_0 + sigma * led.eps, x_t)  # both account for x_t


def test_samples_stay_where_the_stronger_sees_more_data_than_the_weaker():
    """Both know a normal density, the weaker one half as wide again; the led one is narrower."""
    x_T = torch.randn(4000, 1, generator=torch.Generator().manual_seed(0))
    strong, weak = normal(1.0), normal(1.5)
    spreads = [
        float(DDIM(steps=50)(AutoGuided(strong, weak, w), x_T).std()) for w in (0.0, 0.5, 1.0)
    ]
    assert spreads[0] == pytest.approx(1.0, abs=0.05)
    assert spreads[0] > spreads[1] + 0.1 > spreads[2] + 0.15


def test_the_weaker_is_told_the_label_only_if_it_hears_one(denoiser: Denoiser):
    x_t, t, label = torch.randn(4, 1), torch.full((4,), 60), torch.tensor([0, 1, 1, 0])
    told, free = denoiser(x_t, t, label=label), denoiser(x_t, t)
    hears = AutoGuided(denoiser, denoiser, 2.0, heard=True)(x_t, t, label=label)
    torch.testing.assert_close(hears.eps, told.eps, atol=1e-5, rtol=1e-5)
    deaf = AutoGuided(denoiser, denoiser, 2.0)(x_t, t, label=label)
    torch.testing.assert_close(deaf.eps, 3 * told.eps - 2 * free.eps)


def test_a_scale_of_zero_changes_nothing(denoiser: Denoiser):
    x_t, t = torch.randn(4, 1), torch.full((4,), 9)
    assert torch.equal(AutoGuided(denoiser, normal(2.0), 0.0)(x_t, t).x_0, denoiser(x_t, t).x_0)
