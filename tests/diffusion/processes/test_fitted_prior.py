import pytest
import torch

from diffstn.diffusion.processes import Blur, Pixelate
from diffstn.diffusion.processes.fitted_prior import FittedPrior


@pytest.mark.parametrize("examples", [3000, 20])
def test_its_samples_have_the_mean_and_the_covariance_of_the_data(examples):
    """Of many examples and of fewer than an item has numbers."""
    g = torch.Generator().manual_seed(0)
    x = torch.randn(examples, 2, generator=g) @ torch.randn(2, 30, generator=g) + 3
    prior = FittedPrior((1, 5, 6), rank=4, noise=0.0)
    prior.fit(x.reshape(-1, 1, 5, 6))
    made = prior(torch.randn(40_000, 1, 5, 6, generator=g)).flatten(1)
    torch.testing.assert_close(made.mean(0), x.mean(0), atol=0.06, rtol=0)
    torch.testing.assert_close(made.T.cov(), x.T.cov(), atol=0.3, rtol=0.05)


def test_directions_beyond_its_rank_are_left_out():
    x = torch.randn(500, 1, 2, 2) * torch.tensor([[5.0, 2.0], [0.1, 0.1]])
    prior = FittedPrior((1, 2, 2), rank=2, noise=0.0)
    prior.fit(x)
    spread = prior(torch.randn(4000, 1, 2, 2)).std(0)[0]
    assert float(spread[0, 0]) == pytest.approx(5, rel=0.1)
    assert float(spread[1].max()) < 0.05


def test_flat_images_end_flat_but_for_the_noise_and_travel_with_the_weights():
    x = torch.rand(50, 3, 8, 8)
    process = Pixelate(3, (8, 8), steps=4, noise=0.0)
    process.fit(x)
    x_T = process.prior(torch.randn(200, 3, 8, 8))
    assert float(x_T.std((2, 3)).max()) < 1e-5
    torch.testing.assert_close(x_T.mean((0, 2, 3)), x.mean((0, 2, 3)), atol=0.02, rtol=0)
    noisy = Pixelate(3, (8, 8), steps=4, noise=0.05)
    noisy.load_state_dict(process.state_dict())
    made = noisy.prior(torch.randn(200, 3, 8, 8))
    assert float(made.std((2, 3)).mean()) == pytest.approx(0.05, rel=0.05)


def test_the_state_does_not_hold_the_tables():
    assert set(Blur(1, (8, 8)).state_dict()) == {"end.mean", "end.root"}
