import pytest
import torch

from diffstn.diffusion.denoiser import Denoiser
from diffstn.diffusion.samplers import DDIM
from diffstn.diffusion.wrappers import ClassifierFree


def test_it_follows_the_gradient_of_the_class(denoiser: Denoiser, opinion):
    """ε̂ changes by −σ w ∇ log p(c | x_t), here taken by autograd of the closed form."""
    schedule, w = denoiser.schedule, 1.7
    x_t = torch.randn(50, 1, requires_grad=True)
    t, label = torch.full((50,), 80), torch.arange(50) % 2
    alpha, sigma = schedule.alpha(t)[:, None], schedule.sigma(t)[:, None]
    [gradient] = torch.autograd.grad(opinion(x_t, t).gather(1, label[:, None]).sum(), x_t)
    expected = denoiser(x_t, t, label=label).eps - sigma * w * gradient
    guided = ClassifierFree(denoiser, w)(x_t, t, label=label)
    torch.testing.assert_close(guided.eps, expected, atol=1e-4, rtol=1e-4)
    again = alpha * guided.x_0 + sigma * guided.eps  # both still account for x_t
    torch.testing.assert_close(again, x_t, atol=1e-5, rtol=1e-5)


def test_a_scale_of_zero_and_no_label_change_nothing(denoiser: Denoiser):
    x_t, t, label = torch.randn(4, 1), torch.full((4,), 9), torch.tensor([0, 1, 1, 0])
    plain = denoiser(x_t, t, label=label)
    assert torch.equal(ClassifierFree(denoiser, 0.0)(x_t, t, label=label).x_0, plain.x_0)
    assert torch.equal(ClassifierFree(denoiser, 3.0)(x_t, t).x_0, denoiser(x_t, t).x_0)


def test_samplers_walk_with_it_and_guidance_sharpens(denoiser: Denoiser):
    x_T = torch.randn(4000, 1, generator=torch.Generator().manual_seed(0))
    label = torch.ones(4000).long()
    plain, guided = (
        DDIM(steps=50)(ClassifierFree(denoiser, w), x_T, label=label) for w in (0.0, 2.0)
    )
    assert plain.mean().item() == pytest.approx(1.0, abs=0.05)
    assert guided.mean() > plain.mean() + 0.1
    assert (guided < 0).sum() < 0.5 * (plain < 0).sum()
