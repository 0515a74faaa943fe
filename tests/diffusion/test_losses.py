import pytest
import torch
from torch import nn

from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.likelihood import likelihood_bound
from diffstn.diffusion.losses import HybridLoss, SimpleLoss, VariationalLoss
from diffstn.diffusion.processes import Gaussian
from diffstn.diffusion.schedules import Cosine, Linear


class Constant(nn.Module):
    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(0.3))

    def forward(self, x_t, t):
        return self.value.expand_as(x_t)


@pytest.mark.parametrize("prediction", ["eps", "x0", "v"])
@pytest.mark.parametrize("shape", [(4, 6), (4, 16, 2), (4, 3, 8, 8)])
def test_it_is_the_error_of_the_networks_own_output(prediction, shape):
    schedule = Cosine()
    denoiser = Denoiser(Constant(), Gaussian(schedule), prediction)
    x_0, eps = torch.randn(2, *shape)
    t = torch.tensor([1, 20, 500, 900])
    alpha, sigma = (
        f(t).view(-1, *[1] * (len(shape) - 1)) for f in (schedule.alpha, schedule.sigma)
    )
    wanted = {"eps": eps, "x0": x_0, "v": alpha * eps - sigma * x_0}[prediction]
    loss = SimpleLoss()(denoiser, x_0, t, eps)
    assert loss.shape == (4,)
    torch.testing.assert_close(loss, (0.3 - wanted).square().flatten(1).mean(1))


def test_one_loss_for_each_of_several_timesteps():
    denoiser = Denoiser(Constant(), Gaussian(Cosine()), "v")
    x_0, eps, t = torch.randn(4, 1, 6), torch.randn(4, 5, 6), torch.randint(1, 1001, (4, 5))
    x_0 = x_0.expand(4, 5, 6)
    rows = SimpleLoss()(denoiser, x_0.flatten(0, 1), t.flatten(), eps.flatten(0, 1))
    torch.testing.assert_close(SimpleLoss()(denoiser, x_0, t, eps), rows.view(4, 5))


def test_the_network_receives_gradients():
    denoiser = Denoiser(Constant(), Gaussian(Cosine()), "v")
    x_0, eps = torch.zeros(2, 8, 6)
    SimpleLoss()(denoiser, x_0, torch.arange(1, 9), eps).mean().backward()
    torch.testing.assert_close(denoiser.network.value.grad, torch.tensor(0.6))


def test_the_perfect_network_reaches_the_posterior_variance(gaussian):
    """E‖x_0 − E[x_0|x_t]‖² = p σ² / (α² p + σ²)."""
    schedule = Cosine(50)
    generator = torch.Generator().manual_seed(0)
    t = torch.tensor([5, 25, 45]).repeat_interleave(40_000)
    x_0 = 1.5 + 0.5 * torch.randn(len(t), 1, generator=generator)
    eps = torch.randn(len(t), 1, generator=generator)
    loss = SimpleLoss()(gaussian(schedule), x_0, t, eps).view(3, -1).mean(1)
    alpha, sigma = schedule.alpha(t[::40_000]), schedule.sigma(t[::40_000])
    expected = 0.25 * sigma**2 / (0.25 * alpha**2 + sigma**2)
    torch.testing.assert_close(loss, expected, rtol=0.03, atol=0)  # 4 standard errors: √(2/n)


class Both(nn.Module):
    """A mean and a variance, two parameters."""

    def __init__(self):
        super().__init__()
        self.mean, self.v = (nn.Parameter(torch.tensor(x)) for x in (0.1, 0.2))

    def forward(self, x_t, t):
        return torch.cat([self.mean.expand_as(x_t), self.v.expand_as(x_t)], dim=1)


def gradients(loss, t):
    network = Both()
    denoiser = Denoiser(network, Gaussian(Linear(100)), "eps", "learned_range")
    generator = torch.Generator().manual_seed(0)
    x_0 = torch.rand(len(t), 3, generator=generator) * 2 - 1
    eps = torch.randn(len(t), 3, generator=generator)
    loss(denoiser, x_0, t, eps).mean().backward()
    return [p.grad if p.grad is not None else torch.tensor(0.0) for p in network.parameters()]


def test_the_hybrid_loss_teaches_the_mean_as_the_simple_one_and_the_variance_as_the_bound():
    t = torch.tensor([1, 2, 30, 100])
    simple, bound, hybrid = (
        gradients(loss, t) for loss in (SimpleLoss(), VariationalLoss(), HybridLoss(0.01))
    )
    assert simple[1] == 0
    assert bound[1].abs() > 0.01
    torch.testing.assert_close(hybrid[0], simple[0])
    torch.testing.assert_close(hybrid[1], 0.01 * bound[1])


def test_the_variational_loss_is_the_bound_in_the_mean_over_timesteps(gaussian):
    schedule = Cosine(50)
    denoiser = gaussian(schedule, "fixed_large")
    x_0 = 1.5 + 0.5 * torch.randn(400, 1, generator=torch.Generator().manual_seed(0))
    bound = likelihood_bound(denoiser, x_0, torch.Generator().manual_seed(1), bins=None)
    t = torch.arange(1, 51).repeat(400)
    x_0 = x_0.repeat_interleave(50, 0)
    eps = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(2))
    loss = VariationalLoss(None)(denoiser, x_0, t, eps).mean()
    assert float(loss) == pytest.approx(float(bound.steps.sum(1).mean()), abs=0.1)
