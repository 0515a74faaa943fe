"""The normal latents."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from diffstn.networks.regularisations.kl import KL


def test_the_loss_is_the_divergence_of_the_normal_distributions():
    torch.manual_seed(0)
    answered = torch.randn(3, 4, 5, 5)
    mean, log_variance = answered.chunk(2, dim=1)
    q = Normal(mean, (log_variance / 2).exp())
    found = KL(2, weight=0.3)(answered, torch.zeros(3, 2, 5, 5))
    expected = kl_divergence(q, Normal(torch.zeros(()), torch.ones(()))).mean()
    assert float(found.loss) == pytest.approx(0.3 * float(expected), rel=1e-5)
    assert float(found.logged["kl"]) == pytest.approx(float(expected), rel=1e-5)
    assert torch.equal(found.latent, mean)


def test_a_sample_has_the_mean_and_the_deviation_that_were_answered():
    answered = torch.tensor([1.5, -2.0]).log().mul(2).nan_to_num(-3.0)[None, :, None, None]
    answered = torch.cat([torch.full((1, 1, 1, 1), 0.7), answered[:, :1]], dim=1)
    eps = torch.randn(20_000, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    latent = KL(1)(answered.expand(20_000, -1, -1, -1), eps).latent
    assert float(latent.mean()) == pytest.approx(0.7, abs=0.04)
    assert float(latent.std()) == pytest.approx(1.5, rel=0.02)
    assert torch.equal(KL(1).latent(answered), answered[:, :1])
    assert torch.equal(KL(1).settled(latent), latent)
    assert KL(1).codes(latent) is None
