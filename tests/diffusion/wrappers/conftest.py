"""Two classes of normal data, whose denoiser and classifier are known in closed form."""

import pytest
import torch
from torch import Tensor, nn

from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.processes import Gaussian
from diffstn.diffusion.schedules import Cosine, Schedule

MEANS, SPREAD = torch.tensor([-1.0, 1.0]), 0.5


class TwoClasses(nn.Module):
    """E[x_0 | x_t, c] for x_0 | c ~ N(m_c, s²), and for c unknown, each as likely."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        alpha, sigma = (broadcast(f(t), x_t) for f in (self.schedule.alpha, self.schedule.sigma))
        variance = alpha.square() * SPREAD**2 + sigma.square()
        each = MEANS + alpha * SPREAD**2 / variance * (x_t - alpha * MEANS)
        if label is not None:
            return each.gather(1, label[:, None])
        share = (-(x_t - alpha * MEANS).square() / (2 * variance)).softmax(1)
        return (share * each).sum(1, keepdim=True)


class Opinion:
    """log p(c | x_t), exactly."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = self.schedule.alpha(t)[:, None], self.schedule.sigma(t)[:, None]
        variance = alpha.square() * SPREAD**2 + sigma.square()
        return (-(x_t - alpha * MEANS).square() / (2 * variance)).log_softmax(1)


@pytest.fixture
def opinion(denoiser: Denoiser) -> Opinion:
    return Opinion(denoiser.schedule)


@pytest.fixture
def denoiser() -> Denoiser:
    schedule = Cosine(200)
    return Denoiser(TwoClasses(schedule), Gaussian(schedule), "x0")
