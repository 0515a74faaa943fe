import pytest
import torch

from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.losses import SimpleLoss
from diffstn.diffusion.processes import Gaussian
from diffstn.diffusion.schedules import Cosine
from diffstn.diffusion.weighting import MinSNR


class Off(torch.nn.Module):
    """What a network must answer to be wrong about x_0 by exactly 0.1."""

    def __init__(self, denoiser_prediction, schedule, x_0, eps, t):
        super().__init__()
        alpha, sigma = schedule.alpha(t)[:, None], schedule.sigma(t)[:, None]
        guess = x_0 + 0.1
        x_t = alpha * x_0 + sigma * eps
        implied = (x_t - alpha * guess) / sigma
        self.answer = {
            "x0": guess,
            "eps": implied,
            "v": alpha * implied - sigma * guess,
        }[denoiser_prediction]

    def forward(self, x_t, t):
        return self.answer


@pytest.mark.parametrize("prediction", ["eps", "x0", "v"])
def test_an_error_of_x_0_counts_the_clamped_snr_whatever_is_predicted(prediction):
    schedule = Cosine()
    t = torch.tensor([10, 200, 500, 800])
    x_0, eps = torch.randn(2, 4, 7)
    denoiser = Denoiser(Off(prediction, schedule, x_0, eps, t), Gaussian(schedule), prediction)
    loss = SimpleLoss()(denoiser, x_0, t, eps) * MinSNR(5.0)(denoiser, t)
    snr = schedule.log_snr(t).exp()
    torch.testing.assert_close(loss, 0.01 * snr.clamp(max=5.0), rtol=2e-3, atol=0)


def test_gamma_is_positive():
    with pytest.raises(ValueError, match="gamma"):
        MinSNR(0.0)
