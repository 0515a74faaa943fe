"""The score read from a denoiser, against the closed form of normal data."""

import pytest
import torch

from diffstn.diffusion import Denoiser, Gaussian, score
from diffstn.diffusion.broadcast import broadcast
from diffstn.diffusion.closed_form import GaussianDiffusion
from diffstn.diffusion.prediction import PREDICTIONS
from diffstn.diffusion.schedules import Cosine, Geometric
from tests.diffusion.conftest import MEAN, VARIANCE, Posterior


class Perfect(Posterior):
    """The perfect network for normal data, in the space of any prediction."""

    def __init__(self, schedule, prediction):
        super().__init__(schedule)
        self.target = PREDICTIONS[prediction].target

    def forward(self, x_t, t):
        alpha, sigma = (broadcast(factor, x_t) for factor in self.schedule.unit(t))
        x_0 = super().forward(x_t, t)
        return self.target(x_0, (x_t - alpha * x_0) / sigma, alpha, sigma)


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize(
    "schedule", [Cosine(100), Geometric(100, 0.05, 20.0)], ids=["preserving", "exploding"]
)
def test_the_score_of_normal_data(schedule, prediction):
    diffusion = GaussianDiffusion(schedule, MEAN, VARIANCE)
    denoiser = Denoiser(Perfect(schedule, prediction), Gaussian(schedule), prediction)
    x = torch.linspace(-3, 4, 15)
    for t in (1, 5, 30, 70, 95):
        x_t = x * max(1.0, float(schedule.sigma(torch.tensor(t))))
        found = score(denoiser, x_t[:, None], torch.full((15,), t))[:, 0]
        expected = diffusion.score(x_t.double(), t).float()
        torch.testing.assert_close(found, expected, rtol=2e-3, atol=2e-3)


def test_the_closed_form_is_the_gradient_of_the_log_density():
    diffusion = GaussianDiffusion(Cosine(50), 1.5, 0.25)
    x = torch.linspace(-2, 3, 9, dtype=torch.float64, requires_grad=True)
    mean, variance = diffusion.marginal(20)
    density = torch.distributions.Normal(mean, variance**0.5)
    (gradient,) = torch.autograd.grad(density.log_prob(x).sum(), x)
    torch.testing.assert_close(diffusion.score(x, 20), gradient)


def test_conditions_reach_the_denoiser():
    seen = {}

    def network(x_t, t, label):
        seen["label"] = label
        return x_t

    denoiser = Denoiser(network, Gaussian(Cosine(10)))
    score(denoiser, torch.randn(3, 2), torch.full((3,), 4), label=torch.arange(3))
    assert seen["label"].tolist() == [0, 1, 2]
