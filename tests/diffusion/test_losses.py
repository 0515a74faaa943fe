import pytest
import torch
from torch import nn

from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.losses import SimpleLoss
from diffstn.diffusion.schedules import Cosine


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
    denoiser = Denoiser(Constant(), schedule, prediction)
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
    denoiser = Denoiser(Constant(), Cosine(), "v")
    x_0, eps, t = torch.randn(4, 1, 6), torch.randn(4, 5, 6), torch.randint(1, 1001, (4, 5))
    x_0 = x_0.expand(4, 5, 6)
    rows = SimpleLoss()(denoiser, x_0.flatten(0, 1), t.flatten(), eps.flatten(0, 1))
    torch.testing.assert_close(SimpleLoss()(denoiser, x_0, t, eps), rows.view(4, 5))


def test_the_network_receives_gradients():
    denoiser = Denoiser(Constant(), Cosine(), "v")
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
