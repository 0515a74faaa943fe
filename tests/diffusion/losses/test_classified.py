import pytest
import torch
from torch import Tensor, nn

from diffstn.diffusion import Denoiser, Gaussian
from diffstn.diffusion.losses import Classified, SimpleLoss
from diffstn.diffusion.schedules import Cosine


class Said(nn.Module):
    """A network that answers the same whatever it is asked."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = nn.Parameter(answer)

    def forward(self, x_t: Tensor, t: Tensor, **condition: Tensor) -> Tensor:
        return self.answer


def build(signal: str, weight: float = 0.7) -> tuple[Classified, Denoiser, tuple[Tensor, ...]]:
    generator = torch.Generator().manual_seed(0)
    x_0, eps, answer = torch.randn(3, 5, 4, dtype=torch.float64, generator=generator)
    matrix = torch.randn(4, 3, dtype=torch.float64, generator=generator)
    denoiser = Denoiser(Said(answer), Gaussian(Cosine(100)), "eps")
    loss = Classified(SimpleLoss(), lambda x: x @ matrix, weight, signal)
    return loss, denoiser, (x_0, torch.tensor([1, 30, 60, 90, 99]), eps, matrix)


@pytest.mark.parametrize("signal", ["none", "signal"])
def test_its_gradient_in_eps_is_that_of_the_formula(signal: str):
    """∂/∂ε̂ of w λ CE is −w λ (σ/α) ∂CE/∂x̂_0, so −w α σ ∂CE/∂x̂_0 for λ = ᾱ_t."""
    loss, denoiser, (x_0, t, eps, matrix) = build(signal)
    label = torch.tensor([0, 1, 2, 0, 1])
    both = loss(denoiser, x_0, t, eps, label=label)
    own = SimpleLoss()(denoiser, x_0, t, eps)
    (found,) = torch.autograd.grad((both - own).sum(), denoiser.network.answer)
    alpha, sigma = (
        f(t)[:, None].double() for f in (denoiser.schedule.alpha, denoiser.schedule.sigma)
    )
    said = (alpha * x_0 + sigma * eps - sigma * denoiser.network.answer.detach()) / alpha
    p = (said @ matrix).softmax(1) - nn.functional.one_hot(label, 3)
    scale = sigma / alpha if signal == "none" else alpha * sigma
    torch.testing.assert_close(found, -0.7 * scale * (p @ matrix.T), rtol=1e-4, atol=1e-6)


def test_no_label_is_not_read():
    loss, denoiser, (x_0, t, eps, _) = build("none")
    own = SimpleLoss()(denoiser, x_0, t, eps)
    none = torch.full((5,), 3)
    torch.testing.assert_close(loss(denoiser, x_0, t, eps, label=none), own)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="weight"):
        build("none", -1.0)
    with pytest.raises(ValueError, match="none, signal"):
        build("all")
