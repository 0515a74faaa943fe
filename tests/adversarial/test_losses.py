"""Losses at scores whose answers are known."""

import math

import pytest
import torch

from diffstn.adversarial import LOSSES, WGANGP, Hinge, NonSaturating


def test_the_best_discriminator_of_a_fixed_generator_is_the_log_ratio():
    """Two outcomes of known probabilities; the loss there is 2 log 2 − 2 JS."""
    p, q = torch.tensor([0.7, 0.3]), torch.tensor([0.2, 0.8])
    scores = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.LBFGS([scores], max_iter=100, tolerance_grad=1e-9)
    softplus = torch.nn.functional.softplus

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = (p * softplus(-scores)).sum() + (q * softplus(scores)).sum()
        value.backward()
        return value

    optimizer.step(loss)
    torch.testing.assert_close(scores.detach(), (p / q).log(), atol=1e-4, rtol=0)
    m = (p + q) / 2
    divergence = ((p * (p / m).log()).sum() + (q * (q / m).log()).sum()) / 2
    # the same, by the class: outcomes as often as they are likely
    real = scores.detach().repeat_interleave(torch.tensor([7, 3]))
    fake = scores.detach().repeat_interleave(torch.tensor([2, 8]))
    found = NonSaturating().discriminator(real, fake)
    assert float(found) == pytest.approx(2 * math.log(2) - 2 * float(divergence), rel=1e-5)


def test_the_generator_s_gradient_does_not_vanish_where_the_discriminator_is_sure():
    score = torch.tensor([-20.0], requires_grad=True)
    NonSaturating().generator(score).backward()
    assert float(score.grad) == pytest.approx(-1, abs=1e-6)


def test_hinge_teaches_nothing_beyond_the_margin():
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.0])
    assert float(Hinge().discriminator(real, fake)) == pytest.approx(0.5 / 2 + 1 / 2)
    assert float(Hinge().generator(fake)) == pytest.approx(1.5)


def test_the_wasserstein_loss_of_the_best_critic_is_the_distance():
    """In one dimension, for a shift by 3, the best critic is x ↦ −x or x."""
    real = torch.randn(500) + 3
    fake = real - 3
    assert float(WGANGP().discriminator(real, fake)) == pytest.approx(-3, rel=1e-5)
    assert float(WGANGP().generator(fake)) == pytest.approx(-float(fake.mean()))


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_float32_of_half_precision_scores(name: str):
    loss, scores = LOSSES[name](), torch.full((4,), 3.0, dtype=torch.bfloat16)
    assert loss.discriminator(scores, scores).dtype == torch.float32
    assert loss.generator(scores).dtype == torch.float32
